// Noticed instances are told once, until it was quiet for LATELY_MS: both copies come back every few seconds. Only a
// connection that lasted counts for the proof of the next (runs.h), or one that broke off at once would look like a
// second copy.
#include "node/twins.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/job.h"
#include "node/json.h"
#include "node/peers_internal.h"

enum {
    LASTED_MS = 1000,           // a connection that serves so long was counted there, too
    LATELY_MS = 10 * 60 * 1000, // noticed, and not since
    NOTICED_MAX = 1000,
};

struct noticed {
    uint64_t at;
};

struct twins {
    struct peers *peers;
    struct runs *runs;
    struct hash_map *noticed; // by instance
};

struct twins *twins_create(struct peers *p)
{
    struct twins *t = mem_alloc(sizeof *t);
    *t = (struct twins){.peers = p, .runs = runs_create(clock_wall_ms()), .noticed = hash_map_create()};
    return t;
}

void twins_destroy(struct twins *t)
{
    if (t == NULL)
        return;
    runs_destroy(t->runs);
    hash_map_free_values(t->noticed);
    hash_map_destroy(t->noticed);
    free(t);
}

const struct runs *twins_runs(const struct twins *t)
{
    return t->runs;
}

static bool is_lately(const struct twins *t, const struct noticed *n)
{
    return n != NULL && loop_now(node_loop(t->peers->node)) - n->at < LATELY_MS;
}

// Once, until it was quiet for a while.
static bool is_news(struct twins *t, const struct hash *instance)
{
    struct noticed *n = hash_map_get(t->noticed, instance);
    bool news = !is_lately(t, n);
    if (n == NULL && hash_map_count(t->noticed) >= NOTICED_MAX)
        return false;
    if (n == NULL) {
        n = mem_alloc(sizeof *n);
        hash_map_set(t->noticed, instance, n);
    }
    n->at = loop_now(node_loop(t->peers->node));
    return news;
}

static void tell(struct twins *t, const struct conn *c, bool own)
{
    const struct conn_identity *local = conn_local(c);
    const struct conn_peer *peer = conn_peer(c);
    const struct hash *person = own ? &local->person_id : &peer->person_id;
    const struct hash *instance = own ? &local->instance_id : &peer->instance_id;
    struct error why;
    if (!is_news(t, instance))
        return;
    error_set(&why, STATUS_CONFLICT, "INSTANCE-TWICE", "%s",
              own ? "another copy of this node runs somewhere with the same keys, a contact met both"
                  : "an instance that we met runs twice, with the same keys");
    LOG(LOG_ERROR, "instance.twice", LOG_HASH("person", person), LOG_HASH("instance", instance),
        LOG_HASH("seenBy", own ? &peer->person_id : &local->person_id));
    json_t *data = json_pack("{s:o, s:o, s:b, s:s, s:o}", "personId", node_json_hash(person), "instanceId",
                             node_json_hash(instance), "own", (int)own, "code", why.code, "seenBy",
                             node_json_hash(own ? &peer->person_id : &local->person_id));
    incidents_note(t->peers->incidents, INCIDENT_AUTH, conn_id(c), &why, clock_wall_ms());
    node_tell(t->peers->node, "instance.twice", data);
}

void twins_ready(struct twins *t, const struct conn *c)
{
    unsigned news = runs_take(t->runs, conn_local(c), conn_peer(c));
    if ((news & RUNS_PEER) != 0)
        tell(t, c, false);
    if ((news & RUNS_OURS) != 0)
        tell(t, c, true);
}

void twins_closed(struct twins *t, const struct conn *c)
{
    if (conn_group(c) == CONN_CHUM && connections_served_ms(t->peers, conn_id(c)) >= LASTED_MS)
        runs_lasted(t->runs, conn_local(c), &conn_peer(c)->long_term);
}

bool twins_of_ours(const struct twins *t)
{
    if (is_lately(t, hash_map_get(t->noticed, &t->peers->own.instance)))
        return true;
    for (const struct local *l = &t->peers->main; l != NULL; l = l->next)
        if (is_lately(t, hash_map_get(t->noticed, &l->identity.instance_id)))
            return true;
    return false;
}

size_t twins_count(const struct twins *t)
{
    size_t cursor = 0;
    size_t count = 0;
    struct hash instance;
    void *noticed;
    while (hash_map_next(t->noticed, &cursor, &instance, &noticed))
        count += is_lately(t, noticed);
    return count;
}
