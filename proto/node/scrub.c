// Looking is the pool's work (store/verify.h); the loop only tells how far it is. Repairing goes on from there:
//
//   verify ─► note what is lost ─► ask the other own node ─► go through all that peers show ─► what is still lost?
//              (store thread)        (chum/refetch.h)         (passes of CHUM)                (store thread)
//
// A database that contradicts itself or the files cannot be put right under a running store: the node is told to make
// it anew when it opens next.
#include "node/scrub.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/contact.h"
#include "models/conversations.h"
#include "models/sharing.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "store/verify.h"

enum {
    TICK_MS = 100,
    OWN_WAIT_MS = 5000,   // for the other own node to be connected
    PEERS_WAIT_MS = 8000, // for the passes
    MEND_AT_ONCE = 64,
    SHOWN_MAX = 10000, // findings of each kind in an answer
};

enum stage { VERIFYING, NOTING, WAITING_FOR_OWN, FETCHING, RECHECKING, SUMMING_UP };

struct scrub {
    struct node *node; // NULL: it has closed
    enum store_kind kind;
    const struct identity *self; // for the store's thread
    struct work *work;
    bool repairs;
    bool forgets; // what nobody has is given up
    enum stage stage;
    char *dir;
    struct store_watch watch;
    struct store_verification found;
    enum status status;
    struct error error;
    struct loop_timer *timer;
    uint64_t until;
    size_t next; // of the findings
    uint64_t repaired;
    struct hash_list wanted; // what was lost, and in the end what still is
    bool jobs;               // a job of the store's thread or the pool is under way
    json_t *lost;
};

// ---- Answers -------------------------------------------------------------------------------------------------------

static json_t *show_findings(const struct store_verification *v, bool damaged, uint64_t *more)
{
    json_t *items = json_array();
    *more = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct store_finding *f = &v->items[i];
        if ((f->what == STORE_FOUND_DAMAGED) != damaged)
            continue;
        if (json_array_size(items) == SHOWN_MAX)
            ++*more;
        else
            json_array_append_new(items, json_pack("{s:o, s:s}", "hash", node_json_hash(&f->hash), "type", f->type));
    }
    return items;
}

static json_t *show_verification(const struct scrub *x)
{
    uint64_t more_damaged, more_missing;
    const struct store_verification *v = &x->found;
    json_t *damaged = show_findings(v, true, &more_damaged);
    json_t *missing = show_findings(v, false, &more_missing);
    bool open = x->node->queue != NULL;
    bool sound = v->count == 0 && v->index_faults == 0 && !v->is_damaged_database && v->why[0] == '\0';
    json_t *result =
        json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:b}", "objects", (json_int_t)v->objects, "damaged",
                  damaged, "missing", missing, "more", (json_int_t)(more_damaged + more_missing), "indexFaults",
                  (json_int_t)v->index_faults, "unindexed", (json_int_t)v->unindexed, "databaseDamaged",
                  (int)v->is_damaged_database, "open", (int)open, "sound", (int)sound);
    json_object_set_new(result, "why", v->why[0] != '\0' ? node_json_text(span_of(v->why)) : json_null());
    return result;
}

static void scrub_free(struct scrub *x)
{
    loop_timer_destroy(x->timer);
    store_verification_free(&x->found);
    hash_list_free(&x->wanted);
    json_decref(x->lost);
    free(x->dir);
    free(x);
}

static void end(struct scrub *x, json_t *result, const struct error *why)
{
    x->node->scrub = NULL;
    if (x->repairs && x->node->peers != NULL)
        peers_refresh(x->node->peers);
    work_end(x->work, result, why);
    scrub_free(x);
}

// false: it is over, or the node is.
static bool goes_on(struct scrub *x, enum status status, const struct error *e)
{
    x->jobs = false;
    if (x->node == NULL) {
        scrub_free(x);
        return false;
    }
    struct error stopped;
    if (status == STATUS_OK && work_is_cancelled(x->work))
        status = error_set(&stopped, STATUS_CLOSED, "CLOSED", "it was stopped");
    else if (status != STATUS_OK)
        stopped = *e;
    if (status != STATUS_OK)
        end(x, NULL, &stopped);
    return status == STATUS_OK;
}

// ---- What is still lost --------------------------------------------------------------------------------------------

static json_t *show_lost(struct model *m, const struct hash *hash, const struct hash_map *places)
{
    struct span type = store_type_known(m->store, hash);
    const struct hash *channel = hash_map_get(places, hash);
    json_t *item = json_pack("{s:o, s:o}", "hash", node_json_hash(hash), "type", node_json_text(type));
    if (channel != NULL)
        json_object_set_new(item, "conversation", node_json_text(conversations_name(m, channel)));
    return item;
}

static bool is_contradictory(const struct scrub *x)
{
    return x->found.is_damaged_database || x->found.index_faults != 0;
}

static enum status sum_up_work(struct store *s, void *arg, struct error *e)
{
    struct scrub *x = arg;
    struct arena *a = arena_create();
    struct hash_map *places = hash_map_create();
    struct model m = {.store = s, .self = x->self, .arena = a, .now_ms = clock_wall_ms()};
    size_t lost = 0;
    (void)e;
    for (size_t i = 0; i < x->wanted.count; i++)
        if (store_presence(s, &x->wanted.items[i]) == STORE_ABSENT)
            x->wanted.items[lost++] = x->wanted.items[i];
    x->repaired += x->wanted.count - lost;
    x->wanted.count = lost;
    if (lost != 0)
        conversations_of(&m, &x->wanted, places);
    if (is_contradictory(x))
        store_rebuild_next(s);
    x->lost = json_array();
    for (size_t i = 0; i < lost && i < SHOWN_MAX; i++)
        json_array_append_new(x->lost, show_lost(&m, &x->wanted.items[i], places));
    hash_map_destroy(places);
    arena_destroy(a);
    return STATUS_OK;
}

static enum status forget_work(struct store *s, void *arg, struct error *e)
{
    struct scrub *x = arg;
    enum status st = STATUS_OK;
    for (size_t n = 0; n < MEND_AT_ONCE && x->next < x->wanted.count && st == STATUS_OK; n++)
        st = store_forget(s, &x->wanted.items[x->next++], clock_wall_ms(), e);
    return st;
}

// Contacts that hung on what was given up are listed anew, and grants to the other own node made again.
static enum status share_work(struct store *s, void *arg, struct error *e)
{
    struct scrub *x = arg;
    struct hash own;
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = x->self, .arena = a, .now_ms = clock_wall_ms()};
    enum status st = contact_replace_lost(&m, e);
    if (st == STATUS_OK && sharing_own_node(&m, &own, NULL) == STATUS_OK)
        st = sharing_everything(&m, e);
    arena_destroy(a);
    return st;
}

static void summed_up(void *arg, enum status status, const struct error *e)
{
    struct scrub *x = arg;
    if (!goes_on(x, status, e))
        return;
    if (x->forgets && x->next < x->wanted.count) {
        x->jobs = true;
        store_submit(x->node->queue, forget_work, summed_up, x);
        return;
    }
    if (x->forgets && x->wanted.count != 0) {
        x->forgets = false;
        x->jobs = true;
        store_submit(x->node->queue, share_work, summed_up, x);
        return;
    }
    bool restart = is_contradictory(x) || x->node->ailing;
    LOG(LOG_INFO, "store.mended", LOG_INT("repaired", x->repaired), LOG_INT("lost", x->wanted.count));
    node_tell(x->node, "store.mended",
              json_pack("{s:I, s:I}", "repaired", (json_int_t)x->repaired, "lost", (json_int_t)x->wanted.count));
    json_t *result =
        json_pack("{s:I, s:O, s:b}", "repaired", (json_int_t)x->repaired, "lost", x->lost, "restart", (int)restart);
    end(x, result, NULL);
}

static void sum_up(struct scrub *x)
{
    x->stage = SUMMING_UP;
    x->next = 0;
    x->jobs = true;
    store_submit_read(x->node->queue, sum_up_work, summed_up, x);
}

// ---- Fetching ------------------------------------------------------------------------------------------------------

static void recheck(struct scrub *x)
{
    x->stage = RECHECKING;
    x->until = clock_monotonic_ms() + PEERS_WAIT_MS;
    syncs_recheck(x->node->peers->syncs);
}

static enum status replace_contacts(const struct scrub *x, struct store *s, struct error *e)
{
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = x->self, .arena = a, .now_ms = clock_wall_ms()};
    enum status st = contact_replace_lost(&m, e);
    arena_destroy(a);
    return st;
}

static enum status reread_work(struct store *s, void *arg, struct error *e)
{
    struct scrub *x = arg;
    enum status st = STATUS_OK;
    for (size_t n = 0; n < MEND_AT_ONCE && x->next < x->wanted.count && st == STATUS_OK; n++) {
        const struct hash *hash = &x->wanted.items[x->next++];
        st = store_presence(s, hash) == STORE_PRESENT ? store_reread(s, hash, e) : store_remake(s, hash, e);
    }
    return st == STATUS_OK && x->next == x->wanted.count ? replace_contacts(x, s, e) : st;
}

static void reread_done(void *arg, enum status status, const struct error *e)
{
    struct scrub *x = arg;
    if (!goes_on(x, status, e))
        return;
    if (x->next < x->wanted.count) {
        x->jobs = true;
        store_submit(x->node->queue, reread_work, reread_done, x);
    } else {
        recheck(x);
    }
}

static void reread(struct scrub *x)
{
    x->stage = FETCHING;
    x->next = 0;
    x->jobs = true;
    store_submit(x->node->queue, reread_work, reread_done, x);
}

static void own_answered(void *ctx, const struct hash_list *failed, const struct error *why)
{
    struct scrub *x = ctx;
    (void)why;
    LOG(LOG_INFO, "store.refetched", LOG_INT("asked", x->wanted.count), LOG_INT("failed", failed->count));
    if (x->node == NULL) {
        x->jobs = false;
        scrub_free(x);
        return;
    }
    reread(x);
}

static void ask_own(struct scrub *x)
{
    struct peers *p = x->node->peers;
    if (syncs_refetch(p->syncs, &p->own.peer.person, &x->wanted, own_answered, x)) {
        x->stage = FETCHING;
        x->jobs = true;
    } else if (clock_monotonic_ms() >= x->until) {
        reread(x);
    }
}

// ---- Noting --------------------------------------------------------------------------------------------------------

static enum status note_work(struct store *s, void *arg, struct error *e)
{
    struct scrub *x = arg;
    enum status st = STATUS_OK;
    for (size_t n = 0; n < MEND_AT_ONCE && x->next < x->found.count && st == STATUS_OK; n++, x->next++) {
        const struct store_finding *f = &x->found.items[x->next];
        st = f->what == STORE_FOUND_HERE ? store_find_again(s, &f->hash, e) : store_lose(s, &f->hash, e);
    }
    return st;
}

static void note_more(struct scrub *x);

static void noted(void *arg, enum status status, const struct error *e)
{
    struct scrub *x = arg;
    if (goes_on(x, status, e))
        note_more(x);
}

static void note_more(struct scrub *x)
{
    if (x->next < x->found.count) {
        x->jobs = true;
        store_submit(x->node->queue, note_work, noted, x);
        return;
    }
    for (size_t i = 0; i < x->found.count; i++)
        hash_list_add(&x->wanted, &x->found.items[i].hash);
    if (x->wanted.count == 0) {
        sum_up(x);
        return;
    }
    x->stage = WAITING_FOR_OWN;
    x->until = clock_monotonic_ms() + OWN_WAIT_MS;
}

// ---- Verifying -----------------------------------------------------------------------------------------------------

static void verify_work(void *arg)
{
    struct scrub *x = arg;
    x->status = store_verify(x->dir, x->kind, &x->watch, &x->found, &x->error);
}

static void verified(void *arg)
{
    struct scrub *x = arg;
    if (!goes_on(x, x->status, &x->error))
        return;
    LOG(LOG_INFO, "store.verified", LOG_INT("objects", x->found.objects), LOG_INT("findings", x->found.count),
        LOG_INT("indexFaults", x->found.index_faults), LOG_TEXT("why", x->found.why));
    if (!x->repairs) {
        end(x, show_verification(x), NULL);
        return;
    }
    x->stage = NOTING;
    note_more(x);
}

// ---- Time ----------------------------------------------------------------------------------------------------------

static void tick(void *ctx)
{
    struct scrub *x = ctx;
    struct error stopped;
    loop_timer_set(x->timer, TICK_MS);
    work_is_at(x->work, atomic_load(&x->watch.done), atomic_load(&x->watch.total));
    if (work_is_cancelled(x->work))
        atomic_store(&x->watch.stop, true);
    if (x->jobs)
        return;
    if (atomic_load(&x->watch.stop)) {
        error_set(&stopped, STATUS_CLOSED, "CLOSED", "it was stopped");
        end(x, NULL, &stopped);
    } else if (x->stage == WAITING_FOR_OWN) {
        ask_own(x);
    } else if (x->stage == RECHECKING &&
               (syncs_have_rechecked(x->node->peers->syncs) || clock_monotonic_ms() >= x->until)) {
        sum_up(x);
    }
}

// ---- Methods -------------------------------------------------------------------------------------------------------

static void begin(struct node *n, struct ipc_request *r, bool repairs)
{
    struct error e = {0};
    struct work *w = NULL;
    if (repairs && (n->queue == NULL || n->peers == NULL))
        error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    else if (n->scrub != NULL || n->opening || (w = works_begin(n->works)) == NULL)
        error_set(&e, STATUS_CONFLICT, "BUSY", "the store is being opened, verified or repaired already");
    if (e.status != STATUS_OK) {
        ipc_request_fail(r, &e);
        return;
    }
    struct scrub *x = mem_alloc(sizeof *x);
    *x = (struct scrub){.node = n,
                        .work = w,
                        .repairs = repairs,
                        .forgets = ipc_request_bool(r, P_forget, false),
                        .kind = n->kind->store,
                        .self = n->self,
                        .jobs = true};
    x->dir = node_path(n, "store");
    n->scrub = x;
    x->timer = loop_timer_create(n->loop, tick, x);
    if (pool_submit(n->pool, verify_work, verified, x) != STATUS_OK) {
        error_set(&e, STATUS_FULL, "BUSY", "the node has too much to do");
        ipc_request_fail(r, &e);
        end(x, NULL, &e);
        return;
    }
    loop_timer_set(x->timer, TICK_MS);
    if (repairs)
        peers_refresh(n->peers); // the other own node is let in whatever is lost
    ipc_request_reply(r, json_pack("{s:s}", "jobId", work_id(w)));
}

static void verify(struct ipc_request *r, void *ctx)
{
    begin(ctx, r, false);
}

static void repair(struct ipc_request *r, void *ctx)
{
    begin(ctx, r, true);
}

void scrub_stop(struct node *n)
{
    struct scrub *x = n->scrub;
    if (x == NULL)
        return;
    n->scrub = NULL;
    atomic_store(&x->watch.stop, true);
    loop_timer_destroy(x->timer);
    x->timer = NULL;
    x->node = NULL;
    if (!x->jobs)
        scrub_free(x);
}

void scrub_register(struct node *n)
{
    ipc_service_on(n->service, "store.verify", verify, n);
    ipc_service_on(n->service, "node.repair", repair, n);
}
