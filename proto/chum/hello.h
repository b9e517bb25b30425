// How a session begins (WIRE.md 10.2, 10.3): each side says something, and after a pause for courtesy asks which
// version of the protocol the other speaks. Part of the session; loop thread.
#pragma once

#include "chum/chum.h"
#include "chum/rpc.h"
#include "conn/conn.h"

enum chum_hello_step { HELLO_SYNCHRONISING, HELLO_COURTESY, HELLO_ASKING, HELLO_OVER };

struct chum_hello {
    struct conn *conn;
    struct rpc *rpc;
    enum chum_hello_step step;
    unsigned tries;
    uint64_t due; // when chum_hello_on_time is; 0 = not
    bool own;     // the peer is an own node, which needs no courtesy
    bool feeds;   // we have one
    void *ctx;
    // The peer speaks our version; or, with a reason, the connection is of no use. Once, and not after chum_hello_end.
    void (*over)(void *ctx, const struct error *why);
};

void chum_hello_begin(struct chum_hello *h); // all but step, tries and due are set
// Something came. True: it was the peer's first message, which says nothing but that it is there.
bool chum_hello_takes(struct chum_hello *h);
void chum_hello_on_time(struct chum_hello *h, uint64_t now_ms);
void chum_hello_end(struct chum_hello *h); // an answer may come still, to nobody
