// A Unix socket that speaks SP, one thread, never blocking: what the supervisor listens with and nodes dial with.
// Inside ipc/ only.
//
// nng cannot listen here: in 1.5.2, a peer that closes before the greeting was sent to it makes the greeting fail with
// NNG_ECLOSED, which core/listener.c takes for the listener's own end; it never accepts again. One bare connect of
// anybody would do. So connections are taken, judged and bounded here; nng's sockets and nngcat see no difference.
//
// Whoever connects must be a process of our user or root's, say its greeting in time, end what it began and read what
// it is sent. Above the limits those go first who have not greeted, then the one that was silent longest without
// waiting for an answer; so somebody new always gets in.
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "ipc/sp.h"

struct hub;
struct hub_peer;

enum { HUB_ANY_PID = -1 };

struct hub_settings {
    enum sp_protocol own;
    enum sp_protocol other;
    size_t peers_max; // 1: the first stays until it goes
    bool hurry;       // who leaves something unfinished for 30 s, in either direction, is closed
};

struct hub_events { // peer is valid until closed returns. Not from inside one: hub_destroy
    void (*opened)(void *ctx, struct hub_peer *peer);
    void (*message)(void *ctx, struct hub_peer *peer, struct span message);
    void (*closed)(void *ctx,
                   struct hub_peer *peer); // only of those that were opened; runs from hub_drain, or hub_destroy
    void *ctx;
};

// path: socket file of at most 107 bytes. It gets mode 0600; one left by a dead process is replaced; one in use is
// STATUS_CONFLICT "ALREADY-RUNNING". NULL with e filled on failure.
struct hub *hub_listen(const char *path, struct hub_settings settings, struct hub_events events, struct error *e);
// One connection, made at once; messages may be sent from now on. NOT-RUNNING, NO-PERMISSION.
struct hub *hub_dial(const char *path, struct hub_settings settings, struct hub_events events, struct error *e);
// Listens there again, when somebody removed the socket file. Who is connected stays so.
enum status hub_listen_again(struct hub *h, struct error *e);
void hub_destroy(struct hub *h); // waits 200 ms at most for what was said last; removes the socket file. NULL-safe

// Until this is called nobody is accepted. pid: the one process that may connect, or HUB_ANY_PID.
void hub_admit(struct hub *h, pid_t pid);

int hub_fd(const struct hub *h);                // watch for readability; owned by the hub
void hub_drain(struct hub *h);                  // runs everything that is due
struct hub_peer *hub_only(const struct hub *h); // of a dialled one, or where peers_max is 1; NULL without
void hub_each(struct hub *h, void (*each)(struct hub_peer *peer, void *arg), void *arg); // those that were opened

// Sends words and text as one message: to the kernel, and what does not fit there is kept.
void hub_send(struct hub_peer *peer, struct span words, struct span text);
size_t hub_unsent(const struct hub_peer *peer); // bytes kept
void hub_close(struct hub_peer *peer);
void hub_hold(struct hub_peer *peer, int more); // +1, -1: it waits for an answer, so it is not closed for being silent
