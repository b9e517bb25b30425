// What the files of a hub share.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "ipc/hub.h"

enum { HUB_READ_AT_ONCE = 64 * 1024 };

struct hub_peer {
    struct hub_peer *next; // heard longest ago first
    struct hub *hub;
    int fd;
    bool dead;   // closed at the end of the drain
    bool opened; // the owner knows it
    uint32_t watched;
    struct sp_reader in;
    struct buf out;
    size_t sent;    // of out
    uint64_t since; // when it last got on with what is unfinished
    uint64_t said;  // when it was sent something last; 0 = never
    int holds;
};

struct hub {
    struct hub_settings settings;
    struct hub_events events;
    char *path; // of the socket file, NULL when dialled
    int listen_fd;
    int poll_fd; // an epoll set of everything here
    int timer_fd;
    bool looking;   // the timer runs
    pid_t admitted; // 0 = nobody yet
    struct hub_peer *peers;
    size_t peer_count;
    bool reap;
    uint64_t turned_away;
    uint64_t told; // when of that
    char chunk[HUB_READ_AT_ONCE];
};

bool hub_watch(struct hub *h, int fd, int how, uint32_t events, void *who);
void hub_look_later(struct hub *h); // whether somebody is late

void hub_add_peer(struct hub *h, int fd); // takes fd over
void hub_free_peer(struct hub *h, struct hub_peer *p);
void hub_serve(struct hub *h, struct hub_peer *p, uint32_t events); // frees nobody
bool hub_is_unfinished(const struct hub_peer *p);
bool hub_is_late(const struct hub_peer *p, uint64_t now);
void hub_see_off(struct hub_peer *p, uint64_t until);         // the end was said; until the other side closes, too
void hub_send_last_words(struct hub_peer *p, uint64_t until); // waits until then for what is kept to go
