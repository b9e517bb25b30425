// A batch is looked through twice: first what its roots are, of which the plan says what is wanted here and what not,
// as for a list of roots; then the objects, in the order they came. An object that another one needs and that was left
// out for being old news to us makes its root fail, and the pass through the list fetches it.
#include "chum/inflow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/life.h"
#include "base/log.h"
#include "chum/charge.h"
#include "chum/intake.h"
#include "chum/pack.h"

enum { IDLE_PART = 8, KEEP_MS = 1000, AHEAD_MAX = 8, BYTES_PER_VALUE = 4096 };

struct chum_inflow {
    struct chum_fetch *fetch;
    struct chum_inflow_events events;
    struct chum_cursor cursor;
    struct chum_cursor kept; // in the store
    uint64_t kept_at;
    unsigned refused; // times, one after another
    uint64_t due_at;  // after the last time
    bool known;       // the cursor was looked up
    bool settled;     // nothing that came before it is missing here
    bool listed;      // and settled: nor of the list, in this session
    bool left;        // in the run that goes on
    bool misses;      // likewise
    bool owes;        // to say with the next question that something was not stored
    bool rests;       // the run goes on later, with what it left
    bool own;         // the peer is an own node
    uint64_t asked_at;
    uint64_t rest_ms; // at least so long, as long as the last batch took
    int64_t call;
    bool taking;      // a batch
    unsigned ahead;   // questions asked one after another while what came before was being taken; 0: the last was not
    bool unspoken;    // since then the peer was told of nothing that it is stored
    bool next_here;   // it is answered already
    struct buf next;  // with this
    struct life life; // of the importer, and of a job
};

struct intake_job {
    struct chum_inflow *inflow;
    struct chum_intake intake;
};

static void destroy(void *self)
{
    struct chum_inflow *in = self;
    chum_fetch_release(in->fetch);
    buf_free(&in->next);
    free(in);
}

static void over(struct chum_inflow *in, enum chum_inflow_end end, const struct error *why)
{
    in->events.over(in->events.ctx, end, why);
}

static void ask(struct chum_inflow *in);

// What refused it may be busy, or full, or have given all that it gives in an hour: it passes.
static void refused(struct chum_inflow *in, const struct error *why)
{
    LOG(LOG_DEBUG, "feed.refused", LOG_TEXT("code", why->code), LOG_TEXT("why", why->message));
    in->due_at = conn_now(in->fetch->conn) + chum_retry_pause(++in->refused);
    over(in, CHUM_INFLOW_REFUSED, NULL);
}

// ---- The cursor in the store ----------------------------------------------------------------------------------------

struct looking {
    struct chum_inflow *inflow;
    struct chum_pair pair;
    struct chum_cursor cursor;
};

static struct chum_pair pair_of(const struct chum_inflow *in)
{
    return (struct chum_pair){in->fetch->sender, in->fetch->self};
}

static enum status keep_work(struct store *s, void *arg, struct error *e)
{
    struct looking *l = arg;
    return chum_cursor_keep(s, &l->pair, &l->cursor, e);
}

// A cursor that is not kept costs no more than time.
static void keep_done(void *arg, enum status status, const struct error *e)
{
    struct looking *l = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "feed.unkept", LOG_TEXT("code", e->code));
    (void)life_let_go(&l->inflow->life);
    free(l);
}

static bool is_kept(const struct chum_inflow *in)
{
    return !in->known || !in->settled || (in->cursor.epoch == in->kept.epoch && in->cursor.place == in->kept.place);
}

static void keep(struct chum_inflow *in)
{
    struct looking *l = mem_alloc(sizeof *l);
    *l = (struct looking){.inflow = in, .pair = pair_of(in), .cursor = in->cursor};
    in->kept = in->cursor;
    in->kept_at = conn_now(in->fetch->conn);
    life_hold(&in->life);
    store_submit(in->fetch->queue, keep_work, keep_done, l);
}

// ---- Batches --------------------------------------------------------------------------------------------------------

// Not while the peer's account is used up, and not at once if it only keeps us at work.
static void ask_again(struct chum_inflow *in, bool is_idle)
{
    in->rest_ms = is_idle ? conn_now(in->fetch->conn) - in->asked_at : 0;
    in->rests = is_idle || chum_charge_rest(in->fetch) != 0;
    if (in->rests)
        over(in, CHUM_INFLOW_RESTS, NULL);
    else
        ask(in);
}

static enum status take_work(struct store *s, void *arg, struct error *e)
{
    struct intake_job *job = arg;
    return chum_intake_take(s, &job->intake, e);
}

static void count(struct chum_inflow *in, const struct chum_intake *taken)
{
    in->fetch->counts->objects_received += taken->objects;
    in->fetch->counts->bytes_received += taken->bytes;
    in->misses = in->misses || taken->lost || taken->skipped != 0;
}

// Little of a contact's batch was new, or something in it failed. Such batches cost its account little or nothing, so
// they are not taken one after the other.
static bool is_idle(const struct chum_inflow *in, const struct chum_intake *taken)
{
    return !in->own && (taken->items == 0 || taken->failed || taken->bytes < taken->batch.len / IDLE_PART);
}

// Nothing of the batch is here: the next question says so, and the list has to bring it. What comes behind it is no
// use.
static void take_failed(struct chum_inflow *in, enum status status, const struct error *e)
{
    chum_fetch_cancel(in->fetch, &in->call);
    buf_free(&in->next);
    in->next_here = false;
    in->left = in->rests = true;
    in->settled = in->listed = false;
    // Of more than the peer may make the store grow by, the list says what it is.
    if (status == STATUS_REFUSED)
        refused(in, e);
    else
        over(in, CHUM_INFLOW_FAILED, e);
}

// The batch brought the cursor behind it into the store. An empty one may say, too, that there is nothing up to there:
// of what we gave ourselves, for example. That is kept now and then, so that a new session does not begin before it.
static void go_to(struct chum_inflow *in, const struct chum_intake *taken)
{
    in->refused = 0;
    in->left = in->left || taken->left;
    in->settled = in->settled && !taken->left && taken->head.more != CHUM_BATCH_RESET;
    in->listed = in->listed && in->settled;
    in->cursor = taken->head.next;
    if (in->settled && taken->items != 0)
        in->kept = in->cursor;
    if (!is_kept(in) && conn_now(in->fetch->conn) >= in->kept_at + KEEP_MS)
        keep(in);
}

static void take(struct chum_inflow *in, struct buf *batch);

// What was asked for ahead is taken now, or when it comes.
static void go_on(struct chum_inflow *in, bool is_idle)
{
    struct buf next = in->next;
    if (in->ahead == 0) {
        ask_again(in, is_idle);
    } else if (in->next_here) {
        in->next = (struct buf){0};
        in->next_here = false;
        take(in, &next);
    }
}

// An empty batch says that everything is here; the others are asked behind, which tells the peer that they are stored.
static void take_done(void *arg, enum status status, const struct error *e)
{
    struct intake_job *job = arg;
    struct chum_inflow *in = job->inflow;
    const struct chum_intake taken = job->intake;
    struct buf batch = taken.batch;
    bool is_empty = taken.items == 0;
    bool idle = is_idle(in, &taken);
    hash_map_destroy(taken.waiting);
    buf_free(&batch);
    free(job);
    if (!life_let_go(&in->life))
        return;
    in->taking = false;
    if (status != STATUS_OK) {
        take_failed(in, status, e);
        return;
    }
    count(in, &taken);
    go_to(in, &taken);
    if (taken.head.more == CHUM_BATCH_RESET)
        over(in, CHUM_INFLOW_FIRST, NULL);
    else if (taken.head.more == CHUM_BATCH_MORE || !is_empty || in->unspoken)
        go_on(in, idle);
    else
        over(in, in->left ? CHUM_INFLOW_LEFT : CHUM_INFLOW_TAKEN, NULL);
}

static void ask_for(struct chum_inflow *in, const struct chum_cursor *cursor, const char *word);

// The peer is another node of ours, which reads what comes next while this is stored. Now and then it is asked behind
// what is stored, which tells it so.
static void ask_ahead(struct chum_inflow *in, struct span batch)
{
    struct chum_batch_head head;
    bool more = chum_batch_read_head(&batch, &head, NULL) == STATUS_OK && head.more == CHUM_BATCH_MORE;
    bool may = in->own && more && !in->left && !in->owes && in->ahead < AHEAD_MAX;
    in->ahead = may ? in->ahead + 1 : 0;
    in->unspoken = in->unspoken || may;
    if (may)
        ask_for(in, &head.next, ",\"ahead\"");
}

// What is unpacked counts as if it had come so.
static void charge_packed(struct chum_inflow *in, struct span batch)
{
    budget_charge(conn_budget(in->fetch->conn), BUDGET_VALUES, chum_packed_items(batch) / BYTES_PER_VALUE);
}

// Takes what is in the batch over.
static void take(struct chum_inflow *in, struct buf *batch)
{
    struct intake_job *job = mem_alloc(sizeof *job);
    *job = (struct intake_job){.inflow = in};
    job->intake.fetch = in->fetch;
    job->intake.own = in->own;
    job->intake.settled = in->settled;
    job->intake.counts = in->fetch->settles;
    job->intake.waiting = in->events.waiting(in->events.ctx);
    job->intake.batch = *batch;
    in->taking = true;
    charge_packed(in, buf_span(batch));
    ask_ahead(in, buf_span(batch));
    life_hold(&in->life);
    store_submit(in->fetch->queue, take_work, take_done, job);
}

// What was asked is no question to the peer, or its answer none to us.
static bool is_final(const struct error *e)
{
    return e->status != STATUS_REFUSED || strcmp(e->code, "UNKNOWN-SERVICE") == 0 || strcmp(e->code, "BAD-INPUT") == 0;
}

static void came(struct chum_inflow *in, const struct rpc_reply *reply, struct span text)
{
    struct buf batch = {0};
    chum_fetch_keep_text(reply, text, &batch);
    in->next_here = in->taking;
    if (in->taking)
        in->next = batch;
    else
        take(in, &batch);
}

static void batch_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_inflow *in = ctx;
    struct span text;
    struct error e;
    in->call = -1;
    enum status st = chum_fetch_text(reply, "FEED-BROKEN", &text, &e);
    if (st == STATUS_OK)
        came(in, reply, text);
    else if (in->taking)
        in->ahead = 0; // it is asked once more
    else if (reply->kind == RPC_ERROR && is_final(&e))
        over(in, CHUM_INFLOW_UNKNOWN, NULL);
    else if (reply->kind == RPC_ERROR)
        refused(in, &e);
    else
        over(in, CHUM_INFLOW_FAILED, &e);
}

static void ask_for(struct chum_inflow *in, const struct chum_cursor *cursor, const char *word)
{
    char args[80];
    snprintf(args, sizeof args, "[\"%" PRId64 "\",%" PRId64 "%s]", cursor->epoch, cursor->place, word);
    in->asked_at = conn_now(in->fetch->conn);
    in->call = chum_fetch_call(in->fetch, CHUM_FEED, span_of(args), batch_here, in);
}

static void ask(struct chum_inflow *in)
{
    const char *word = in->listed ? ",\"all\"" : "";
    if (in->left || in->owes)
        word = ",\"left\"";
    in->owes = false;
    in->ahead = 0;
    in->unspoken = false;
    ask_for(in, &in->cursor, word);
}

// ---- A run ----------------------------------------------------------------------------------------------------------

static enum status look_work(struct store *s, void *arg, struct error *e)
{
    struct looking *l = arg;
    return chum_cursor_read(s, &l->pair, &l->cursor, e);
}

static void look_done(void *arg, enum status status, const struct error *e)
{
    struct looking *l = arg;
    struct chum_inflow *in = l->inflow;
    in->cursor = in->kept = l->cursor;
    free(l);
    if (!life_let_go(&in->life))
        return;
    in->known = status == STATUS_OK;
    in->settled = in->cursor.place >= 0;
    if (status == STATUS_OK)
        ask(in);
    else
        over(in, CHUM_INFLOW_FAILED, e);
}

bool chum_inflow_is_refused(const struct chum_inflow *in)
{
    return in->refused != 0;
}

bool chum_inflow_is_due(const struct chum_inflow *in)
{
    return in->refused == 0 || conn_now(in->fetch->conn) >= in->due_at;
}

void chum_inflow_settled(struct chum_inflow *in, bool settled)
{
    in->settled = in->listed = settled;
    if (!is_kept(in))
        keep(in);
}

void chum_inflow_run(struct chum_inflow *in, bool unstored)
{
    in->owes = in->owes || unstored;
    in->left = in->left && in->rests;
    in->misses = in->misses && in->rests;
    in->rests = false;
    if (in->known) {
        ask(in);
        return;
    }
    struct looking *l = mem_alloc(sizeof *l);
    *l = (struct looking){.inflow = in, .pair = pair_of(in)};
    life_hold(&in->life);
    store_submit_read(in->fetch->queue, look_work, look_done, l);
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct chum_inflow *chum_inflow_create(struct chum_fetch *f, bool own, const struct chum_inflow_events *events)
{
    struct chum_inflow *in = mem_alloc(sizeof *in);
    *in = (struct chum_inflow){.fetch = chum_fetch_use(f), .own = own, .events = *events, .call = -1};
    life_begin(&in->life, destroy, in);
    return in;
}

uint64_t chum_inflow_rest_ms(const struct chum_inflow *in)
{
    return in->rest_ms;
}

bool chum_inflow_misses(const struct chum_inflow *in)
{
    return in->misses;
}

void chum_inflow_end(struct chum_inflow *in)
{
    chum_fetch_cancel(in->fetch, &in->call);
    if (!is_kept(in))
        keep(in);
    life_over(&in->life);
}
