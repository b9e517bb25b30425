// How long an answer may be depends on the question (expect), so that one that is too long ends while it arrives and is
// never whole in memory. A call that cannot be made any more has the id -1, and nobody is called back: not even with
// an error.
#include "chum/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "chum/sums.h"

enum { LACKING_MAX = 4096, LONG_TEXT_TAGS = 4096 };
static const struct backoff retries = {2000, 300000};

struct lacking {
    unsigned times;
    uint64_t retry_at;
};

uint64_t chum_retry_pause(unsigned times)
{
    return backoff_ms(retries, times - 1);
}

bool chum_fetch_note_lacking(struct chum_fetch *f, const struct hash *blob)
{
    if (f->lacking == NULL)
        f->lacking = hash_map_create();
    struct lacking *l = hash_map_get(f->lacking, blob);
    bool is_news = l == NULL;
    if (is_news && hash_map_count(f->lacking) == LACKING_MAX)
        return true; // asked for again with everything that has it below
    if (is_news) {
        l = mem_alloc(sizeof *l);
        hash_map_set(f->lacking, blob, l);
    }
    l->retry_at = conn_now(f->conn) + chum_retry_pause(++l->times);
    return is_news;
}

bool chum_fetch_does_without(const struct chum_fetch *f, const struct hash *blob)
{
    const struct lacking *l = f->lacking != NULL ? hash_map_get(f->lacking, blob) : NULL;
    return l != NULL && l->retry_at > conn_now(f->conn);
}

bool chum_fetch_leaves(const struct chum_fetch *f, int64_t size)
{
    return f->takes != NULL && size >= 0 && (uint64_t)size > atomic_load(f->takes);
}

struct chum_fetch *chum_fetch_use(struct chum_fetch *f)
{
    f->users++;
    return f;
}

void chum_fetch_release(struct chum_fetch *f)
{
    if (--f->users != 0)
        return;
    if (f->lacking != NULL)
        hash_map_free_values(f->lacking);
    hash_map_destroy(f->lacking);
    free(f);
}

// Bytes: packed (pack.h).
static void expect_batch(struct chum_fetch *f, int64_t call)
{
    rpc_expect(f->rpc, call, f->object_max > CHUM_LONG_TEXT_MAX ? CHUM_BATCH_MAX : CHUM_CONTACT_BATCH_MAX,
               "LIST-TOO-BIG", false);
    rpc_take_bytes(f->rpc, call);
}

static void expect_page(struct chum_fetch *f, int64_t call)
{
    rpc_expect(f->rpc, call, CHUM_RANGES_BYTES, "LIST-TOO-BIG", false);
    rpc_take_bytes(f->rpc, call);
}

static void expect(struct chum_fetch *f, enum chum_service service, int64_t call)
{
    if (service == CHUM_GET_OBJECT || service == CHUM_GET_ID_OBJECT)
        rpc_expect(f->rpc, call, f->object_max > CHUM_LONG_TEXT_MAX ? f->object_max : CHUM_LONG_TEXT_MAX,
                   "OBJECT-TOO-BIG", false);
    else if (service == CHUM_GET_OBJECT_CHILDREN || service == CHUM_GET_ID_OBJECT_CHILDREN)
        rpc_expect(f->rpc, call, CHUM_LIST_MAX, "LIST-TOO-BIG", true);
    else if (service == CHUM_GET_ACCESSIBLE_ROOTS)
        rpc_expect(f->rpc, call, CHUM_ROOT_LIST_MAX, "LIST-TOO-BIG", false);
    else if (service == CHUM_FEED)
        expect_batch(f, call);
    else if (service == CHUM_RANGES)
        expect_page(f, call);
}

int64_t chum_fetch_call(struct chum_fetch *f, enum chum_service service, struct span args, rpc_reply_fn reply,
                        void *ctx)
{
    if (f->ended || f->closing)
        return -1;
    int64_t id = service == CHUM_GET_BLOB
                     ? rpc_call_stream(f->rpc, service, args, conn_now(f->conn), CHUM_CALL_MS, reply, ctx)
                     : rpc_call(f->rpc, service, args, conn_now(f->conn), CHUM_CALL_MS, reply, ctx);
    expect(f, service, id);
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

bool chum_fetch_says_left(struct chum_fetch *f, bool goes_on)
{
    bool left = f->unstored || goes_on;
    f->unstored = false;
    return left;
}

enum status chum_fetch_text(const struct rpc_reply *reply, const char *code, struct span *text, struct error *e)
{
    if (reply->kind == RPC_DATA && reply->text != NULL) {
        *text = buf_span(reply->text);
        return STATUS_OK;
    }
    if (reply->kind == RPC_DATA && json_is_string(reply->data)) {
        *text = (struct span){json_string_value(reply->data), json_string_length(reply->data)};
        return STATUS_OK;
    }
    if (reply->kind == RPC_DATA || reply->kind == RPC_END || reply->kind == RPC_CHUNK)
        return error_set(e, STATUS_INVALID, code, "the peer's answer is not a text");
    *e = *reply->error;
    return e->status;
}

// Few tags, and no Recipe, whose rules are texts that are parsed in turn.
static bool is_long_text(struct span text)
{
    struct span front = {text.ptr, text.len < 128 ? text.len : 128};
    size_t tags = 0;
    for (size_t i = 0; i < text.len; i++)
        tags += text.ptr[i] == '<';
    return tags <= LONG_TEXT_TAGS && memmem(front.ptr, front.len, "/Recipe", 7) == NULL;
}

bool chum_fetch_fits(const struct chum_fetch *f, struct span text)
{
    return text.len <= f->object_max || (text.len <= CHUM_LONG_TEXT_MAX && is_long_text(text));
}

void chum_fetch_keep_text(const struct rpc_reply *reply, struct span text, struct buf *out)
{
    if (reply->text == NULL) {
        buf_reserve(out, text.len);
        buf_add_span(out, text);
        return;
    }
    *out = *reply->text;
    *reply->text = (struct buf){0};
}
