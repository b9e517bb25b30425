// Inside proto/relay only: one socket of the relay, and what the relay knows. party.c, registration.c and splice.c are
// one machine, the picture below, and need each other: a party is registered or spliced by what it says, and either may
// end it.
//
//   first message ──register──► challenged ──► spare ──request──► spliced
//         └────────────communication_request──► (parked until a pong) ──► spliced
#pragma once

#include "base/hash.h"
#include "conn/transport.h"
#include "crypto/box.h"
#include "net/relay_message.h"
#include "net/ws_server.h"
#include "relay/relay.h"

struct party;

struct deadlines { // parties in the order of their deadlines, which all lie equally far ahead when they are set
    struct party *first, *last;
    uint64_t ms;
    void (*due)(struct party *p);
};

enum party_state { PARTY_FIRST, PARTY_CHALLENGED, PARTY_SPARE, PARTY_PARKED, PARTY_SPLICED, PARTY_CLOSING };

struct party {
    struct relay *relay; // NULL once the relay is gone
    struct transport *transport;
    struct party *previous, *next; // all of the relay
    enum party_state state;
    struct deadlines *queue; // the one it waits in, or NULL
    struct party *earlier, *later;
    uint64_t deadline;
    struct public_key key; // of a listener, once it is registered or challenged
    struct party *older;   // the spare registered before it for the same key
    struct party *other;   // whom it is spliced to, or is to be spliced to after a pong
    struct buf awaited;    // the response to the challenge
    struct buf request;    // a parked requester's message
    bool ping_outstanding;
    bool elsewhere;   // its socket is at another relay
    unsigned ignored; // messages on a spare that are none of the protocol
};

struct relay {
    struct loop *loop;
    struct ws_server *server;
    struct relay_options options;
    struct public_key key;
    struct secret secret;
    struct hash_map *listeners;              // key → newest spare
    const struct relay_extension *extension; // or NULL
    struct party *parties;
    struct deadlines firsts, pings, pongs; // first messages; pings to send; pongs to arrive
    struct loop_timer *timer;
    uint64_t timer_at; // 0 = not set
    struct loop_timer *drain;
    uint64_t drain_until;
    void (*drained)(void *ctx);
    void *drained_ctx;
    struct relay_stats stats;
};

// party.c
struct party *party_create(struct relay *r, struct transport *t);
void party_wait(struct party *p, struct deadlines *q); // replaces what it waits for; q NULL: nothing
void party_deadlines_run(struct relay *r);
void party_send(struct party *p, const struct relay_message *m);
void party_close(struct party *p, const char *reason); // the whole reason, as WIRE.md 2.3

// registration.c: WIRE.md 7.1 – 7.3
void registration_message(struct party *p, bool text, struct span payload); // before the splice
void registration_ping_due(struct party *p);
void registration_pong_due(struct party *p);
void registration_first_due(struct party *p);
void registration_forget(struct party *p); // it is no spare any more

// splice.c: WIRE.md 7.5
void splice_request(struct party *requester, const struct relay_message *m);
void splice_after_pong(struct party *spare);
void splice_message(struct party *from, bool text, struct span payload);
void splice_part(struct party *p, const char *reason); // p closes: what becomes of the one it is joined with
