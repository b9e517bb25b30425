// Remote calls over an encrypted connection (WIRE.md 9): requests and answers as JSON texts, streams as texts or binary
// messages. Symmetric: each side may call the other. A pure state machine: it neither reads a clock nor a socket.
#pragma once

#include <jansson.h>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

struct rpc;

struct rpc_transport { // where messages go; ctx is passed through
    void (*send)(void *ctx, bool text, struct span message);
    void *ctx;
};

struct rpc_limits {
    size_t outstanding; // own calls in flight; more wait in a queue
    size_t waiting;     // calls in that queue; 0 = 65,536
    size_t text;        // bytes of a long text an answer may be, unless rpc_expect says less
    // The account of the peer: values parsed, and long texts until they are handed over (BUDGET_HELD). NULL = none.
    struct budget *budget;
};

// A request of the peer. args is a borrowed JSON array; ask rpc_is_undefined for each argument, a missing one (NULL) is
// undefined too. NULL: they are no array, which is answered by rpc_answer_no_array. Every request is answered exactly
// once, now or later, by one of the rpc_answer functions or a stream with the same id.
struct rpc_request {
    int64_t id;
    int64_t service;
    const json_t *args; // an array, empty if the request had none; or NULL
};
typedef void (*rpc_serve_fn)(void *ctx, const struct rpc_request *request);

struct rpc *rpc_create(struct rpc_transport transport, struct rpc_limits limits, rpc_serve_fn serve, void *ctx);
void rpc_destroy(struct rpc *r); // pending calls are not told; call rpc_fail_all before

bool rpc_is_undefined(const json_t *value);

// Feed every message that arrives; now_ms is monotonic. What cannot be understood is ignored as WIRE.md 9.3 says. The
// serve and reply functions may call anything here but rpc_destroy, which is asserted (base/invariant.h).
void rpc_on_text(struct rpc *r, struct span text, uint64_t now_ms);
void rpc_on_binary(struct rpc *r, struct span message, uint64_t now_ms);
// A long text as it comes; the last piece may be empty.
void rpc_on_piece(struct rpc *r, struct span piece, bool first, bool last, uint64_t now_ms);

// ---- Answers ----
void rpc_answer_json(struct rpc *r, int64_t id, struct span json);   // data: raw JSON text; empty = undefined
void rpc_answer_long(struct rpc *r, int64_t id, struct buf *json);   // the same without another copy; empties json
void rpc_answer_string(struct rpc *r, int64_t id, struct span text); // data: a string
// Bytes as the whole answer, in one binary message: only to who waits for that (rpc_take_bytes), as no stream of the
// reference is so.
void rpc_answer_bytes(struct rpc *r, int64_t id, struct span bytes);
void rpc_answer_error(struct rpc *r, int64_t id, const char *name, const char *message, const char *code);
void rpc_answer_no_array(struct rpc *r, int64_t id);
void rpc_answer_unknown_service(struct rpc *r, int64_t id, int64_t service);
// Pieces of a stream. false: the peer cannot store it and wants no more; end it with rpc_stream_end or _error.
bool rpc_stream_binary(struct rpc *r, int64_t id, struct span chunk);
bool rpc_stream_text(struct rpc *r, int64_t id, struct span chunk, bool first); // encoding utf8, whole characters
void rpc_stream_end(struct rpc *r, int64_t id);
void rpc_stream_error(struct rpc *r, int64_t id, const char *message);

// ---- Calls ----
struct rpc_reply {
    enum {
        RPC_DATA,
        RPC_ERROR,
        RPC_CHUNK,
        RPC_END,
        RPC_PIECE,
        RPC_LOST
    } kind;                    // LOST: timeout, connection gone, too big
    const json_t *data;        // RPC_DATA; NULL = undefined. Borrowed
    struct buf *text;          // RPC_DATA, instead of data: a long string or bytes, which may be taken out
    struct span chunk;         // RPC_CHUNK, bytes of a stream; RPC_PIECE, of a long string
    bool first;                // RPC_PIECE
    const struct error *error; // RPC_ERROR (code = the peer's code) and RPC_LOST
};
// Called once with DATA, ERROR, END or LOST, before that any number of times with CHUNK or PIECE. A call that takes its
// long text in pieces gets an empty one with DATA. CHUNK and END are for rpc_call_stream alone: a peer that answers
// rpc_call with a stream gets ERROR "STREAM-ERROR" said of it.
typedef void (*rpc_reply_fn)(void *ctx, const struct rpc_reply *reply);

// args is the raw JSON text of an array, copied. The time runs from the moment the call leaves the queue and anew with
// every chunk. Returns the call's id, for rpc_cancel, or -1 when the queue is full or after rpc_fail_all.
int64_t rpc_call(struct rpc *r, int64_t service, struct span args, uint64_t now_ms, uint64_t timeout_ms,
                 rpc_reply_fn reply, void *ctx);
int64_t rpc_call_stream(struct rpc *r, int64_t service, struct span args, uint64_t now_ms, uint64_t timeout_ms,
                        rpc_reply_fn reply, void *ctx);
// A request that the peer knows not to answer. Sent at once, whatever waits.
void rpc_tell(struct rpc *r, int64_t service, struct span args);
// What its answer may be: a text of at most that many bytes (too_big is the code of the failure otherwise), whole or,
// if it is a long one, in pieces. Right after rpc_call; fine with -1.
void rpc_expect(struct rpc *r, int64_t id, size_t most, const char *too_big, bool in_pieces);
// Its answer may be bytes, too, as many as rpc_expect says. Right after rpc_call; fine with -1.
void rpc_take_bytes(struct rpc *r, int64_t id);
// Its reply function is not called any more; the peer of a running stream is told to stop, what still comes is dropped.
void rpc_cancel(struct rpc *r, int64_t id);
size_t rpc_pending(const struct rpc *r); // own calls not yet finished, waiting ones included

uint64_t rpc_deadline(const struct rpc *r); // when rpc_on_time has to be called next; 0 = never
void rpc_on_time(struct rpc *r, uint64_t now_ms);
void rpc_fail_all(struct rpc *r, const struct error *why); // the connection is gone: every pending call gets LOST
