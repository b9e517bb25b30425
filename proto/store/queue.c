// Two threads. The store thread runs the jobs; the settler writes the files of one batch beside it, and never touches
// the database. Reads have turns between the jobs of a batch, and see what is committed. Who submits a job waits for no
// disk: the lock guards lists.
//
// The changes of a commit are posted before the answers to its jobs: who hears that his job is done has heard what it
// changed.
#include "store/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/settle.h"
#include "store/settle_pace.h"
#include "store/state.h"

enum {
    BATCH_OBJECTS = 1000,
    BATCH_BYTES = 4 << 20,
    BATCH_MS = 50,
    READS_PER_TURN = 16,  // then it is the turn of those that write
    READ_TURN_MS = 5,     // likewise, after the read that passes it
    IDLE_WAKE_MS = 60000, // operations expire also when nobody asks for anything
};

struct job {
    struct job *next;
    store_run_fn run;
    store_done_fn done;
    void *arg;
    enum status status;
    struct error error;
};

struct job_list {
    struct job *first;
    struct job **end;
};

// Files are settled beside the store thread: it hands a batch over and goes on.
struct settler {
    pthread_t thread;
    pthread_cond_t work;
    struct settle_batch *batch; // in flight; NULL: the settler waits
    bool written;               // the settler has done its part
    enum status status;
    struct error error;
};

struct store_queue {
    struct store *store;
    struct mailbox *answers;
    pthread_t thread;
    uint64_t maintain_at;    // store thread only: when maintenance is due, if nothing else is to do
    struct settle_pace pace; // likewise, of the settler
    pthread_mutex_t lock;    // guards all below
    pthread_cond_t work;
    struct settler settler;
    struct job_list jobs;
    struct job_list reads;
    size_t count;
    bool full;
    bool stopping;
    store_changes_fn on_changes;
    void *on_changes_ctx;
};

// ---- Answers --------------------------------------------------------------------------------------------------------

static void deliver(void *arg)
{
    struct job *j = arg;
    if (j->done != NULL)
        j->done(j->arg, j->status, &j->error);
    free(j);
}

struct delivery {
    store_changes_fn fn;
    void *ctx;
    struct store_change *changes;
    size_t count;
};

static void deliver_changes(void *arg)
{
    struct delivery *d = arg;
    d->fn(d->changes, d->count, d->ctx);
    changes_free(d->changes, d->count);
    free(d);
}

static void post_changes(struct store_queue *q)
{
    struct delivery *d = mem_alloc(sizeof *d);
    d->changes = changes_take(q->store, &d->count);
    pthread_mutex_lock(&q->lock);
    d->fn = q->on_changes;
    d->ctx = q->on_changes_ctx;
    pthread_mutex_unlock(&q->lock);
    if (d->fn != NULL && d->count != 0) {
        mailbox_post(q->answers, deliver_changes, d);
        return;
    }
    changes_free(d->changes, d->count);
    free(d);
}

// ---- Lists ----------------------------------------------------------------------------------------------------------

static void list_init(struct job_list *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void list_add(struct job_list *l, struct job *j)
{
    j->next = NULL;
    *l->end = j;
    l->end = &j->next;
}

static struct job *list_take(struct job_list *l)
{
    struct job *j = l->first;
    if (j == NULL)
        return NULL;
    l->first = j->next;
    if (l->first == NULL)
        l->end = &l->first;
    return j;
}

static struct job *take(struct store_queue *q, struct job_list *l)
{
    pthread_mutex_lock(&q->lock);
    struct job *j = list_take(l);
    if (j != NULL)
        q->full = --q->count > STORE_QUEUE_FULL / 2 && q->full;
    pthread_mutex_unlock(&q->lock);
    return j;
}

// ---- The thread -----------------------------------------------------------------------------------------------------

static bool has_reads(struct store_queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool any = q->reads.first != NULL;
    pthread_mutex_unlock(&q->lock);
    return any;
}

// A turn of those that read. They see what is committed, between the jobs of a batch too, so they can be answered at
// once.
static void run_reads(struct store_queue *q)
{
    if (!has_reads(q) || !store_begin_reading(q->store))
        return;
    uint64_t began = clock_monotonic_ms();
    for (size_t n = 0; n < READS_PER_TURN && clock_monotonic_ms() - began < READ_TURN_MS; n++) {
        struct job *j = take(q, &q->reads);
        if (j == NULL)
            break;
        j->status = j->run(q->store, j->arg, &j->error);
        mailbox_post(q->answers, deliver, j);
    }
    store_end_reading(q->store);
    if (q->store->damaged.count != 0)
        q->maintain_at = 0; // to be noted
}

// A job and the reactions to it succeed or leave nothing behind.
static void run_job(struct store *s, struct job *j)
{
    j->status = store_savepoint(s, &j->error);
    if (j->status != STATUS_OK)
        return;
    j->status = j->run(s, j->arg, &j->error);
    if (j->status == STATUS_OK)
        j->status = store_announce(s, &j->error);
    if (j->status == STATUS_OK)
        j->status = store_release(s, &j->error);
    else
        store_undo(s);
}

static bool batch_is_closed(const struct store *s, uint64_t began)
{
    return store_gave_up(s) || s->transaction_load.objects >= BATCH_OBJECTS ||
           s->transaction_load.bytes >= BATCH_BYTES || clock_monotonic_ms() - began >= BATCH_MS;
}

static void finish_batch(struct store_queue *q, struct job_list *batch)
{
    struct error e = {0};
    enum status status = store_commit(q->store, &e);
    if (status == STATUS_OK)
        post_changes(q);
    else
        LOG(LOG_ERROR, "store.commitFailed", LOG_TEXT("code", e.code), LOG_TEXT("why", e.message));
    struct job *j;
    while ((j = list_take(batch)) != NULL) {
        if (status != STATUS_OK && j->status == STATUS_OK) {
            j->status = status;
            j->error = e;
        }
        mailbox_post(q->answers, deliver, j);
    }
}

static void fail(struct store_queue *q, struct job *j, enum status status, const struct error *e)
{
    j->status = status;
    j->error = *e;
    mailbox_post(q->answers, deliver, j);
}

static void run_batch(struct store_queue *q, struct job *first)
{
    struct job_list batch;
    struct error e = {0};
    list_init(&batch);
    uint64_t began = clock_monotonic_ms();
    enum status status = store_begin(q->store, &e);
    if (status != STATUS_OK) {
        fail(q, first, status, &e);
        return;
    }
    for (struct job *j = first; j != NULL;) {
        run_job(q->store, j);
        list_add(&batch, j);
        run_reads(q); // they do not wait for the disk, and who comes meanwhile shares the commit
        j = batch_is_closed(q->store, began) ? NULL : take(q, &q->jobs);
    }
    finish_batch(q, &batch);
}

// ---- Settling -------------------------------------------------------------------------------------------------------

static void *settle(void *arg)
{
    struct store_queue *q = arg;
    struct settler *l = &q->settler;
    pthread_mutex_lock(&q->lock);
    while (!q->stopping || l->batch != NULL) {
        if (l->batch == NULL || l->written) {
            pthread_cond_wait(&l->work, &q->lock);
            continue;
        }
        pthread_mutex_unlock(&q->lock);
        struct error e = {0};
        enum status status = settle_write(l->batch, &e);
        pthread_mutex_lock(&q->lock);
        l->status = status;
        l->error = e;
        l->written = true;
        pthread_cond_signal(&q->work);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

static void maintenance_failed(const struct error *e)
{
    LOG(LOG_WARN, "store.maintenanceFailed", LOG_TEXT("code", e->code), LOG_TEXT("why", e->message));
}

// Takes back the batch the settler has written, if there is one. false: it failed, which is no time to try again at
// once; the next job or the next idle moment will.
static bool finish_settling(struct store_queue *q)
{
    struct settler *l = &q->settler;
    pthread_mutex_lock(&q->lock);
    bool written = l->written;
    pthread_mutex_unlock(&q->lock);
    if (!written)
        return true;
    bool settled = settle_finish(q->store, l->batch, l->status, &l->error) == STATUS_OK;
    uint64_t now = clock_monotonic_ms();
    settle_pace_ends(&q->pace, now);
    if (settled) {
        q->maintain_at = settle_pace_due(&q->pace, now);
    } else {
        maintenance_failed(&l->error);
        settle_pace_all_done(&q->pace);
    }
    pthread_mutex_lock(&q->lock);
    l->batch = NULL;
    l->written = false;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&q->lock);
    return settled;
}

static void put_off_settling(struct store_queue *q)
{
    uint64_t now = clock_monotonic_ms();
    settle_pace_wrote(&q->pace, now, q->store->body_load.objects, q->store->body_load.bytes);
    q->maintain_at = settle_pace_due(&q->pace, now);
}

static void keep_up(struct store_queue *q, bool *more)
{
    struct error e = {0};
    if (settle_upkeep(q->store, clock_wall_ms(), more, &e) != STATUS_OK)
        maintenance_failed(&e);
    if (!*more)
        settle_pace_kept(&q->pace, clock_monotonic_ms());
}

// With nothing else to do, or where it presses: the next batch for the settler, or what the database needs now and
// then.
static void maintain(struct store_queue *q)
{
    struct settler *l = &q->settler;
    struct settle_batch *b = NULL;
    struct error e = {0};
    bool more = false;
    bool due = settle_pace_upkeep_is_due(&q->pace, clock_monotonic_ms());
    pthread_mutex_lock(&q->lock);
    bool busy = l->batch != NULL || q->stopping;
    pthread_mutex_unlock(&q->lock);
    if (busy)
        return;
    if (due)
        keep_up(q, &more);
    if (settle_collect(q->store, &b, &e) != STATUS_OK)
        maintenance_failed(&e);
    else if (b == NULL && !due)
        keep_up(q, &more);
    q->maintain_at = more ? 0 : clock_monotonic_ms() + IDLE_WAKE_MS;
    if (b == NULL) {
        settle_pace_all_done(&q->pace);
        return;
    }
    pthread_mutex_lock(&q->lock);
    bool late = q->stopping; // the settler may have gone; the bodies stay where they are
    if (!late) {
        settle_pace_begins(&q->pace, clock_monotonic_ms());
        l->batch = b;
        pthread_cond_signal(&l->work);
    }
    pthread_mutex_unlock(&q->lock);
    if (late)
        settle_finish(q->store, b, STATUS_CLOSED, NULL);
}

// ---- The thread -----------------------------------------------------------------------------------------------------

static bool has_work(const struct store_queue *q)
{
    return q->jobs.first != NULL || q->reads.first != NULL || q->settler.written;
}

// Waits for work, or returns at once when there is maintenance to do. false: everything is done and the end has come.
static bool wait_for_work(struct store_queue *q)
{
    struct timespec until = {.tv_sec = (time_t)(q->maintain_at / 1000),
                             .tv_nsec = (long)(q->maintain_at % 1000) * 1000000};
    int late = 0;
    pthread_mutex_lock(&q->lock);
    if (q->settler.batch != NULL) // the settler says when it has written it
        until.tv_sec = INT32_MAX;
    while (!has_work(q) && late == 0 && (!q->stopping || q->settler.batch != NULL))
        late = pthread_cond_timedwait(&q->work, &q->lock, &until);
    bool end = q->stopping && !has_work(q) && q->settler.batch == NULL;
    pthread_mutex_unlock(&q->lock);
    return !end;
}

static void *work(void *arg)
{
    struct store_queue *q = arg;
    while (wait_for_work(q)) {
        bool may_maintain = finish_settling(q);
        run_reads(q);
        if (may_maintain && settle_pace_presses(&q->pace, clock_monotonic_ms()))
            maintain(q);
        struct job *j = take(q, &q->jobs);
        if (j == NULL) {
            if (may_maintain && clock_monotonic_ms() >= q->maintain_at)
                maintain(q);
            continue;
        }
        int changes = sqlite3_total_changes(q->store->main.db);
        run_batch(q, j);
        if (sqlite3_total_changes(q->store->main.db) != changes)
            put_off_settling(q);
    }
    return NULL;
}

// ---- The other side -------------------------------------------------------------------------------------------------

struct store_queue *store_queue_create(struct store *s, struct mailbox *answers)
{
    struct store_queue *q = mem_alloc(sizeof *q);
    q->store = s;
    q->answers = answers;
    list_init(&q->jobs);
    list_init(&q->reads);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&q->settler.work, NULL);
    if (pthread_create(&q->settler.thread, NULL, settle, q) != 0 || pthread_create(&q->thread, NULL, work, q) != 0)
        abort();
    return q;
}

static void submit(struct store_queue *q, struct job_list *l, store_run_fn run, store_done_fn done, void *arg)
{
    struct job *j = mem_alloc(sizeof *j);
    j->run = run;
    j->done = done;
    j->arg = arg;
    pthread_mutex_lock(&q->lock);
    list_add(l, j);
    q->full = ++q->count >= STORE_QUEUE_FULL || q->full;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
}

void store_submit(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg)
{
    submit(q, &q->jobs, run, done, arg);
}

void store_submit_read(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg)
{
    submit(q, &q->reads, run, done, arg);
}

void store_queue_keep_files(struct store_queue *q, bool keep)
{
    atomic_store(&q->store->files_kept, keep);
}

bool store_queue_is_full(struct store_queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool full = q->full;
    pthread_mutex_unlock(&q->lock);
    return full;
}

void store_queue_on_changes(struct store_queue *q, store_changes_fn fn, void *ctx)
{
    pthread_mutex_lock(&q->lock);
    q->on_changes = fn;
    q->on_changes_ctx = ctx;
    pthread_mutex_unlock(&q->lock);
}

void store_queue_destroy(struct store_queue *q)
{
    if (q == NULL)
        return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->work);
    pthread_cond_signal(&q->settler.work);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    pthread_join(q->settler.thread, NULL);
    store_close(q->store);
    pthread_cond_destroy(&q->work);
    pthread_cond_destroy(&q->settler.work);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
