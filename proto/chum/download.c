// The writer is the store thread's. All that happens to it are jobs, which run in the order they were submitted:
// pieces, as many at a time as came while the last were written, the end, and the giving up, which comes behind
// everything else and so finds a writer that was left open. A piece that fails is only noted (failed): the end tells of
// it. Whoever is told may free the download, and what the reason lies in.
#include "chum/download.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/life.h"
#include "chum/charge.h"
#include "chum/held.h"

enum {
    PENDING_HIGH = 1 << 20,
    PENDING_LOW = 256 << 10,
    GATHERED_MAX = 256 << 10,
    PIECE_COST = 512,          // that a job holds beside its bytes, until the store has it
    TRICKLE_AFTER_MS = 600000, // from then on a stream has to bring this much on the average
    TRICKLE_PER_SECOND = 1024,
};

struct chum_download {
    struct chum_download *next; // while it waits for its turn
    struct chum_fetch *fetch;
    struct hash hash;
    bool is_clob;
    bool as_text;
    bool begun; // it had its turn
    uint64_t begun_at;
    chum_download_done done;
    chum_download_left left; // NULL: it is fetched whatever its size
    void *ctx;
    int64_t call;        // -1 = none
    uint64_t received;   // bytes of this attempt
    size_t pending;      // bytes on their way to the store, with what their jobs cost
    struct buf gathered; // of them those that no job has yet
    size_t jobs;         // under way, of pieces
    struct life life;    // of whoever wants it, and of the store's jobs
    bool paused;
    struct store_writer *writer; // the store thread's
    enum status failed;          // the first failure on the store thread, and what it was
    struct error why;
};

struct piece {
    struct chum_download *download;
    struct buf bytes;
};

static void destroy(void *self)
{
    struct chum_download *d = self;
    chum_fetch_release(d->fetch);
    buf_free(&d->gathered);
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

// ---- Turns ---------------------------------------------------------------------------------------------------------

static void ask(struct chum_download *d);
static void ask_size(struct chum_download *d);

static void begin_next(struct chum_fetch *f)
{
    while (f->waiting != NULL && f->downloads < CHUM_DOWNLOADS) {
        struct chum_download *d = f->waiting;
        f->waiting = d->next;
        f->downloads++;
        d->begun = true;
        d->begun_at = conn_now(f->conn);
        if (d->left != NULL && f->takes != NULL)
            ask_size(d);
        else
            ask(d);
    }
}

static void wait_for_turn(struct chum_download *d)
{
    struct chum_download **link = &d->fetch->waiting;
    while (*link != NULL)
        link = &(*link)->next;
    *link = d;
}

static void give_up_turn(struct chum_download *d)
{
    struct chum_download **link = &d->fetch->waiting;
    if (d->begun) {
        d->fetch->downloads--;
        return;
    }
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
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
    life_let_go(&d->life);
}

static void abandon(struct chum_download *d)
{
    chum_fetch_cancel(d->fetch, &d->call);
    buf_free(&d->gathered);
    set_paused(d, false);
    give_up_turn(d);
    life_hold(&d->life);
    life_over(&d->life);
    store_submit(d->fetch->queue, abandon_work, abandon_done, d); // behind the pieces; also closes a writer that failed
}

static void finish(struct chum_download *d, enum status status, const struct error *why)
{
    struct chum_fetch *f = chum_fetch_use(d->fetch);
    struct error reason = *why; // a copy: the callback may free what *why lies in
    abandon(d);
    if (!f->ended)
        d->done(d->ctx, status, &reason);
    if (!f->ended)
        begin_next(f);
    chum_fetch_release(f);
}

void chum_download_drop(struct chum_download *d)
{
    if (d == NULL || d->life.over)
        return;
    struct chum_fetch *f = d->fetch;
    abandon(d);
    if (!f->ended)
        begin_next(f);
}

// ---- Pieces --------------------------------------------------------------------------------------------------------

static enum status piece_work(struct store *s, void *arg, struct error *e)
{
    struct piece *p = arg;
    struct chum_download *d = p->download;
    enum status st = d->failed;
    if (st == STATUS_OK)
        st = chum_charge_file(s, d->fetch, p->bytes.len, &d->why);
    if (st == STATUS_OK && d->writer == NULL)
        st = store_writer_create(s, d->is_clob, &d->writer, &d->why);
    if (st == STATUS_OK)
        st = store_writer_add(d->writer, buf_span(&p->bytes), &d->why);
    d->failed = st;
    (void)e;
    return STATUS_OK;
}

static void store_gathered(struct chum_download *d);

static void piece_done(void *arg, enum status status, const struct error *e)
{
    struct piece *p = arg;
    struct chum_download *d = p->download;
    (void)status;
    (void)e;
    d->pending -= PIECE_COST + p->bytes.len;
    d->jobs--;
    buf_free(&p->bytes);
    free(p);
    if (d->pending < PENDING_LOW)
        set_paused(d, false);
    if (d->jobs == 0)
        store_gathered(d);
    life_let_go(&d->life);
}

static void store_gathered(struct chum_download *d)
{
    if (d->gathered.len == 0)
        return;
    struct piece *p = mem_alloc(sizeof *p);
    *p = (struct piece){d, d->gathered};
    d->gathered = (struct buf){0};
    d->pending += PIECE_COST;
    d->jobs++;
    life_hold(&d->life);
    store_submit(d->fetch->queue, piece_work, piece_done, p);
}

static void add_piece(struct chum_download *d, struct span bytes)
{
    if (bytes.len == 0)
        return;
    buf_add_span(&d->gathered, bytes);
    d->pending += bytes.len;
    d->received += bytes.len;
    if (d->pending > PENDING_HIGH)
        set_paused(d, true);
    if (d->jobs == 0 || d->gathered.len >= GATHERED_MAX)
        store_gathered(d);
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
    store_set_sender(s, &d->fetch->sender);
    if (st == STATUS_OK)
        st = store_writer_finish(d->writer, &d->hash, &hash, NULL, e);
    store_set_sender(s, NULL);
    store_writer_destroy(d->writer);
    d->writer = NULL;
    return st;
}

static void end_done(void *arg, enum status status, const struct error *e)
{
    struct chum_download *d = arg;
    if (!life_let_go(&d->life))
        return;
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

// An endless stream fills the disk, one that only trickles holds up the others.
static enum status check_progress(const struct chum_download *d, struct error *e)
{
    if (d->fetch->closing)
        return error_set(e, STATUS_CLOSED, "CLOSED", "the session is about to end");
    uint64_t ms = conn_now(d->fetch->conn) - d->begun_at;
    if (d->received > d->fetch->file_max)
        return error_set(e, STATUS_TOO_BIG, "FILE-TOO-BIG", "the peer's file is bigger than %llu bytes",
                         (unsigned long long)d->fetch->file_max);
    if (ms > TRICKLE_AFTER_MS && d->received < ms / 1000 * TRICKLE_PER_SECOND)
        return error_set(e, STATUS_TIMEOUT, "FILE-TOO-SLOW", "the peer's file only trickles");
    return STATUS_OK;
}

static void replied(void *ctx, const struct rpc_reply *reply)
{
    struct chum_download *d = ctx;
    struct error e;
    switch (reply->kind) {
    case RPC_CHUNK:
        add_piece(d, reply->chunk);
        if (check_progress(d, &e) != STATUS_OK)
            finish(d, e.status, &e);
        return;
    case RPC_END:
    case RPC_DATA:
        d->call = -1;
        store_gathered(d);
        life_hold(&d->life);
        store_submit(d->fetch->queue, end_work, end_done, d);
        return;
    case RPC_PIECE: // not asked for
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
    d->call = chum_fetch_call(d->fetch, CHUM_GET_BLOB, span_of(args), replied, d);
}

// A peer that does not say how big a file is has it taken from it.
static void size_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_download *d = ctx;
    struct span text;
    struct error e;
    d->call = -1;
    enum status st = chum_fetch_text(reply, "FEED-BROKEN", &text, &e);
    int64_t size = st == STATUS_OK ? chum_held_next(&text) : -1;
    if (st != STATUS_OK && reply->kind != RPC_ERROR) {
        finish(d, st, &e);
        return;
    }
    if (!chum_fetch_leaves(d->fetch, size)) {
        ask(d);
        return;
    }
    struct chum_fetch *f = chum_fetch_use(d->fetch);
    abandon(d);
    if (!f->ended)
        d->left(d->ctx, (uint64_t)size);
    if (!f->ended)
        begin_next(f);
    chum_fetch_release(f);
}

static void ask_size(struct chum_download *d)
{
    d->call = chum_fetch_call_for(d->fetch, CHUM_HOLDS, &d->hash, size_here, d);
}

static struct chum_download *begin(struct chum_fetch *f, const struct hash *hash, bool is_clob, chum_download_done done,
                                   chum_download_left left, void *ctx)
{
    struct chum_download *d = mem_alloc(sizeof *d);
    *d = (struct chum_download){.fetch = chum_fetch_use(f),
                                .hash = *hash,
                                .is_clob = is_clob,
                                .done = done,
                                .left = left,
                                .ctx = ctx,
                                .call = -1};
    life_begin(&d->life, destroy, d);
    wait_for_turn(d);
    begin_next(f);
    return d;
}

struct chum_download *chum_download_begin(struct chum_fetch *f, const struct hash *hash, bool is_clob,
                                          chum_download_done done, void *ctx)
{
    return begin(f, hash, is_clob, done, NULL, ctx);
}

struct chum_download *chum_download_or_leave(struct chum_fetch *f, const struct hash *hash, bool is_clob,
                                             chum_download_done done, chum_download_left left, void *ctx)
{
    return begin(f, hash, is_clob, done, left, ctx);
}
