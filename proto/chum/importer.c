// A tree that takes long is not waited for: it goes on as "lingering" beside later passes (chum_importer_move_on),
// which leave alone what it fetches. Only a pass that postponed nothing and has nothing lingering makes its list the
// complete one; every other list is gone through again, though it be unchanged.
#include "chum/importer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/life.h"
#include "chum/charge.h"
#include "chum/failures.h"
#include "chum/inflow.h"
#include "chum/plan.h"
#include "chum/tree.h"
#include "crypto/sha256.h"

enum {
    LINGERING_MAX = 64,
    STUCK_MS = 4000,
    LIST_MS = 300000,         // the list of roots of a peer with a feed is gone through that often,
    MISSES_MS = 15000,        // and after that time if something may be wanted that the feed does not bring
    MISSES_CONTACT_MS = 1000, // of a contact, with the next news
    RECHECK_MS = 10000,       // an unchanged list is gone through again: something of it may have been lost here
    KEPT_MAX = 16 << 20,      // bytes of an own node's list that is kept; a longer one is sent whole every time
};

enum importer_state { IDLE, ASKING, PLANNING, FETCHING, FLOWING };

struct running { // a tree under way
    struct running *next;
    struct chum_importer *importer;
    struct chum_tree *tree;
    const struct chum_want *want; // of the tree
    bool lingers;                 // from an earlier pass
    bool taken;                   // a root was
    bool failed;                  // a root did
    bool news;                    // one that had not before
    struct error why;             // the last one that failed
};

struct chum_importer {
    struct chum_fetch *fetch;
    struct chum_importer_events events;
    struct chum_importer_options options;
    enum importer_state state;
    uint64_t asked_at;
    int64_t call;
    struct buf kept;      // the list an own node answered last; empty: it has to be sent whole
    struct hash list;     // of the list being taken over
    struct hash complete; // of the last one gone through
    uint64_t recheck_at;
    struct chum_plan plan;
    size_t next; // of the plan
    struct running *running;
    size_t trees;         // of this pass
    size_t lingering;     // of earlier ones
    uint64_t progress_at; // when a tree was over last
    bool again;           // a root failed that would have brought others
    struct chum_failures failures;
    struct chum_inflow *inflow; // NULL: the peer has no feed, or one that is of no use
    bool has_feed;              // it had one
    bool listed;                // the last pass asked for the list of roots
    bool listing;               // the list of roots has to be gone through, though there is a feed
    uint64_t list_at;           // or at the latest then
    struct life life;           // of the session, and of the plan that is made
    bool postponing;
    uint64_t rest_ms;
    bool owes; // word that all of the list came
};

static void destroy(void *self)
{
    struct chum_importer *im = self;
    chum_failures_free(&im->failures);
    chum_plan_free(&im->plan);
    buf_free(&im->kept);
    chum_fetch_release(im->fetch);
    free(im);
}

static uint64_t now(const struct chum_importer *im)
{
    return conn_now(im->fetch->conn);
}

// The roots that are not to be asked for yet: those that failed, and those under way.
static struct hash_map *waiting_roots(void *ctx)
{
    const struct chum_importer *im = ctx;
    struct hash_map *waiting = hash_map_create();
    chum_failures_add_waiting(&im->failures, now(im), waiting);
    for (const struct running *r = im->running; r != NULL; r = r->next) {
        for (size_t i = 0; i < r->want->count; i++)
            hash_map_add(waiting, &r->want->hashes[i]);
        if (!hash_is_zero(&r->want->id_hash)) // newer versions have most of it below them too
            hash_map_add(waiting, &r->want->id_hash);
    }
    return waiting;
}

// ---- The end of a pass ---------------------------------------------------------------------------------------------

static void end_pass(struct chum_importer *im, enum status status, const struct error *why)
{
    struct error reason = status != STATUS_OK ? *why : (struct error){0};
    im->state = IDLE;
    chum_plan_free(&im->plan);
    im->listing = im->listing || status != STATUS_OK;
    if (status == STATUS_OK) {
        im->fetch->counts->passes++;
        im->fetch->counts->last_pass_ms = clock_wall_ms();
    }
    im->events.passed(im->events.ctx, status, &reason);
}

static void end_fetching(struct chum_importer *im)
{
    struct chum_counts *counts = im->fetch->counts;
    counts->failed_roots = chum_failures_sum_up(&im->failures);
    counts->stuck = chum_stalls_sum_up(&im->failures.stalls, now(im));
    counts->skipped_roots = im->plan.skipped;
    im->postponing = im->plan.postponed || im->again;
    im->complete = im->postponing || im->lingering != 0 ? (struct hash){{0}} : im->list;
    im->recheck_at = now(im) + RECHECK_MS;
    im->listing = im->postponing || im->lingering != 0;
    im->list_at = now(im) + LIST_MS;
    bool settled = im->inflow != NULL && counts->failed_roots == 0 && hash_map_count(im->failures.by_root) == 0 &&
                   !im->postponing && im->lingering == 0;
    im->owes = im->owes || settled;
    if (im->inflow != NULL)
        chum_inflow_settled(im->inflow, settled);
    end_pass(im, STATUS_OK, NULL);
}

// ---- Fetching ------------------------------------------------------------------------------------------------------

static void fetch_more(struct chum_importer *im);

static void root_done(void *ctx, const struct hash *root, const struct chum_root_result *result)
{
    struct running *r = ctx;
    struct chum_importer *im = r->importer;
    r->taken = r->taken || (result->status == STATUS_OK && !result->unsure);
    if (result->status != STATUS_OK) {
        const struct hash id_hash = chum_want_versions_of(r->want);
        r->failed = true;
        r->news = chum_failures_add(&im->failures, root, &id_hash, &result->why, now(im)) || r->news;
        r->why = result->why;
        im->again = im->again || r->want->count > 1;
    } else if (result->unsure) { // asked for again by itself, if it is not here
        chum_failures_keep(&im->failures, root);
    } else if (result->lacking.files != 0) {
        chum_failures_add_lacking(&im->failures, root, &result->lacking, now(im));
    } else {
        chum_failures_remove(&im->failures, root);
    }
}

static void judge_versions(struct chum_importer *im, const struct running *r)
{
    const struct hash id_hash = chum_want_versions_of(r->want);
    if (hash_is_zero(&id_hash))
        return;
    const struct chum_setback setback = {.news = r->news, .refused = r->why.status == STATUS_REFUSED};
    if (r->taken)
        chum_stalls_taken(&im->failures.stalls, &id_hash);
    else if (r->failed && chum_stalls_failed(&im->failures.stalls, &id_hash, setback, now(im)))
        im->events.stuck(im->events.ctx, &id_hash, &r->why);
}

static void tree_over(void *ctx)
{
    struct running *r = ctx;
    struct chum_importer *im = r->importer;
    struct running **link = &im->running;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    judge_versions(im, r);
    im->fetch->unstored = im->fetch->unstored || r->failed;
    if (r->lingers)
        im->lingering--;
    else
        im->trees--;
    free(r);
    im->progress_at = now(im);
    if (im->state == FETCHING)
        fetch_more(im);
}

static void begin_tree(struct chum_importer *im, const struct chum_want *want)
{
    static const struct chum_tree_events events = {root_done, tree_over};
    struct running *r = mem_alloc(sizeof *r);
    *r = (struct running){.next = im->running, .importer = im};
    im->running = r;
    im->trees++;
    r->tree = chum_tree_begin(im->fetch, want, &events, r);
    r->want = chum_tree_want(r->tree);
}

static void fetch_more(struct chum_importer *im)
{
    bool rests = im->next < im->plan.count && chum_charge_rest(im->fetch) != 0;
    while (!rests && im->next < im->plan.count && im->trees < im->options.trees)
        begin_tree(im, &im->plan.wants[im->next++]);
    im->again = im->again || rests; // the others are for another pass
    if (im->trees == 0)
        end_fetching(im);
}

void chum_importer_move_on(struct chum_importer *im)
{
    if (im->state != FETCHING || im->lingering + im->trees > LINGERING_MAX || now(im) < im->progress_at + STUCK_MS)
        return;
    for (struct running *r = im->running; r != NULL; r = r->next) {
        r->lingers = true;
        for (size_t i = 0; i < r->want->count; i++)
            chum_failures_keep(&im->failures, &r->want->hashes[i]);
    }
    im->lingering += im->trees;
    im->trees = 0;
    im->again = im->again || im->next < im->plan.count;
    end_fetching(im);
}

// ---- Planning ------------------------------------------------------------------------------------------------------

struct planning {
    struct chum_importer *importer;
    const struct chum_policy *policy;
    struct hash sender;
    struct hash_map *waiting;
    struct buf list;
    struct chum_plan plan;
};

static enum status plan_work(struct store *s, void *arg, struct error *e)
{
    struct planning *p = arg;
    return chum_plan_make(s, p->policy, &p->sender, p->waiting, buf_span(&p->list), &p->plan, e);
}

static void take_plan(struct chum_importer *im, const struct chum_plan *plan)
{
    im->plan = *plan;
    im->next = 0;
    im->failures.told = 0;
    im->again = false;
    im->progress_at = now(im);
    im->state = FETCHING;
    for (size_t i = 0; i < plan->waited.count; i++)
        chum_failures_keep(&im->failures, &plan->waited.items[i]);
    fetch_more(im);
}

static void keep_list(struct chum_importer *im, struct buf *list)
{
    if (!im->options.peer_is_own || list->len > KEPT_MAX)
        buf_free(list);
    im->kept = *list;
}

static void plan_done(void *arg, enum status status, const struct error *e)
{
    struct planning *p = arg;
    struct chum_importer *im = p->importer;
    struct chum_plan plan = p->plan;
    keep_list(im, &p->list);
    hash_map_destroy(p->waiting);
    free(p);
    bool wanted = life_let_go(&im->life);
    if (wanted && status == STATUS_OK) {
        take_plan(im, &plan);
        return;
    }
    chum_plan_free(&plan);
    if (wanted)
        end_pass(im, status, e);
}

static void go_through(struct chum_importer *im, struct buf *list)
{
    bool unchanged = hash_eq(&im->list, &im->complete) && now(im) < im->recheck_at;
    if (unchanged && !chum_failures_are_due(&im->failures, now(im))) {
        keep_list(im, list);
        end_pass(im, STATUS_OK, NULL);
        return;
    }
    struct planning *p = mem_alloc(sizeof *p);
    *p = (struct planning){.importer = im, .policy = im->fetch->policy, .sender = im->fetch->sender, .list = *list};
    p->waiting = waiting_roots(im);
    im->failures.pass++;
    im->state = PLANNING;
    life_hold(&im->life);
    store_submit_read(im->fetch->queue, plan_work, plan_done, p);
}

static void take_list(struct chum_importer *im, const struct rpc_reply *reply, struct span answer)
{
    struct buf list = im->kept;
    bool is_kept = list.len != 0 && span_eq_text(answer, CHUM_UNCHANGED);
    im->kept = (struct buf){0};
    if (!is_kept) {
        im->list = sha256(answer);
        buf_free(&list);
        chum_fetch_keep_text(reply, answer, &list);
    }
    go_through(im, &list);
}

// ---- Asking --------------------------------------------------------------------------------------------------------

static void roots_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_importer *im = ctx;
    struct span list;
    struct error e;
    im->call = -1;
    im->fetch->counts->latency_ms = now(im) - im->asked_at;
    enum status st = chum_fetch_text(reply, "DAH-PAO1", &list, &e);
    if (st == STATUS_OK)
        take_list(im, reply, list);
    else if (reply->kind == RPC_ERROR) // it fails for a moment while the peer stores a grant (WIRE.md 10.8)
        end_pass(im, STATUS_NOT_FOUND, &e);
    else
        end_pass(im, st, &e);
}

static void ask_for_roots(struct chum_importer *im)
{
    bool left = im->has_feed && chum_fetch_says_left(im->fetch, im->lingering != 0);
    im->state = ASKING;
    im->listed = true;
    im->asked_at = now(im);
    struct span args = im->kept.len != 0 ? SPAN("[\"" CHUM_UNCHANGED "\"]") : SPAN("[]");
    if (left)
        args = im->kept.len != 0 ? SPAN("[\"" CHUM_UNCHANGED "\",\"left\"]") : SPAN("[\"\",\"left\"]");
    im->call = chum_fetch_call(im->fetch, CHUM_GET_ACCESSIBLE_ROOTS, args, roots_here, im);
}

// ---- The feed ------------------------------------------------------------------------------------------------------

// A list unchanged since the last one would not be gone through.
static void go_through_list(struct chum_importer *im)
{
    im->complete = (struct hash){{0}};
    im->listing = false;
    ask_for_roots(im);
}

static void drop_feed(struct chum_importer *im)
{
    chum_inflow_end(im->inflow);
    im->inflow = NULL;
    go_through_list(im);
}

static void flow_taken(struct chum_importer *im, bool lists)
{
    if (lists || im->listing || chum_failures_are_due(&im->failures, now(im)) || now(im) >= im->list_at) {
        go_through_list(im);
        return;
    }
    uint64_t again_at = now(im) + (im->options.peer_is_own ? MISSES_MS : MISSES_CONTACT_MS);
    if (chum_inflow_misses(im->inflow) && im->list_at > again_at)
        im->list_at = again_at;
    im->postponing = false;
    end_pass(im, STATUS_OK, NULL);
}

static void flow_rests(struct chum_importer *im)
{
    im->postponing = true;
    im->rest_ms = chum_inflow_rest_ms(im->inflow);
    end_pass(im, STATUS_OK, NULL);
}

static void flow_over(void *ctx, enum chum_inflow_end end, const struct error *why)
{
    struct chum_importer *im = ctx;
    im->fetch->counts->latency_ms = now(im) - im->asked_at;
    im->owes = end == CHUM_INFLOW_LEFT;
    if (end == CHUM_INFLOW_TAKEN || end == CHUM_INFLOW_LEFT || end == CHUM_INFLOW_FIRST)
        flow_taken(im, end != CHUM_INFLOW_TAKEN);
    else if (end == CHUM_INFLOW_RESTS)
        flow_rests(im);
    else if (end == CHUM_INFLOW_REFUSED)
        go_through_list(im);
    else if (end == CHUM_INFLOW_UNKNOWN || why->status == STATUS_INVALID || why->status == STATUS_TOO_BIG)
        drop_feed(im); // the list says more
    else
        end_pass(im, why->status, why);
}

void chum_importer_feed(struct chum_importer *im)
{
    const struct chum_inflow_events flow = {im, flow_over, waiting_roots};
    if (im->has_feed)
        return;
    im->has_feed = true;
    im->inflow = chum_inflow_create(im->fetch, im->options.peer_is_own, &flow);
}

void chum_importer_pass(struct chum_importer *im)
{
    if (im->state != IDLE)
        return;
    im->listed = false;
    if (im->inflow == NULL || !chum_inflow_is_due(im->inflow)) {
        ask_for_roots(im);
        return;
    }
    im->state = FLOWING;
    im->rest_ms = 0;
    im->asked_at = now(im);
    buf_free(&im->kept);
    chum_inflow_run(im->inflow, chum_fetch_says_left(im->fetch, im->lingering != 0));
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct chum_importer *chum_importer_create(struct chum_fetch *f, const struct chum_importer_options *options,
                                           const struct chum_importer_events *events)
{
    struct chum_importer *im = mem_alloc(sizeof *im);
    *im = (struct chum_importer){.fetch = chum_fetch_use(f), .options = *options, .events = *events, .call = -1};
    im->failures = (struct chum_failures){.ctx = events->ctx, .failed = events->failed};
    chum_failures_begin(&im->failures);
    im->listing = true; // once in a session: what the feed had may have been refused then, and be wanted now
    if (options->feeds)
        chum_importer_feed(im);
    life_begin(&im->life, destroy, im);
    return im;
}

void chum_importer_forget(struct chum_importer *im)
{
    im->complete = (struct hash){{0}};
    im->listing = true;
    chum_failures_all_due(&im->failures);
}

bool chum_importer_is_fed(const struct chum_importer *im)
{
    return im->inflow != NULL && !chum_inflow_misses(im->inflow) && !chum_inflow_is_refused(im->inflow);
}

uint64_t chum_importer_retry_at(const struct chum_importer *im)
{
    return chum_failures_due_at(&im->failures);
}

bool chum_importer_is_busy(const struct chum_importer *im)
{
    return im->state != IDLE;
}

bool chum_importer_is_fetching(const struct chum_importer *im)
{
    return im->state == FETCHING || im->lingering != 0;
}

bool chum_importer_owes_word(const struct chum_importer *im)
{
    return im->owes && im->inflow != NULL && chum_inflow_is_due(im->inflow);
}

bool chum_importer_has_listed(const struct chum_importer *im)
{
    return im->listed;
}

uint64_t chum_importer_rest_ms(const struct chum_importer *im)
{
    return im->rest_ms;
}

bool chum_importer_is_postponing(const struct chum_importer *im)
{
    return im->postponing;
}

void chum_importer_end(struct chum_importer *im)
{
    chum_fetch_cancel(im->fetch, &im->call);
    if (im->inflow != NULL)
        chum_inflow_end(im->inflow);
    while (im->running != NULL) {
        struct running *r = im->running;
        im->running = r->next;
        chum_tree_drop(r->tree);
        free(r);
    }
    life_over(&im->life);
}
