// A tree that takes long is not waited for: it goes on as "lingering" beside later passes (chum_importer_move_on),
// which leave alone what it fetches. Only a pass that postponed nothing and has nothing lingering makes its list the
// complete one; every other list is gone through again, though it be unchanged.
#include "chum/importer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/life.h"
#include "chum/charge.h"
#include "chum/comparing.h"
#include "chum/failures.h"
#include "chum/inflow.h"
#include "chum/listing.h"
#include "chum/plan.h"
#include "chum/underway.h"

enum {
    LINGERING_MAX = 64,
    STUCK_MS = 4000,
    LIST_MS = 225000,  // the list of roots of a peer with a feed is gone through every five minutes, counted from
                       // the beginning of a pass, less what the next one may come sooner (pace.c),
    MISSES_MS = 15000, // and after that time if something may be wanted that the feed does not bring
    MISSES_CONTACT_MS = 1000, // of a contact, with the next news
};

enum importer_state { IDLE, ASKING, PLANNING, FETCHING, FLOWING };

struct chum_importer {
    struct chum_fetch *fetch;
    struct chum_importer_events events;
    struct chum_importer_options options;
    enum importer_state state;
    uint64_t asked_at; // when the pass began
    struct chum_listing list;
    struct chum_comparing *comparing; // NULL: the peer knows no sums, or none that are of use
    bool compares;                    // in this pass, which goes through pages of its roots instead of the list
    bool said_left;                   // as the comparison began: something of what was given last is not stored
    bool is_cut;                      // the pass did not come to all of them
    struct chum_plan plan;
    size_t next;      // of the plan
    uint64_t skipped; // roots of the pass
    struct chum_underway under;
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
    chum_listing_drop_kept(&im->list);
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
    chum_underway_add_roots(&im->under, waiting);
    return waiting;
}

// ---- The end of a pass ---------------------------------------------------------------------------------------------

static void end_comparing(struct chum_importer *im)
{
    if (im->compares)
        chum_comparing_stop(im->comparing);
    im->compares = false;
}

static void end_pass(struct chum_importer *im, enum status status, const struct error *why)
{
    struct error reason = status != STATUS_OK ? *why : (struct error){0};
    im->state = IDLE;
    end_comparing(im);
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
    counts->failed_roots = chum_failures_sum_up(&im->failures, !im->is_cut);
    counts->stuck = chum_stalls_sum_up(&im->failures.stalls, now(im));
    counts->skipped_roots = im->skipped;
    im->postponing = im->under.again;
    chum_listing_was_through(&im->list, !im->compares && !im->postponing && im->under.lingering == 0);
    im->listing = im->postponing || im->under.lingering != 0;
    uint64_t took = now(im) - im->asked_at;
    im->list_at = im->asked_at + (took > LIST_MS / 2 ? 2 * took : LIST_MS);
    bool settled = im->inflow != NULL && counts->failed_roots == 0 && hash_map_count(im->failures.by_root) == 0 &&
                   !im->postponing && im->under.lingering == 0;
    im->owes = im->owes || settled;
    if (im->inflow != NULL)
        chum_inflow_settled(im->inflow, settled);
    end_pass(im, STATUS_OK, NULL);
}

// ---- Fetching ------------------------------------------------------------------------------------------------------

// The roots that came are gone through. There may be another page of them.
static void plan_is_through(struct chum_importer *im)
{
    if (!im->compares || im->is_cut) {
        end_fetching(im);
        return;
    }
    im->state = ASKING;
    chum_plan_free(&im->plan);
    chum_comparing_taken(im->comparing);
}

static void fetch_more(struct chum_importer *im)
{
    bool rests = im->next < im->plan.count && chum_charge_rest(im->fetch) != 0;
    while (!rests && im->next < im->plan.count && im->under.trees < im->options.trees)
        chum_underway_begin(&im->under, &im->plan.wants[im->next++]);
    im->under.again = im->under.again || rests; // the others are for another pass
    im->is_cut = im->is_cut || (rests && im->compares);
    if (im->under.trees == 0)
        plan_is_through(im);
}

static void tree_over(void *ctx)
{
    struct chum_importer *im = ctx;
    if (im->state == FETCHING)
        fetch_more(im);
}

static void id_stuck(void *ctx, const struct hash *id_hash, const struct error *why)
{
    struct chum_importer *im = ctx;
    im->events.stuck(im->events.ctx, id_hash, why);
}

void chum_importer_move_on(struct chum_importer *im)
{
    if (im->state != FETCHING || im->under.lingering + im->under.trees > LINGERING_MAX ||
        now(im) < im->under.progress_at + STUCK_MS)
        return;
    chum_underway_linger(&im->under);
    im->under.again = im->under.again || im->compares || im->next < im->plan.count;
    im->is_cut = im->compares;
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
    im->under.again = im->under.again || plan->postponed;
    im->skipped += plan->skipped;
    im->under.progress_at = now(im);
    im->state = FETCHING;
    for (size_t i = 0; i < plan->waited.count; i++)
        chum_failures_keep(&im->failures, &plan->waited.items[i]);
    fetch_more(im);
}

static void drop_comparing(struct chum_importer *im);
static void ask_for_list(struct chum_importer *im);

static void plan_failed(struct chum_importer *im, enum status status, const struct error *e)
{
    bool is_no_page = im->compares && (status == STATUS_INVALID || status == STATUS_TOO_BIG);
    if (!is_no_page) {
        end_pass(im, status, e);
        return;
    }
    drop_comparing(im);
    ask_for_list(im);
}

static void plan_done(void *arg, enum status status, const struct error *e)
{
    struct planning *p = arg;
    struct chum_importer *im = p->importer;
    struct chum_plan plan = p->plan;
    if (im->compares)
        buf_free(&p->list);
    else
        chum_listing_keep(&im->list, &p->list);
    hash_map_destroy(p->waiting);
    free(p);
    bool wanted = life_let_go(&im->life);
    if (wanted && status == STATUS_OK) {
        take_plan(im, &plan);
        return;
    }
    chum_plan_free(&plan);
    if (wanted)
        plan_failed(im, status, e);
}

static void make_plan(struct chum_importer *im, struct buf *list)
{
    struct planning *p = mem_alloc(sizeof *p);
    *p = (struct planning){.importer = im, .policy = im->fetch->policy, .sender = im->fetch->sender, .list = *list};
    p->waiting = waiting_roots(im);
    im->state = PLANNING;
    life_hold(&im->life);
    store_submit_read(im->fetch->queue, plan_work, plan_done, p);
}

// ---- Asking --------------------------------------------------------------------------------------------------------

static void begin_roots(struct chum_importer *im)
{
    im->failures.pass++;
    im->failures.told = 0;
    im->under.again = im->is_cut = false;
    im->skipped = 0;
}

static void list_here(void *ctx, struct buf *list, enum status status, const struct error *why)
{
    struct chum_importer *im = ctx;
    if (list == NULL) {
        end_pass(im, status, why);
    } else if (chum_listing_is_unchanged(&im->list) && !chum_failures_are_due(&im->failures, now(im))) {
        chum_listing_keep(&im->list, list);
        end_pass(im, STATUS_OK, NULL);
    } else {
        begin_roots(im);
        make_plan(im, list);
    }
}

static bool says_left(struct chum_importer *im)
{
    return im->has_feed && chum_fetch_says_left(im->fetch, im->under.lingering != 0);
}

static void ask_for_list(struct chum_importer *im)
{
    im->state = ASKING;
    im->listed = true;
    chum_listing_ask(&im->list, says_left(im));
}

static void page_here(void *ctx, struct span list)
{
    struct buf copy = {0};
    buf_add_span(&copy, list);
    make_plan(ctx, &copy);
}

static void drop_comparing(struct chum_importer *im)
{
    im->compares = im->fetch->settles = false;
    if (im->comparing != NULL)
        chum_comparing_end(im->comparing);
    im->comparing = NULL;
}

// Whatever else comes of it, the list says what is missing; also that something is not stored, as whoever knows no sums
// has not read it.
static void compared(void *ctx, enum chum_comparing_end end, const struct error *why)
{
    struct chum_importer *im = ctx;
    im->under.again = im->under.again || end == CHUM_COMPARED_MOVED;
    if (end == CHUM_COMPARED_ALL || end == CHUM_COMPARED_MOVED) {
        end_fetching(im);
    } else if (end == CHUM_COMPARED_FAILED) {
        end_pass(im, why->status, why);
    } else {
        im->compares = false;
        im->fetch->unstored = im->fetch->unstored || im->said_left;
        if (end == CHUM_COMPARED_UNKNOWN)
            drop_comparing(im);
        ask_for_list(im);
    }
}

// A list unchanged since the last one would not be gone through.
static void go_through_roots(struct chum_importer *im)
{
    chum_listing_forget(&im->list);
    im->listing = false;
    im->compares = im->comparing != NULL;
    if (!im->compares) {
        ask_for_list(im);
        return;
    }
    im->state = ASKING;
    im->listed = true;
    begin_roots(im);
    im->said_left = says_left(im);
    chum_comparing_begin(im->comparing, im->said_left);
}

// ---- The feed ------------------------------------------------------------------------------------------------------

static void drop_feed(struct chum_importer *im)
{
    chum_inflow_end(im->inflow);
    im->inflow = NULL;
    drop_comparing(im);
    go_through_roots(im);
}

static void flow_taken(struct chum_importer *im, bool lists)
{
    if (lists || im->listing || chum_failures_are_due(&im->failures, now(im)) || now(im) >= im->list_at) {
        go_through_roots(im);
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
        go_through_roots(im);
    else if (end == CHUM_INFLOW_UNKNOWN || why->status == STATUS_INVALID || why->status == STATUS_TOO_BIG)
        drop_feed(im); // the list says more
    else
        end_pass(im, why->status, why);
}

void chum_importer_feed(struct chum_importer *im, bool sums)
{
    const struct chum_inflow_events flow = {im, flow_over, waiting_roots};
    const struct chum_comparing_events comparing = {im, page_here, compared};
    if (im->has_feed)
        return;
    im->has_feed = true;
    im->inflow = chum_inflow_create(im->fetch, im->options.peer_is_own, &flow);
    im->fetch->settles = sums;
    if (sums)
        im->comparing = chum_comparing_create(im->fetch, &comparing);
}

void chum_importer_pass(struct chum_importer *im)
{
    if (im->state != IDLE)
        return;
    im->listed = false;
    im->asked_at = now(im);
    if (im->inflow == NULL || !chum_inflow_is_due(im->inflow)) {
        ask_for_list(im);
        return;
    }
    im->state = FLOWING;
    im->rest_ms = 0;
    chum_listing_drop_kept(&im->list);
    chum_inflow_run(im->inflow, chum_fetch_says_left(im->fetch, im->under.lingering != 0));
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct chum_importer *chum_importer_create(struct chum_fetch *f, const struct chum_importer_options *options,
                                           const struct chum_importer_events *events)
{
    struct chum_importer *im = mem_alloc(sizeof *im);
    *im = (struct chum_importer){.fetch = chum_fetch_use(f), .options = *options, .events = *events};
    im->under =
        (struct chum_underway){.fetch = f, .failures = &im->failures, .ctx = im, .over = tree_over, .stuck = id_stuck};
    im->list =
        (struct chum_listing){.fetch = f, .keeps = options->peer_is_own, .ctx = im, .here = list_here, .call = -1};
    im->failures = (struct chum_failures){.ctx = events->ctx, .failed = events->failed};
    chum_failures_begin(&im->failures);
    im->listing = true; // once in a session: what the feed had may have been refused then, and be wanted now
    if (options->feeds)
        chum_importer_feed(im, true); // one that knows no sums says so
    life_begin(&im->life, destroy, im);
    return im;
}

void chum_importer_forget(struct chum_importer *im)
{
    chum_listing_forget(&im->list);
    im->listing = true;
    chum_failures_all_due(&im->failures);
}

// What is still to come of the list needs passes, and so does telling the peer that it came.
bool chum_importer_is_fed(const struct chum_importer *im)
{
    uint64_t retry_at = chum_failures_due_at(&im->failures);
    bool owes = im->listing || im->under.lingering != 0 || (retry_at != 0 && retry_at != UINT64_MAX);
    return im->inflow != NULL && !owes && !chum_inflow_misses(im->inflow) && !chum_inflow_is_refused(im->inflow);
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
    return im->state == FETCHING || im->under.lingering != 0;
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
    chum_fetch_cancel(im->fetch, &im->list.call);
    drop_comparing(im);
    if (im->inflow != NULL)
        chum_inflow_end(im->inflow);
    chum_underway_end(&im->under);
    life_over(&im->life);
}
