#include "chum/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_HIGH = 1 << 20, PENDING_LOW = 256 << 10 };

struct chum_download {
    struct chum_fetch *fetch;
    struct hash hash;
    bool is_clob;
    bool as_text;
    chum_download_done done;
    void *ctx;
    int64_t call;      // -1 = none
    uint64_t received; // bytes of this attempt
    size_t pending;    // bytes on their way to the store
    size_t jobs;
    bool paused;
    bool dropped;
    struct store_writer *writer; // the store thread's
    enum status failed;          // the first failure on the store thread, and what it was
    struct error why;
};

struct piece {
    struct chum_download *download;
    size_t len;
    char bytes[];
};

static void release(struct chum_download *d)
{
    if (!d->dropped || d->jobs != 0)
        return;
    chum_fetch_release(d->fetch);
    free(d);
}

static void set_paused(struct chum_download *d, bool paused)
{
    if (d->paused == paused)
        return;
    d->paused = paused;
    if (!d->fetch->ended)
        d->fetch->full(d->fetch->ctx, paused);
}

// ---- Ending --------------------------------------------------------------------------------------------------------

static enum status abandon_work(struct store *s, void *arg, struct error *e)
{
    struct chum_download *d = arg;
    (void)s;
    (void)e;
    store_writer_destroy(d->writer);
    d->writer = NULL;
    return STATUS_OK;
}

static void abandon_done(void *arg, enum status status, const struct error *e)
{
    struct chum_download *d = arg;
    (void)status;
    (void)e;
    d->jobs--;
    release(d);
}

static void finish(struct chum_download *d, enum status status, const struct error *why)
{
    set_paused(d, false);
    d->dropped = true;
    if (!d->fetch->ended)
        d->done(d->ctx, status, why);
    d->jobs++;
    store_submit_read(d->fetch->queue, abandon_work, abandon_done, d); // also closes a writer that failed
}

void chum_download_drop(struct chum_download *d)
{
    if (d == NULL || d->dropped)
        return;
    if (d->call >= 0 && !d->fetch->ended)
        rpc_cancel(d->fetch->rpc, d->call);
    set_paused(d, false);
    d->dropped = true;
    d->jobs++;
    store_submit_read(d->fetch->queue, abandon_work, abandon_done, d);
}

// ---- Pieces --------------------------------------------------------------------------------------------------------

static enum status piece_work(struct store *s, void *arg, struct error *e)
{
    struct piece *p = arg;
    struct chum_download *d = p->download;
    enum status st = d->failed;
    if (st == STATUS_OK && d->writer == NULL)
        st = store_writer_create(s, d->is_clob, &d->writer, &d->why);
    if (st == STATUS_OK)
        st = store_writer_add(d->writer, (struct span){p->bytes, p->len}, &d->why);
    d->failed = st;
    (void)e;
    return STATUS_OK;
}

static void piece_done(void *arg, enum status status, const struct error *e)
{
    struct piece *p = arg;
    struct chum_download *d = p->download;
    (void)status;
    (void)e;
    d->jobs--;
    d->pending -= p->len;
    free(p);
    if (d->pending < PENDING_LOW)
        set_paused(d, false);
    release(d);
}

static void add_piece(struct chum_download *d, struct span bytes)
{
    if (bytes.len == 0)
        return;
    struct piece *p = mem_alloc(sizeof *p + bytes.len);
    p->download = d;
    p->len = bytes.len;
    memcpy(p->bytes, bytes.ptr, bytes.len);
    d->jobs++;
    d->pending += bytes.len;
    d->received += bytes.len;
    if (d->pending > PENDING_HIGH)
        set_paused(d, true);
    store_submit(d->fetch->queue, piece_work, piece_done, p);
}

static enum status end_work(struct store *s, void *arg, struct error *e)
{
    struct chum_download *d = arg;
    struct hash hash;
    if (d->failed != STATUS_OK) {
        *e = d->why;
        return d->failed;
    }
    enum status st = STATUS_OK;
    if (d->writer == NULL)
        st = store_writer_create(s, d->is_clob, &d->writer, e);
    if (st == STATUS_OK)
        st = store_writer_finish(d->writer, &d->hash, &hash, NULL, e);
    store_writer_destroy(d->writer);
    d->writer = NULL;
    return st;
}

static void ask(struct chum_download *d);

static void end_done(void *arg, enum status status, const struct error *e)
{
    struct chum_download *d = arg;
    d->jobs--;
    if (d->dropped) {
        release(d);
        return;
    }
    if (status != STATUS_OK && d->received == 0 && !d->is_clob && !d->as_text) {
        d->as_text = true;
        ask(d);
        return;
    }
    if (status == STATUS_OK) {
        d->fetch->counts->objects_received++;
        d->fetch->counts->bytes_received += d->received;
    }
    finish(d, status, e);
}

static void replied(void *ctx, const struct rpc_reply *reply)
{
    struct chum_download *d = ctx;
    struct error e;
    switch (reply->kind) {
    case RPC_CHUNK:
        add_piece(d, reply->chunk);
        if (d->received > CHUM_FILE_MAX) {
            rpc_cancel(d->fetch->rpc, d->call);
            d->call = -1;
            error_set(&e, STATUS_TOO_BIG, "FILE-TOO-BIG", "the peer's file is bigger than %llu bytes", CHUM_FILE_MAX);
            finish(d, e.status, &e);
        }
        return;
    case RPC_END:
    case RPC_DATA:
        d->call = -1;
        d->jobs++;
        store_submit(d->fetch->queue, end_work, end_done, d);
        return;
    case RPC_ERROR:
    case RPC_LOST:
        d->call = -1;
        finish(d, reply->error->status, reply->error);
        return;
    }
}

static void ask(struct chum_download *d)
{
    char args[HASH_HEX + 32];
    d->received = 0;
    snprintf(args, sizeof args, "[\"%s\",\"%s\"]", hash_text(&d->hash).s,
             d->is_clob || d->as_text ? "utf8" : "$__undefined$");
    d->call = rpc_call(d->fetch->rpc, CHUM_GET_BLOB, span_of(args), conn_now(d->fetch->conn), CHUM_CALL_MS, replied, d);
    conn_reschedule(d->fetch->conn);
}

struct chum_download *chum_download_begin(struct chum_fetch *f, const struct hash *hash, bool is_clob,
                                          chum_download_done done, void *ctx)
{
    struct chum_download *d = mem_alloc(sizeof *d);
    *d =
        (struct chum_download){.fetch = chum_fetch_use(f), .hash = *hash, .is_clob = is_clob, .done = done, .ctx = ctx};
    ask(d);
    return d;
}
