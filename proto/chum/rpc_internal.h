// What rpc.c, rpc_answers.c and rpc_long.c share: calls, and the answer that is arriving in pieces.
#pragma once

#include "base/invariant.h"
#include "chum/longanswer.h"
#include "chum/rpc.h"

enum { REFUSED_STREAMS = 8, ID_BYTES = 8 };

#define RPC_UNDEFINED "$__undefined$"

struct call {
    struct call *next;
    int64_t id;
    char *message; // the request's text until it is sent
    uint64_t timeout_ms;
    uint64_t deadline; // 0 while it waits in the queue
    bool takes_stream; // otherwise one answer is awaited
    bool streaming;    // a chunk has arrived
    bool base64;       // the encoding of the text stream
    rpc_reply_fn reply;
    void *ctx;
    size_t most;         // bytes of a long text it may be answered with
    const char *too_big; // the code for more
    bool in_pieces;      // the text is handed on as it comes
    bool takes_bytes;    // the answer may be one binary message
    struct buf text;     // otherwise, as far as it came
    size_t came;         // bytes of it, either way
    size_t counted;      // bytes on the account
};

struct call_list { // in the order of the calls
    struct call *first;
    struct call **end;
    size_t count;
};

struct rpc {
    struct rpc_transport transport;
    struct rpc_limits limits;
    rpc_serve_fn serve;
    void *ctx;
    int64_t next_id;
    struct call_list sent, waiting;
    int64_t refused[REFUSED_STREAMS]; // streams of ours the peer cannot store
    size_t refused_count;
    bool failed; // after rpc_fail_all
    struct long_answer arriving;
    unsigned busy; // calls of others under way: nobody may destroy it from there
    OWNER
};

struct call **rpc_sent_call(struct rpc *r, int64_t id); // NULL if none
// Takes the call out, tells its reply function and frees it.
void rpc_finish(struct rpc *r, struct call **place, const struct rpc_reply *reply);
void rpc_send_text(struct rpc *r, struct buf *text); // frees it
// The peer cannot store this stream of ours. Remembers the newest few.
void rpc_remember_refusal(struct rpc *r, int64_t id);
void rpc_drop_text(struct rpc *r, struct call *c);
