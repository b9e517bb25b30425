// look ─► which files have to go? ─► does the archive hold them? ─► give up those that it does, and look again
//        (store thread, reads)      (its own store, just now)     (store thread)
//
// Nothing is remembered of what the archive said: a file goes in the round in which it was asked about, or it stays. A
// file that is being read stays however much room it takes, since whoever reads it comes for it piece by piece.
#include "node/room.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/sparing.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "store/room.h"

enum { TICK_MS = 3000, AT_ONCE = 64 };
enum { CALM_MS = 12000, CALM_SLACK_MS = 4000 }; // while nothing is stored and nothing has to go

struct room {
    struct node *node;
    struct loop_timer *timer;
    bool busy; // a round is under way
    bool calm; // the last one found nothing to do, and nothing was stored since
};

struct round {
    struct room *owner;
    struct store_use uses[AT_ONCE];
    size_t count;
    size_t skip;   // so many before them the archive does not hold
    bool has_uses; // some are to be written down
    bool asked;    // the archive answered: there may be more to do
};

static int64_t number(const struct node *n, const char *key)
{
    return json_integer_value(json_object_get(node_config(n), key));
}

// ---- What has to go -------------------------------------------------------------------------------------------------

// The longest unused first, until what is left fits.
static void choose(struct round *r, uint64_t bytes, uint64_t quota, int64_t too_old_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count && (bytes > quota || r->uses[i].at <= too_old_ms); i++) {
        bytes -= r->uses[i].size;
        r->uses[kept++] = r->uses[i];
    }
    r->count = kept;
}

static void choose_by(struct round *r, const struct sparing *sparing, uint64_t bytes, int64_t now_ms)
{
    const struct node *n = r->owner->node;
    uint64_t quota = sparing->has_quota ? sparing->quota : (uint64_t)number(n, "sparse.quota_mb") << 20;
    choose(r, bytes, quota, now_ms - sparing_least(sparing, SPARING_AGE, now_ms / 1000 + 1) * 1000);
}

static enum status look_work(struct store *s, void *arg, struct error *e)
{
    struct round *r = arg;
    struct node *n = r->owner->node;
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = n->self, .arena = a, .now_ms = clock_wall_ms()};
    struct sparing sparing;
    uint64_t files, bytes;
    r->count = AT_ONCE;
    enum status st = sparing_load(&m, &sparing, e);
    if (st == STATUS_OK)
        st = store_room(s, &files, &bytes, e);
    if (st == STATUS_OK)
        st = store_least_used(s, r->skip, r->uses, &r->count, e);
    if (st == STATUS_OK) {
        atomic_store(&n->takes, (uint64_t)sparing_least(&sparing, SPARING_SIZE, number(n, "sparse.take_kb") << 10));
        choose_by(r, &sparing, bytes, m.now_ms);
    }
    r->has_uses = store_has_uses(s);
    arena_destroy(a);
    return st;
}

// ---- Giving up ------------------------------------------------------------------------------------------------------

static enum status give_up_work(struct store *s, void *arg, struct error *e)
{
    struct round *r = arg;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < r->count && st == STATUS_OK; i++)
        if (!store_is_in_use(s, &r->uses[i].hash) && store_presence(s, &r->uses[i].hash) == STORE_PRESENT)
            st = store_evict(s, &r->uses[i].hash, e);
    return st == STATUS_OK ? store_keep_uses(s, number(r->owner->node, "sparse.keep_s") * 1000, e) : st;
}

static void look(struct room *o, size_t skip);

// What the archive does not hold is stepped over.
static void end_round(struct round *r, bool again)
{
    struct room *o = r->owner;
    size_t skip = r->skip;
    free(r);
    o->busy = false;
    if (again)
        look(o, skip);
}

static void given_up(void *arg, enum status status, const struct error *e)
{
    struct round *r = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "room.failed", LOG_TEXT("code", e->code), LOG_TEXT("why", e->message));
    else if (r->count != 0)
        LOG(LOG_INFO, "room.made", LOG_INT("files", r->count));
    end_round(r, status == STATUS_OK && r->asked);
}

static void give_up(struct round *r)
{
    if (node_queue(r->owner->node) != NULL && (r->count != 0 || r->has_uses))
        store_submit(node_queue(r->owner->node), give_up_work, given_up, r);
    else
        end_round(r, r->asked);
}

// As many bytes as are here, or it is another file to the archive.
static void archive_said(void *ctx, const int64_t *sizes)
{
    struct round *r = ctx;
    size_t held = 0;
    for (size_t i = 0; sizes != NULL && i < r->count; i++)
        if (sizes[i] >= 0 && (uint64_t)sizes[i] == r->uses[i].size)
            r->uses[held++] = r->uses[i];
    r->skip += r->count - held;
    r->asked = sizes != NULL;
    r->count = held;
    give_up(r);
}

static void looked(void *arg, enum status status, const struct error *e)
{
    struct round *r = arg;
    struct peers *p = r->owner->node->peers;
    struct hash_list files = {0};
    if (status != STATUS_OK)
        LOG(LOG_WARN, "room.failed", LOG_TEXT("code", e->code), LOG_TEXT("why", e->message));
    for (size_t i = 0; status == STATUS_OK && i < r->count; i++)
        hash_list_add(&files, &r->uses[i].hash);
    bool asked = files.count != 0 && p != NULL && !r->owner->node->closing &&
                 syncs_ask_held(p->syncs, &p->own.peer.person, &files, archive_said, r);
    hash_list_free(&files);
    r->owner->calm = status == STATUS_OK && r->count == 0 && !r->has_uses;
    if (asked)
        return;
    r->count = 0; // the archive is away: all stays
    give_up(r);
}

static void look(struct room *o, size_t skip)
{
    if (o->busy || node_queue(o->node) == NULL || o->node->closing)
        return;
    struct round *r = mem_alloc(sizeof *r);
    *r = (struct round){.owner = o, .skip = skip};
    o->busy = true;
    store_submit_read(node_queue(o->node), look_work, looked, r);
}

void room_look(struct room *o)
{
    if (o != NULL)
        look(o, 0);
}

static void tick(void *ctx)
{
    struct room *o = ctx;
    uint64_t now = loop_now(o->node->loop);
    look(o, 0);
    loop_timer_set(o->timer, o->calm ? clock_together(now + CALM_MS, CALM_SLACK_MS) - now : TICK_MS);
}

void room_changed(struct room *o)
{
    if (o == NULL || !o->calm)
        return;
    o->calm = false;
    loop_timer_set(o->timer, TICK_MS);
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct room *room_create(struct node *n)
{
    if (n->kind->store != STORE_SPARSE)
        return NULL;
    struct room *o = mem_alloc(sizeof *o);
    *o = (struct room){.node = n, .timer = loop_timer_create(n->loop, tick, o)};
    atomic_store(&n->takes, (uint64_t)number(n, "sparse.take_kb") << 10);
    loop_timer_set(o->timer, TICK_MS);
    look(o, 0);
    return o;
}

void room_destroy(struct room *o)
{
    if (o == NULL)
        return;
    loop_timer_destroy(o->timer);
    free(o);
}
