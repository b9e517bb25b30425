// One session from its begin to its end. What happens in it goes to those who keep account: events for the user,
// traces, deliveries, incidents. What the peer refuses again and again is withheld from it.
#include <stdlib.h>

#include "base/clock.h"
#include "node/fetches.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/restore.h"
#include "node/syncs_internal.h"

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

static void stored(void *ctx, struct chum_session *s, bool all)
{
    struct sync *sync = ctx;
    struct deliveries *d = sync->owner->peers->node->deliveries;
    if (all)
        deliveries_stored(d, &sync->served, &chum_session_peer(s)->person_id);
    else
        deliveries_left(d, &sync->served, &chum_session_peer(s)->person_id);
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

// ---- Files that are left at the archive ----------------------------------------------------------------------------

static void fetch(void *ctx, const struct hash *file, chum_fetched done, void *done_ctx)
{
    const struct sync *sync = ctx;
    struct hash_list one = {0};
    hash_list_add(&one, file);
    fetches_want(sync->owner->peers->node->fetches, &one, done, done_ctx);
    hash_list_free(&one);
}

// ---- Begin and end -------------------------------------------------------------------------------------------------

static void closed(void *ctx, struct chum_session *s, const struct error *why)
{
    struct sync *sync = ctx;
    struct syncs *ss = sync->owner;
    OWNER_ASSERT(ss);
    struct chum_counts counts = chum_session_counts(s);
    const struct hash *person = &chum_session_peer(s)->person_id;
    struct refusal refusal;
    syncs_add_counts(&ss->ended, &counts);
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

void syncs_start(struct syncs *ss, struct conn *c, bool peer_is_own)
{
    OWNER_ASSERT(ss);
    struct sync *sync = mem_alloc(sizeof *sync);
    *sync = (struct sync){.next = ss->list, .owner = ss};
    ss->list = sync;
    if (refusals_are_over(ss->refusals, &conn_peer(c)->person_id, clock_monotonic_ms()))
        offer_all(ss, &conn_peer(c)->person_id);
    bool is_sparse = node_kind(ss->peers->node)->store == STORE_SPARSE;
    struct chum_options options = {.peer_is_own = peer_is_own,
                                   .feeds = true,
                                   .takes = is_sparse ? &ss->peers->node->takes : NULL,
                                   .poll_ms = ss->peers->settings.poll_ms,
                                   .gives_all = peer_is_own && ss->peers->settings.exports};
    struct chum_events events = {.ctx = sync,
                                 .importing = importing,
                                 .exporting = exporting,
                                 .passed = passed,
                                 .complete = complete,
                                 .served = served,
                                 .stored = stored,
                                 .failed = failed,
                                 .stuck = stuck,
                                 .closed = closed};
    if (!peer_is_own)
        events.elsewhere = (struct chum_elsewhere){fetch, sync};
    sync->speaker = syncs_speaker(ss, peers_local(ss->peers, conn_local(c))->self);
    sync->session = chum_session_create(c, node_queue(ss->peers->node), sync->speaker->access, &sync->speaker->policy,
                                        &options, &events);
}
