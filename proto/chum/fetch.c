#include "chum/fetch.h"

#include <stdio.h>
#include <stdlib.h>

struct chum_fetch *chum_fetch_use(struct chum_fetch *f)
{
    f->users++;
    return f;
}

void chum_fetch_release(struct chum_fetch *f)
{
    if (--f->users == 0)
        free(f);
}

int64_t chum_fetch_call(struct chum_fetch *f, enum chum_service service, struct span args, rpc_reply_fn reply,
                        void *ctx)
{
    if (f->ended || f->closing)
        return -1;
    int64_t id = rpc_call(f->rpc, service, args, conn_now(f->conn), CHUM_CALL_MS, reply, ctx);
    conn_reschedule(f->conn);
    return id;
}

int64_t chum_fetch_call_for(struct chum_fetch *f, enum chum_service service, const struct hash *hash,
                            rpc_reply_fn reply, void *ctx)
{
    char args[HASH_HEX + 8];
    snprintf(args, sizeof args, "[\"%s\"]", hash_text(hash).s);
    return chum_fetch_call(f, service, span_of(args), reply, ctx);
}

void chum_fetch_cancel(struct chum_fetch *f, int64_t *call)
{
    if (*call >= 0 && !f->ended)
        rpc_cancel(f->rpc, *call);
    *call = -1;
}

enum status chum_fetch_text(const struct rpc_reply *reply, const char *code, struct span *text, struct error *e)
{
    if (reply->kind == RPC_DATA && json_is_string(reply->data)) {
        *text = (struct span){json_string_value(reply->data), json_string_length(reply->data)};
        return STATUS_OK;
    }
    if (reply->kind == RPC_DATA || reply->kind == RPC_END || reply->kind == RPC_CHUNK)
        return error_set(e, STATUS_INVALID, code, "the peer's answer is not a text");
    *e = *reply->error;
    return e->status;
}
