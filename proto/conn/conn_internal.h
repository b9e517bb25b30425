// What the parts of one connection share: conn.c takes its events, conn_base.c sends and ends, conn_steps.c leads it to
// the group's protocol, conn_info.c answers questions.
#pragma once

#include "base/invariant.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/handshake.h"

enum {
    CONN_CLEAR_MS = 10000,       // the whole phase in clear text
    CONN_AWAIT_MS = 30000,       // each message awaited after it
    CONN_QUEUE = 10,             // messages that arrive before the protocol serves (WIRE.md 2.4)
    CONN_LIMIT_EARLY = 64 << 10, // bytes of one message, but in the groups below
    CONN_LIMIT_CHUM = 64 << 20,
    CONN_LIMIT_APPLICATION = 1 << 20,
};

struct conn_step { // one awaited message
    enum status (*take)(struct conn *c, bool text, struct span message, struct error *e);
    bool clear; // before the encryption
    const char *name;
};

struct conn_early { // a message that arrived before the protocol
    bool text;
    struct buf bytes;
};

struct conn {
    struct transport *transport;
    const struct conn_host *host;
    const struct conn_identity *local; // NULL until an acceptor knows it
    const struct random_source *random;
    struct budget *budget;
    enum conn_role role;
    enum conn_group group;
    enum conn_state state;
    uint64_t began;
    struct conn_peer peer;

    const struct conn_step *steps; // what is awaited; ends with take NULL
    struct handshake_keys keys;
    struct exchange_proof proof;
    struct pipeline *pipeline; // NULL in clear
    uint64_t deadline;         // of the awaited message; 0 = none

    bool asking;         // inside host.ready
    bool held;           // ready is asked again at deadline
    uint64_t hold_until; // since it was put off first; 0 = it was not
    struct conn_early early[CONN_QUEUE];
    size_t early_count;

    const struct conn_protocol *protocol; // NULL until conn_serve
    void *protocol_ctx;

    bool held_up;          // by the protocol: the peer is not read
    uint64_t resume_at;    // by its rates, until then; 0 = it is not
    uint64_t stall_at;     // when the peer has to have read some of what waits; 0 = little waits
    uint64_t written_then; // bytes, when that was set

    unsigned busy; // depth of events being handled; the end waits until they are over
    bool ending;
    bool finished; // nothing is called any more
    bool proved;   // the peer has answered our challenge: nothing is served before
    OWNER
    int close_code;
    struct error why;
    uint64_t wake; // what the transport was asked for
};

extern const struct conn_step CONN_STEPS_INITIATOR[], CONN_STEPS_ACCEPTOR[];

// Asks the host for the record of the peer's instance key and compares what is proved so far (WIRE.md 5.5, 3 and 5).
enum status conn_check_known(struct conn *c, struct error *e);

// conn_base.c
void conn_enter(struct conn *c); // an event is being handled
bool conn_leave(struct conn *c); // false: c is gone
void conn_begin_end(struct conn *c, const struct error *why);
void conn_close_with(struct conn *c, const struct error *why, const char *opening, const char *text);
void conn_set_state(struct conn *c, enum conn_state state);
// Through the pipeline if there is one; frees it. name is for the log.
void conn_emit(struct conn *c, bool text, const char *name, struct buf *message);
void conn_encrypt(struct conn *c, struct secret *shared); // from here on everything is encrypted

// conn_account.c
void conn_account(struct conn *c); // after every event: brings it up to date, and what follows from it
enum status conn_check_progress(struct conn *c, struct error *e); // at stall_at: OVER-BUDGET
void conn_hold_up(struct conn *c, bool held_up);
