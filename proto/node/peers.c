// The hosts here are asked in the order of a handshake: admits, known, person_key, claim, ready. Until the first
// reading of the store is over (learned) nobody is known, so strangers are put off and not refused. Whoever says to be
// our other own node has to have its instance key: its person key alone opens nothing.
#include "node/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "node/room.h"
#include "node/seen.h"

enum {
    ENDPOINTS_MAX = 10000,
    HOLD_MS = 3000,
    PATIENCE_MS = 700, // of a node that is to stop, for answers; the supervisor grants it 1.5 s
    FAREWELL_MS = 20,  // for the last frames to leave
};

// ---- The policy of connections -------------------------------------------------------------------------------------

static const struct conn_identity *host_identity(void *ctx, const struct public_key *target)
{
    struct peers *p = ctx;
    return routes_identity(p->routes, target);
}

static bool host_admits(void *ctx, const struct conn_identity *local, const struct public_key *source,
                        enum conn_group group)
{
    struct peers *p = ctx;
    return routes_admits(p->routes, local, source, group, peers_may_pair(p));
}

static bool host_crowded(void *ctx)
{
    struct peers *p = ctx;
    struct store_queue *queue = node_queue(p->node);
    return queue != NULL && store_queue_is_full(queue);
}

static bool own_host_admits(void *ctx, const struct conn_identity *local, const struct public_key *source,
                            enum conn_group group)
{
    struct peers *p = ctx;
    bool own = p->own.peer.pinned && public_key_eq(&p->own.peer.instance_key, source);
    return own && local == &p->main.identity && host_admits(ctx, local, source, group);
}

static const char *host_assigned(void *ctx, struct conn *c)
{
    struct peers *p = ctx;
    if (conn_group(c) != CONN_CHUM)
        return NULL;
    struct dialling *d = dialling_with(p, c);
    if (d != NULL)
        dialling_forget(d);
    return routes_assigned(p->routes, c);
}

static bool host_known(void *ctx, const struct conn_identity *local, const struct public_key *remote,
                       struct hash *person, struct hash *instance)
{
    struct peers *p = ctx;
    return routes_known(p->routes, local, remote, person, instance);
}

static enum conn_key_check host_person_key(void *ctx, const struct hash *person, const struct public_key *key)
{
    struct peers *p = ctx;
    enum conn_key_check check = routes_person_key(p->routes, person, key);
    if (p->own.bare && peers_names_own(p, person)) // its instance key says that it is; without that this opens nothing
        return CONN_KEY_MATCHES;
    return check == CONN_KEY_DIFFERS && peers_names_own(p, person) ? CONN_KEY_OURS : check;
}

// A contact of the identity that it came to.
static bool is_listed(struct peers *p, const struct conn *c)
{
    return hash_map_has(peers_local(p, conn_local(c))->contacts, &conn_peer(c)->person_id);
}

// Chum goes to the instances we know; an unknown one may be somebody whose pairing is being stored.
static bool may_become_known(struct peers *p, const struct conn *c)
{
    const struct conn_peer *peer = conn_peer(c);
    bool learning = p->refreshing || pairings_in_flight(p->pairings);
    bool stranger = !is_listed(p, c) && !peers_names_own(p, &peer->person_id);
    return learning && (stranger || peers_is_own(p, &peer->person_id, &peer->long_term));
}

// The handshake was made with the person key that we know: only this person can have done that, and for us. An answer
// to a challenge says less, since it can be fetched from somebody else.
static bool proved_itself(const struct peers *p, const struct conn_peer *peer)
{
    return public_key_eq(&peer->long_term, &peer->person_public) && !peers_names_own(p, &peer->person_id) &&
           routes_person_key(p->routes, &peer->person_id, &peer->person_public) == CONN_KEY_MATCHES;
}

static enum status judge_pairing(struct peers *p, const struct conn *c, struct error *e)
{
    const struct conn_peer *peer = conn_peer(c);
    if (peers_is_own(p, &peer->person_id, &peer->long_term) || proved_itself(p, peer))
        return STATUS_OK;
    if (peers_names_own(p, &peer->person_id))
        return error_set(e, STATUS_REFUSED, "OWN-PERSON", "The person you name is our own");
    if (!p->learned)
        return error_set(e, STATUS_REFUSED, "BUSY", "The node is starting, try again");
    return pairings_admit(p->pairings, c, is_listed(p, c), e);
}

// What an instance key that we do not know may have: a pairing as somebody we do not know either.
static enum status host_claim(void *ctx, const struct conn *c, struct error *e)
{
    struct peers *p = ctx;
    const struct conn_peer *peer = conn_peer(c);
    if (peer->known)
        return STATUS_OK;
    if (conn_group(c) == CONN_PAIRING)
        return judge_pairing(p, c, e);
    if (conn_group(c) == CONN_DEBUG && !proved_itself(p, peer) && !may_become_known(p, c))
        return error_set(e, STATUS_REFUSED, "REFUSED", "You do not have permission to access this file");
    if (conn_group(c) == CONN_CHUM && !may_become_known(p, c))
        return error_set(e, STATUS_REFUSED, "REFUSED", "Unable to start chum because you are unknown");
    return STATUS_OK;
}

static const char *host_met(void *ctx, const struct conn_identity *local, const struct public_key *remote)
{
    const struct peers *p = ctx;
    return runs_met(twins_runs(p->twins), local, remote);
}

static void tell_chum_identity(struct peers *p, struct conn *c)
{
    const struct conn_peer *peer = conn_peer(c);
    node_tell(p->node, "person.verified",
              json_pack("{s:I, s:o, s:o}", "id", (json_int_t)conn_id(c), "personId", node_json_hash(&peer->person_id),
                        "instanceId", node_json_hash(&peer->instance_id)));
}

static const char *host_ready(void *ctx, struct conn *c, enum conn_group group)
{
    struct peers *p = ctx;
    const struct conn_peer *peer = conn_peer(c);
    tell_chum_identity(p, c);
    if (p->closing)
        return "The node is stopping";
    const char *limit = peer->known && conn_role(c) == CONN_ACCEPTOR ? connections_limit(p, c) : NULL;
    if (limit != NULL)
        return limit;
    if (group == CONN_PAIRING)
        return peers_may_pair(p) || conn_role(c) == CONN_INITIATOR ? pairings_ready(p->pairings, c) : "Pairing is off";
    if (group == CONN_DEBUG && !p->settings.debugs)
        return "Debug requests are off";
    if (!peer->known && may_become_known(p, c) && conn_hold(c, HOLD_MS))
        return NULL;
    if (group == CONN_DEBUG && !peer->known && !proved_itself(p, peer))
        return "You do not have permission to access this file";
    if (group == CONN_DEBUG) {
        inspections_serve(p->inspections, c);
        return NULL;
    }
    if (!peer->known)
        return "Unable to start chum because you are unknown";
    twins_ready(p->twins, c);
    const char *refusal = routes_assigned(p->routes, c);
    if (refusal != NULL)
        return refusal;
    bool own = peers_is_own(p, &peer->person_id, &peer->long_term);
    conn_recognise(c, own ? BUDGET_OWN : BUDGET_CONTACT);
    syncs_start(p->syncs, c, own);
    return NULL;
}

// ---- The end of connections -----------------------------------------------------------------------------------------

static void host_closed(void *ctx, struct conn *c, const struct error *why)
{
    struct peers *p = ctx;
    OWNER_ASSERT(p);
    connections_closed(p, c, why);
    vitals_watch(p->vitals);
    twins_closed(p->twins, c);
    if (p->closing) {
        if (p->winding_up.timer != NULL && p->connections.open == NULL)
            loop_timer_set(p->winding_up.timer, FAREWELL_MS);
        return;
    }
    pairings_closed(p->pairings, c, why);
    struct dialling *d = dialling_with(p, c);
    if (d == NULL) {
        routes_closed(p->routes, c, why);
        return;
    }
    uint64_t attempt = d->attempt;
    dialling_forget(d);
    routes_failed(p->routes, attempt, why);
}

void peers_accept(struct peers *p, struct transport *t, struct span first)
{
    OWNER_ASSERT(p);
    connections_make_room(p);
    conn_accept(t, &p->host, first);
}

void peers_accept_own(struct peers *p, struct transport *t)
{
    OWNER_ASSERT(p);
    connections_make_room(p);
    conn_accept(t, &p->own_host, (struct span){0});
}

// ---- News -----------------------------------------------------------------------------------------------------------

void peers_nudge(struct peers *p)
{
    routes_nudge(p->routes);
}

// What the store says has changed: contacts' profiles and switches move routes; anything may be worth telling.
static void store_changed(const struct store_change *changes, size_t count, void *ctx)
{
    struct peers *p = ctx;
    OWNER_ASSERT(p);
    bool endpoints = false;
    bool channels = false;
    bool settings = false;
    if (p->closing)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct store_change *c = &changes[i];
        if (c->kind == STORE_CHANGE_HEAD &&
            (strcmp(c->type, "Profile") == 0 || strcmp(c->type, "Leute") == 0 || strcmp(c->type, "Group") == 0))
            endpoints = true;
        if (c->kind == STORE_CHANGE_HEAD && strcmp(c->type, "ChannelInfo") == 0)
            channels = true;
        if (c->kind == STORE_CHANGE_HEAD && strcmp(c->type, "Settings") == 0)
            settings = true;
        if (c->kind == STORE_CHANGE_OBJECT && strcmp(c->type, "CreationTime") == 0 && !hash_is_zero(&c->from))
            traces_received(p->traces, &c->hash, clock_wall_ms());
    }
    room_changed(p->node->room);
    news_tell(p->news, changes, count);
    if (endpoints)
        peers_refresh(p);
    if (channels)
        followers_wake(p->node->followers);
    if (settings) // may be a list of deletions
        sweeper_kick(p->node->sweeper);
    syncs_tell_news(p->syncs);
}

// ---- The other own node --------------------------------------------------------------------------------------------

void peers_set_own(struct peers *p, const struct own_peer *own, const struct hash *instance, const char *url)
{
    p->own.peer = *own;
    p->own.instance = *instance;
    snprintf(p->own.url, sizeof p->own.url, "%s", url != NULL ? url : "");
    peers_refresh(p);
}

void peers_sent(struct peers *p, const struct traced_message *message)
{
    traces_sent(p->traces, message, clock_wall_ms());
    deliveries_sent(p->node->deliveries, &message->id);
    node_tell(
        p->node, "chat.sent",
        json_pack("{s:o, s:o}", "id", node_json_hash(&message->id), "channel", node_json_hash(&message->channel)));
}

// ---- Control methods -----------------------------------------------------------------------------------------------

void peers_register(struct node *n)
{
    pairings_register(n);
    connections_register(n);
    tries_register(n);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

static void incident_noted(void *ctx)
{
    const struct peers *p = ctx;
    vitals_watch(p->vitals);
}

static void create_parts(struct peers *p)
{
    p->pairings = pairings_create(p);
    p->traces = traces_create();
    traces_load(p->traces, p);
    p->incidents = incidents_create(incident_noted, p);
    p->syncs = syncs_create(p);
    p->inspections = inspections_create(p);
    p->vitals = vitals_create(p);
    p->seen = seen_create(p);
    p->tries = tries_create(p);
    p->news = news_create(p->node);
}

struct peers *peers_create(struct node *n, const struct own_peer *own)
{
    struct peers *p = mem_alloc(sizeof *p);
    p->node = n;
    p->own.peer = *own;
    peer_settings_read(node_config(n), node_kind(n)->name, &p->settings);
    p->budgets = budgets_create(NULL, NULL);
    p->recipes = recipes_create(false);
    p->host = (struct conn_host){.ctx = p,
                                 .recipes = p->recipes,
                                 .budgets = p->budgets,
                                 .crowded = host_crowded,
                                 .identity = host_identity,
                                 .admits = host_admits,
                                 .assigned = host_assigned,
                                 .known = host_known,
                                 .person_key = host_person_key,
                                 .claim = host_claim,
                                 .met = host_met,
                                 .challenges = &p->challenges,
                                 .ready = host_ready,
                                 .state = connections_state,
                                 .closed = host_closed};
    p->own_host = p->host;
    p->own_host.admits = own_host_admits;
    p->twins = twins_create(p);
    p->client = ws_client_create(node_loop(n), node_names(n), node_ca_file(n));
    p->routes_timer = loop_timer_create(node_loop(n), dialling_due, p);
    p->routes_host = dialling_host(p);
    p->routes = routes_create(&p->routes_host, ENDPOINTS_MAX);
    routes_set_outgoing(p->routes, p->settings.dials);
    peers_begin_local(p, &p->main, node_self(n));
    create_parts(p);
    store_queue_on_changes(node_queue(n), store_changed, p);
    peers_refresh(p);
    return p;
}

static void begin_nothing(struct peers *p)
{
    p->closing = true;
    syncs_close(p->syncs);
    pairings_close(p->pairings);
    tries_close(p->tries);
    p->tries = NULL;
    dialling_stop(p);
}

static void wound_up(void *ctx)
{
    const struct peers *p = ctx;
    p->winding_up.ended(p->winding_up.ctx);
}

void peers_wind_up(struct peers *p, void (*ended)(void *ctx), void *ctx)
{
    begin_nothing(p);
    p->winding_up = (struct winding_up){loop_timer_create(node_loop(p->node), wound_up, p), ended, ctx};
    loop_timer_set(p->winding_up.timer, p->connections.open != NULL ? PATIENCE_MS : 0);
    for (struct connection *l = p->connections.open; l != NULL;) {
        struct connection *next = l->next;
        if (l->conn != NULL)
            conn_wind_up(l->conn, NULL);
        l = next;
    }
}

void peers_close(struct peers *p)
{
    if (p == NULL)
        return;
    begin_nothing(p);
    traces_save(p->traces);
    while (p->connections.open != NULL) {
        struct connection *l = p->connections.open;
        if (l->conn != NULL)
            conn_close(l->conn, NULL);
        if (p->connections.open == l) // its end is reported later: the list forgets it now
            connections_forget(p, l);
    }
}

void peers_destroy(struct peers *p)
{
    if (p == NULL)
        return;
    news_destroy(p->news);
    inspections_destroy(p->inspections);
    syncs_destroy(p->syncs);
    vitals_destroy(p->vitals);
    p->vitals = NULL;
    seen_destroy(p->seen);
    twins_destroy(p->twins);
    connections_end(&p->connections);
    traces_destroy(p->traces);
    incidents_destroy(p->incidents);
    pairings_destroy(p->pairings);
    routes_destroy(p->routes);
    loop_timer_destroy(p->routes_timer);
    loop_timer_destroy(p->winding_up.timer);
    ws_client_destroy(p->client);
    peers_end_locals(p);
    recipes_destroy(p->recipes);
    budgets_destroy(p->budgets);
    free(p);
}
