// Lines as the texts a peer sends (a line that begins with a zero byte as a binary message), against two calls of ours.
#include "chum/rpc.h"
#include "fuzz.h"

#include <string.h>

struct peer {
    struct rpc *rpc;
    unsigned replies[2];
};

static void drop(void *ctx, bool text, struct span message)
{
    (void)ctx, (void)text, (void)message;
}

static void serve(void *ctx, const struct rpc_request *request)
{
    const struct peer *p = ctx;
    FUZZ_CHECK(request->args == NULL || json_is_array(request->args));
    if (request->service == 1)
        rpc_answer_json(p->rpc, request->id, SPAN("8"));
    else if (request->service == 8 && rpc_stream_binary(p->rpc, request->id, SPAN("abc")))
        rpc_stream_end(p->rpc, request->id);
    else
        rpc_answer_unknown_service(p->rpc, request->id, request->service);
}

static void reply(void *ctx, const struct rpc_reply *r)
{
    unsigned *count = ctx;
    if (r->kind == RPC_CHUNK || r->kind == RPC_PIECE)
        FUZZ_CHECK(*count == 0);
    else
        FUZZ_CHECK(++*count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer p = {0};
    struct error gone;
    p.rpc = rpc_create((struct rpc_transport){.send = drop}, (struct rpc_limits){.outstanding = 1, .text = 65536},
                       serve, &p);
    for (size_t i = 0; i < 2; i++)
        rpc_call_stream(p.rpc, 2, SPAN("[]"), 0, 1000, reply, &p.replies[i]);
    while (size != 0) {
        const uint8_t *newline = memchr(data, '\n', size);
        size_t len = newline != NULL ? (size_t)(newline - data) : size;
        struct span line = {(const char *)data, len};
        if (len != 0 && data[0] == 0)
            rpc_on_binary(p.rpc, span_from(line, 1), 0);
        else if (len != 0 && data[0] == 1)
            rpc_on_piece(p.rpc, span_from(line, 1), true, true, 0);
        else
            rpc_on_text(p.rpc, line, 0);
        data += len, size -= len;
        if (size != 0)
            data++, size--;
    }
    error_set(&gone, STATUS_CLOSED, "CLOSED", "gone");
    rpc_fail_all(p.rpc, &gone);
    FUZZ_CHECK(p.replies[0] == 1 && p.replies[1] == 1);
    rpc_destroy(p.rpc);
    return 0;
}
