#include "chum/importer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chum/tree.h"
#include "crypto/sha256.h"

enum { RETRY_FIRST_MS = 2000, RETRY_LAST_MS = 300000 };

struct failure { // a root that could not be taken over
    unsigned times;
    uint64_t retry_at;
};

enum importer_state { IDLE, ASKING, PLANNING, FETCHING };

struct chum_importer {
    struct chum_fetch *fetch;
    struct chum_importer_events events;
    size_t trees_max;
    enum importer_state state;
    uint64_t asked_at;
    int64_t call;
    struct hash list;     // of the list being taken over
    struct hash complete; // of the last one taken over without failures
    struct chum_plan plan;
    size_t next;  // of the plan
    size_t trees; // under way
    uint64_t failed;
    struct hash_map *failures;
    size_t jobs;
    bool ended;
    struct running *running;
};

struct running { // a tree under way
    struct running *next;
    struct chum_importer *importer;
    struct chum_tree *tree;
    struct hash root; // what its failures are remembered by: the newest hash wanted
};

static void release(struct chum_importer *im)
{
    if (!im->ended || im->jobs != 0)
        return;
    size_t cursor = 0;
    void *value;
    while (hash_map_next(im->failures, &cursor, NULL, &value))
        free(value);
    hash_map_destroy(im->failures);
    chum_plan_free(&im->plan);
    chum_fetch_release(im->fetch);
    free(im);
}

static void end_pass(struct chum_importer *im, enum status status, const struct error *why)
{
    struct chum_counts *counts = im->fetch->counts;
    im->state = IDLE;
    if (status == STATUS_OK) {
        counts->passes++;
        counts->failed_roots = im->failed;
        counts->skipped_roots = im->plan.skipped;
        counts->last_pass_ms = clock_wall_ms();
        im->complete = im->failed == 0 ? im->list : (struct hash){{0}};
    }
    chum_plan_free(&im->plan);
    im->events.passed(im->events.ctx, status, why);
}

// ---- Failures ------------------------------------------------------------------------------------------------------

static void remember_failure(struct chum_importer *im, const struct hash *root)
{
    struct failure *f = hash_map_get(im->failures, root);
    if (f == NULL) {
        f = mem_alloc(sizeof *f);
        hash_map_set(im->failures, root, f);
    }
    uint64_t wait = RETRY_FIRST_MS;
    for (unsigned i = 0; i < f->times && wait < RETRY_LAST_MS; i++)
        wait *= 2;
    f->times++;
    f->retry_at = conn_now(im->fetch->conn) + wait;
}

static void forget_failure(struct chum_importer *im, const struct hash *root)
{
    free(hash_map_get(im->failures, root));
    hash_map_remove(im->failures, root);
}

static bool must_wait(const struct chum_importer *im, const struct hash *root)
{
    const struct failure *f = hash_map_get(im->failures, root);
    return f != NULL && f->retry_at > conn_now(im->fetch->conn);
}

// ---- Fetching ------------------------------------------------------------------------------------------------------

static void fetch_more(struct chum_importer *im);

static void tree_done(void *ctx, enum status status, const struct error *why)
{
    struct running *r = ctx;
    struct chum_importer *im = r->importer;
    struct running **link = &im->running;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    im->trees--;
    if (status == STATUS_OK) {
        forget_failure(im, &r->root);
    } else {
        im->failed++;
        remember_failure(im, &r->root);
        im->events.failed(im->events.ctx, &r->root, why);
    }
    free(r);
    fetch_more(im);
}

static void begin_tree(struct chum_importer *im, const struct chum_want *want)
{
    const struct hash *root = &want->hashes[want->count - 1];
    if (must_wait(im, root)) {
        im->failed++;
        return;
    }
    struct running *r = mem_alloc(sizeof *r);
    *r = (struct running){.next = im->running, .importer = im, .root = *root};
    im->running = r;
    im->trees++;
    r->tree = chum_tree_begin(im->fetch, want, tree_done, r);
}

static void fetch_more(struct chum_importer *im)
{
    while (im->next < im->plan.count && im->trees < im->trees_max)
        begin_tree(im, &im->plan.wants[im->next++]);
    if (im->trees == 0 && im->state == FETCHING)
        end_pass(im, STATUS_OK, NULL);
}

// ---- Planning ------------------------------------------------------------------------------------------------------

struct planning {
    struct chum_importer *importer;
    const struct chum_policy *policy;
    struct hash sender;
    struct buf list;
    struct chum_plan plan;
};

static enum status plan_work(struct store *s, void *arg, struct error *e)
{
    struct planning *p = arg;
    return chum_plan_make(s, p->policy, &p->sender, buf_span(&p->list), &p->plan, e);
}

static void plan_done(void *arg, enum status status, const struct error *e)
{
    struct planning *p = arg;
    struct chum_importer *im = p->importer;
    struct chum_plan plan = p->plan;
    buf_free(&p->list);
    free(p);
    im->jobs--;
    if (im->ended || im->fetch->ended) {
        chum_plan_free(&plan);
        release(im);
        return;
    }
    if (status != STATUS_OK) {
        end_pass(im, status, e);
        return;
    }
    im->plan = plan;
    im->next = 0;
    im->failed = 0;
    im->state = FETCHING;
    fetch_more(im);
}

static void take_list(struct chum_importer *im, struct span list)
{
    im->list = sha256(list);
    if (hash_eq(&im->list, &im->complete)) {
        im->failed = 0;
        end_pass(im, STATUS_OK, NULL);
        return;
    }
    struct planning *p = mem_alloc(sizeof *p);
    *p = (struct planning){.importer = im, .policy = im->fetch->policy, .sender = im->fetch->sender};
    buf_add_span(&p->list, list);
    im->state = PLANNING;
    im->jobs++;
    store_submit_read(im->fetch->queue, plan_work, plan_done, p);
}

// ---- Asking --------------------------------------------------------------------------------------------------------

static void roots_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_importer *im = ctx;
    struct error e;
    im->call = -1;
    uint64_t ms = conn_now(im->fetch->conn) - im->asked_at;
    if (reply->kind == RPC_DATA && json_is_string(reply->data)) {
        im->fetch->counts->latency_ms = ms;
        im->events.answered(im->events.ctx, ms);
        take_list(im, (struct span){json_string_value(reply->data), json_string_length(reply->data)});
    } else if (reply->kind == RPC_ERROR) { // it fails for a moment while the peer stores a grant (WIRE.md 10.8)
        im->events.answered(im->events.ctx, ms);
        end_pass(im, STATUS_NOT_FOUND, reply->error);
    } else if (reply->kind == RPC_LOST) {
        end_pass(im, reply->error->status, reply->error);
    } else {
        end_pass(im, error_set(&e, STATUS_INVALID, "DAH-PAO1", "the answer is not a text"), &e);
    }
}

void chum_importer_pass(struct chum_importer *im)
{
    if (im->state != IDLE || im->ended)
        return;
    im->state = ASKING;
    im->asked_at = conn_now(im->fetch->conn);
    im->call =
        rpc_call(im->fetch->rpc, CHUM_GET_ACCESSIBLE_ROOTS, SPAN("[]"), im->asked_at, CHUM_CALL_MS, roots_here, im);
    conn_reschedule(im->fetch->conn);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct chum_importer *chum_importer_create(struct chum_fetch *f, size_t trees,
                                           const struct chum_importer_events *events)
{
    struct chum_importer *im = mem_alloc(sizeof *im);
    *im = (struct chum_importer){.fetch = chum_fetch_use(f), .events = *events, .trees_max = trees, .call = -1};
    im->failures = hash_map_create();
    return im;
}

bool chum_importer_is_busy(const struct chum_importer *im)
{
    return im->state != IDLE;
}

bool chum_importer_is_fetching(const struct chum_importer *im)
{
    return im->state == FETCHING;
}

void chum_importer_end(struct chum_importer *im)
{
    im->ended = true;
    while (im->running != NULL) {
        struct running *r = im->running;
        im->running = r->next;
        chum_tree_drop(r->tree);
        free(r);
    }
    release(im);
}
