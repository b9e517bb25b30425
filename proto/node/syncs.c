#include "node/syncs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/invariant.h"
#include "chum/access_set.h"
#include "chum/session.h"
#include "models/entitled.h"
#include "models/policy.h"
#include "models/sharing.h"
#include "node/job.h"
#include "node/json.h"
#include "node/ledger.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "node/refusals.h"
#include "node/restore.h"

enum { FOLLOW_MS = 60000 };

struct sync { // one session
    struct sync *next;
    struct syncs *owner;
    struct speaker *speaker;
    struct chum_session *session;
    struct hash given_last; // to the peer, of objects and files
    struct served_session served;
    uint64_t rechecked_at; // passes, by which everything was gone through again
};

struct speaker { // an identity, as sessions with its contacts have it
    struct speaker *next;
    struct syncs *owner;
    const struct identity *self; // for the store thread too
    struct chum_policy policy;
    struct chum_access *access; // what was shown as one identity may not be fetched from another
};

struct syncs {
    struct peers *peers;
    struct speaker *speakers;
    struct refusals *refusals;
    struct sync *list;
    struct chum_counts ended; // sums over finished sessions
    bool closing;
    OWNER // the loop's thread, but for speakers
};

// ---- The model layer's policy, asked on the store thread -----------------------------------------------------------

static struct model model_for(const struct speaker *f, struct store *s, struct arena *a)
{
    return (struct model){.store = s, .self = f->self, .arena = a, .now_ms = clock_wall_ms()};
}

static bool wants(void *ctx, struct store *s, const struct hash *sender, struct span type, const struct hash *id_hash)
{
    const struct speaker *f = ctx;
    if (!f->owner->peers->settings.imports)
        return false;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_may_want(&m, sender, type, id_hash);
    arena_destroy(a);
    return yes;
}

static enum status admits(void *ctx, struct store *s, const struct hash *sender, const struct object *object,
                          struct error *e)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    enum status st = policy_may_import(&m, sender, object, e);
    arena_destroy(a);
    return st;
}

static bool follows(void *ctx, struct store *s, const struct hash *sender, const struct object *object)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_follows(&m, sender, object);
    arena_destroy(a);
    return yes;
}

static bool serves(void *ctx, struct store *s, const struct hash *person, struct span type, const struct hash *what)
{
    const struct speaker *f = ctx;
    if (!f->owner->peers->settings.exports)
        return false;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_may_serve(&m, person, type, what) &&
               entitled_to_show(node_actors(f->owner->peers->node), &m, person, type, what);
    arena_destroy(a);
    return yes;
}

static bool replaces(void *ctx, struct store *s, const struct hash *sender, const struct object *object)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_replaces(&m, sender, object);
    arena_destroy(a);
    return yes;
}

static struct budget *budget_of(const struct syncs *ss, const struct hash *person, bool own)
{
    return budget_of_person(ss->peers->budgets, person, own ? BUDGET_OWN : BUDGET_CONTACT);
}

static enum status takes(void *ctx, struct store *s, const struct hash *sender, const struct chum_load *load,
                         struct error *e)
{
    const struct speaker *f = ctx;
    const struct syncs *ss = f->owner;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    enum status st = STATUS_OK;
    if (!sharing_is_own_node(&m, sender)) {
        struct budget *b = budget_of(ss, sender, false);
        struct ledger l;
        ledger_load(&l, s, sender);
        budget_charge(b, BUDGET_VERSIONS, load->versions);
        budget_charge(b, BUDGET_GROWTH, ledger_book(&l, load->sent, load->grown));
        uint64_t most = ss->peers->settings.store_bytes;
        if (most != 0 && l.grown > most) {
            budget_note_refusal(b, BUDGET_GROWTH);
            st = error_set(e, STATUS_REFUSED, "OVER-BUDGET",
                           "the person's node may make the store grow by %" PRIu64 " MB (peers.store_mb)", most >> 20);
        }
        if (st == STATUS_OK)
            st = ledger_save(&l, s, sender, e);
        budget_release(b);
    }
    arena_destroy(a);
    return st;
}

// The event budget.exceeded tells of it.
static uint64_t rests(void *ctx, const struct hash *sender)
{
    const struct syncs *ss = ((const struct speaker *)ctx)->owner;
    struct budget *b = budget_of(ss, sender, peers_names_own(ss->peers, sender));
    uint64_t versions = budget_wait_ms(b, BUDGET_VERSIONS, 1);
    uint64_t growth = budget_wait_ms(b, BUDGET_GROWTH, 1);
    if (versions != 0)
        budget_note_refusal(b, BUDGET_VERSIONS);
    if (growth != 0)
        budget_note_refusal(b, BUDGET_GROWTH);
    budget_release(b);
    return versions > growth ? versions : growth;
}

static bool is_own(void *ctx, struct store *s, const struct hash *person)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = sharing_is_own_node(&m, person);
    arena_destroy(a);
    return yes;
}

// ---- Events --------------------------------------------------------------------------------------------------------

static void tell_direction(struct syncs *ss, struct chum_session *s, const char *event, const char *direction)
{
    const struct conn_peer *peer = chum_session_peer(s);
    node_tell(ss->peers->node, event,
              json_pack("{s:I, s:o, s:s}", "id", (json_int_t)conn_id(chum_session_conn(s)), "personId",
                        node_json_hash(&peer->person_id), "direction", direction));
}

static void importing(void *ctx, struct chum_session *s)
{
    struct sync *sync = ctx;
    tell_direction(sync->owner, s, "chum.started", "in");
}

static void exporting(void *ctx, struct chum_session *s)
{
    struct sync *sync = ctx;
    tell_direction(sync->owner, s, "chum.started", "out");
}

static void passed(void *ctx, struct chum_session *s, uint64_t objects, uint64_t bytes, uint64_t ms)
{
    struct sync *sync = ctx;
    node_tell(sync->owner->peers->node, "sync.completed",
              json_pack("{s:I, s:o, s:I, s:I, s:I}", "id", (json_int_t)conn_id(chum_session_conn(s)), "personId",
                        node_json_hash(&chum_session_peer(s)->person_id), "objects", (json_int_t)objects, "bytes",
                        (json_int_t)bytes, "ms", (json_int_t)ms));
}

static void complete(void *ctx, struct chum_session *s)
{
    struct sync *sync = ctx;
    if (peers_names_own(sync->owner->peers, &chum_session_peer(s)->person_id))
        restore_end(sync->owner->peers);
}

static json_t *describe(struct chum_session *s, const struct error *why, const char *name, const struct hash *what)
{
    return json_pack("{s:I, s:o, s:s, s:o, s:o}", "id", (json_int_t)conn_id(chum_session_conn(s)), "personId",
                     node_json_hash(&chum_session_peer(s)->person_id), "code", why->code, "reason",
                     node_json_text(span_of(why->message)), name, node_json_hash(what));
}

static void failed(void *ctx, struct chum_session *s, const struct hash *root, const struct error *why)
{
    struct sync *sync = ctx;
    node_tell(sync->owner->peers->node, "sync.failed", describe(s, why, "hash", root));
    incidents_note(sync->owner->peers->incidents, INCIDENT_SYNC, conn_id(chum_session_conn(s)), why, clock_wall_ms());
}

static void stuck(void *ctx, struct chum_session *s, const struct hash *id_hash, const struct error *why)
{
    struct sync *sync = ctx;
    node_tell(sync->owner->peers->node, "sync.stuck", describe(s, why, "idHash", id_hash));
}

static void served(void *ctx, struct chum_session *s, enum chum_service service, const struct hash *hash)
{
    struct sync *sync = ctx;
    struct syncs *ss = sync->owner;
    if (service == CHUM_GET_OBJECT || service == CHUM_GET_ID_OBJECT || service == CHUM_GET_BLOB)
        sync->given_last = *hash;
    traces_served(ss->peers->traces, sync->speaker->access, &chum_session_peer(s)->person_id, service, hash,
                  clock_wall_ms());
    deliveries_served(ss->peers->node->deliveries, &sync->served, &chum_session_peer(s)->person_id, service, hash,
                      chum_session_unanswered(s));
}

// ---- What a peer cannot take over ----------------------------------------------------------------------------------

struct withholding {
    struct syncs *owner;
    struct hash person;
    struct refusal refusal;
};

static enum status withhold_work(struct store *s, void *arg, struct error *e)
{
    const struct withholding *w = arg;
    (void)e;
    store_withhold(s, &w->person, span_of(w->refusal.type), &w->refusal.object);
    return STATUS_OK;
}

static void withhold_done(void *arg, enum status status, const struct error *e)
{
    struct withholding *w = arg;
    (void)status;
    (void)e;
    node_tell(w->owner->peers->node, "share.withheld",
              json_pack("{s:o, s:s, s:o}", "personId", node_json_hash(&w->person), "type", w->refusal.type, "hash",
                        node_json_hash(&w->refusal.object)));
    free(w);
}

static void withhold(struct syncs *ss, const struct hash *person, const struct refusal *refusal)
{
    struct withholding *w = mem_alloc(sizeof *w);
    *w = (struct withholding){.owner = ss, .person = *person, .refusal = *refusal};
    store_submit_read(node_queue(ss->peers->node), withhold_work, withhold_done, w); // nothing to be committed
}

static enum status offer_work(struct store *s, void *arg, struct error *e)
{
    const struct hash *person = arg;
    (void)e;
    store_withhold_nothing(s, person);
    return STATUS_OK;
}

static void offer_done(void *arg, enum status status, const struct error *e)
{
    (void)status;
    (void)e;
    free(arg);
}

static void offer_all(struct syncs *ss, const struct hash *person)
{
    struct hash *copy = mem_alloc(sizeof *copy);
    *copy = *person;
    store_submit_read(node_queue(ss->peers->node), offer_work, offer_done, copy); // before the list is read
}

// ---- Sessions ------------------------------------------------------------------------------------------------------

static void add_counts(struct chum_counts *sum, const struct chum_counts *c)
{
    sum->objects_sent += c->objects_sent;
    sum->objects_received += c->objects_received;
    sum->bytes_sent += c->bytes_sent;
    sum->bytes_received += c->bytes_received;
    sum->passes += c->passes;
    if (c->last_pass_ms > sum->last_pass_ms)
        sum->last_pass_ms = c->last_pass_ms;
}

static void closed(void *ctx, struct chum_session *s, const struct error *why)
{
    struct sync *sync = ctx;
    struct syncs *ss = sync->owner;
    OWNER_ASSERT(ss);
    struct chum_counts counts = chum_session_counts(s);
    const struct hash *person = &chum_session_peer(s)->person_id;
    struct refusal refusal;
    add_counts(&ss->ended, &counts);
    deliveries_left(ss->peers->node->deliveries, &sync->served, person);
    if (!ss->closing && refusals_judge(ss->refusals, person, &sync->given_last, why, clock_monotonic_ms(), &refusal))
        withhold(ss, person, &refusal);
    if (!ss->closing)
        tell_direction(ss, s, "chum.stopped", "both");
    struct sync **link = &ss->list;
    while (*link != sync)
        link = &(*link)->next;
    *link = sync->next;
    free(sync);
}

static struct speaker *speaker_of(struct syncs *ss, const struct identity *self)
{
    struct speaker *f = ss->speakers;
    while (f != NULL && f->self != self)
        f = f->next;
    if (f != NULL)
        return f;
    f = mem_alloc(sizeof *f);
    *f = (struct speaker){.next = ss->speakers, .owner = ss, .self = self, .access = chum_access_create()};
    f->policy = (struct chum_policy){.ctx = f,
                                     .wants = wants,
                                     .admits = admits,
                                     .follows = follows,
                                     .takes = takes,
                                     .rests = rests,
                                     .serves = serves,
                                     .replaces = replaces,
                                     .is_own = is_own};
    ss->speakers = f;
    return f;
}

void syncs_start(struct syncs *ss, struct conn *c, bool peer_is_tandem)
{
    OWNER_ASSERT(ss);
    struct sync *sync = mem_alloc(sizeof *sync);
    *sync = (struct sync){.next = ss->list, .owner = ss};
    ss->list = sync;
    if (refusals_are_over(ss->refusals, &conn_peer(c)->person_id, clock_monotonic_ms()))
        offer_all(ss, &conn_peer(c)->person_id);
    struct chum_options options = {.peer_is_tandem = peer_is_tandem,
                                   .poll_ms = ss->peers->settings.poll_ms,
                                   .gives_all = peer_is_tandem && ss->peers->settings.exports};
    struct chum_events events = {.ctx = sync,
                                 .importing = importing,
                                 .exporting = exporting,
                                 .passed = passed,
                                 .complete = complete,
                                 .served = served,
                                 .failed = failed,
                                 .stuck = stuck,
                                 .closed = closed};
    sync->speaker = speaker_of(ss, peers_local(ss->peers, conn_local(c))->self);
    sync->session = chum_session_create(c, node_queue(ss->peers->node), sync->speaker->access, &sync->speaker->policy,
                                        &options, &events);
}

static bool is_with(const struct sync *sync, const struct hash *person)
{
    return hash_eq(&chum_session_peer(sync->session)->person_id, person);
}

void syncs_tell_news(struct syncs *ss)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        chum_session_tell_news(s->session);
}

void syncs_follow(struct syncs *ss, const struct hash *person)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next) {
        if (is_with(s, person))
            chum_session_keep_active(s->session, FOLLOW_MS);
    }
}

bool syncs_with(const struct syncs *ss, const struct hash *person, bool *import, bool *export)
{
    bool found = false;
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        if (!is_with(s, person))
            continue;
        found = true;
        if (import != NULL)
            *import = *import || chum_session_is_importing(s->session);
        if (export != NULL)
            *export = *export || chum_session_is_exporting(s->session);
    }
    return found;
}

bool syncs_refetch(struct syncs *ss, const struct hash *own, const struct hash_list *hashes,
                   void (*done)(void *ctx, const struct hash_list *failed), void *ctx)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        if (is_with(s, own) && chum_session_refetch(s->session, hashes, done, ctx))
            return true;
    return false;
}

void syncs_recheck(struct syncs *ss)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        s->rechecked_at = chum_session_recheck(s->session);
}

bool syncs_have_rechecked(const struct syncs *ss)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next)
        if (chum_session_counts(s->session).passes < s->rechecked_at || !chum_session_is_idle(s->session))
            return false;
    return true;
}

bool syncs_shown_to(const struct syncs *ss, const struct identity *self, const struct hash *person,
                    const struct hash *hash)
{
    const struct speaker *f = ss->speakers;
    while (f != NULL && f->self != self)
        f = f->next;
    return f != NULL && chum_access_shown_to(f->access, person, hash);
}

bool syncs_are_idle(const struct syncs *ss)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        if (!chum_session_is_idle(s->session))
            return false;
    }
    return true;
}

struct chum_counts syncs_counts(const struct syncs *ss)
{
    struct chum_counts sum = ss->ended;
    uint64_t measured = 0;
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        struct chum_counts c = chum_session_counts(s->session);
        add_counts(&sum, &c);
        sum.failed_roots += c.failed_roots;
        sum.stuck += c.stuck;
        sum.skipped_roots += c.skipped_roots;
        sum.latency_ms += c.latency_ms;
        measured += c.last_pass_ms != 0;
    }
    sum.latency_ms = measured != 0 ? sum.latency_ms / measured : 0;
    return sum;
}

bool syncs_latency(const struct syncs *ss, const struct conn *c, uint64_t *ms)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        struct chum_counts counts = chum_session_counts(s->session);
        *ms = counts.latency_ms;
        if (chum_session_conn(s->session) == c)
            return counts.last_pass_ms != 0;
    }
    return false;
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct syncs *syncs_create(struct peers *p)
{
    struct syncs *ss = mem_alloc(sizeof *ss);
    ss->peers = p;
    ss->refusals = refusals_create();
    return ss;
}

void syncs_close(struct syncs *ss)
{
    ss->closing = true;
}

void syncs_destroy(struct syncs *ss)
{
    if (ss == NULL)
        return;
    for (struct speaker *f = ss->speakers, *next; f != NULL; f = next) {
        next = f->next;
        chum_access_destroy(f->access);
        free(f);
    }
    refusals_destroy(ss->refusals);
    free(ss);
}
