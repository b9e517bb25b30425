// What the network tests share: waiting for a condition, a recording peer, and raw sockets that break the rules.
#pragma once

#include "conn/transport.h"
#include "net/loop.h"
#include "net/ws_client.h"
#include "net/ws_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// With LOOP=epoll in the environment it waits with that, so that every test of sockets runs on both.
struct loop *open_loop(const struct loop_options *options);

// Runs the loop until *condition, at most 10 s (or ms); fails the test otherwise.
void run_until(struct loop *l, const bool *condition);
void run_for(struct loop *l, uint64_t ms);

struct peer { // the user of a transport: remembers what happened to it
    struct transport *transport;
    struct buf last; // the last message
    bool last_text, got, closed, drained, timed, echo;
    size_t messages, closings;
    int code;
    struct buf reason;
};

extern const struct transport_events peer_events;
void peer_use(struct peer *p, struct transport *t);
void peer_free(struct peer *p);

struct pair { // our client connected to our server
    struct loop *loop;
    struct ws_server *server;
    struct ws_client *client;
    struct peer near, far; // client's and server's end
    bool connected, accepted, failed;
    struct error why;
};

void pair_open(struct pair *p, const struct ws_server_options *options);
void pair_listen(struct pair *p, const struct ws_server_options *options); // without connecting
void pair_dial(struct pair *p, const char *url);                           // sets connected or failed
void pair_close(struct pair *p);
void pair_accepted(void *ctx, struct transport *t); // for a listener of one's own

// A thread that connects to 127.0.0.1:port, sends these bytes with pauses of 50 ms between, and reads until the end.
struct raw {
    uint16_t port;
    struct span send[3];
    bool in_turn; // sends on only when what it sent was answered
    bool hang_up; // resets the connection instead of reading on
    struct buf received;
    bool done; // the other side closed
};

void raw_run(struct loop *l, struct raw *r); // runs the loop meanwhile

// A thread that listens on 127.0.0.1 and answers the first connection with these bytes, then waits for its end.
struct stub {
    uint16_t port;
    int fd;
    struct span answer;
    bool hang_up; // after the answer
    struct buf request;
    void *thread;
};

void stub_start(struct stub *s);
void stub_stop(struct stub *s); // request is complete then, and the caller's to free

#define UPGRADE(port_text, extra)                                                                                      \
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:" port_text "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                 \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" extra "\r\n"
