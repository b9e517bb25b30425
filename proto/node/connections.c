// The list of connections: what is told about them, counted, and shown.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/job.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

// ---- Their life ----------------------------------------------------------------------------------------------------

static struct connection *connection_of(struct peers *p, struct conn *c)
{
    struct connection *l = p->connections;
    while (l != NULL && l->conn != c)
        l = l->next;
    if (l != NULL)
        return l;
    l = mem_alloc(sizeof *l);
    *l = (struct connection){
        .next = p->connections, .conn = c, .opened_ms = clock_wall_ms(), .state_since = loop_now(node_loop(p->node))};
    p->connections = l;
    p->totals.opened++;
    return l;
}

void connections_state(void *ctx, struct conn *c, enum conn_state state)
{
    struct peers *p = ctx;
    struct connection *l = connection_of(p, c);
    uint64_t now = loop_now(node_loop(p->node));
    node_tell(p->node, "connection.state",
              json_pack("{s:I, s:s, s:I}", "id", (json_int_t)conn_id(c), "state", conn_state_name(state), "ms",
                        (json_int_t)(now - l->state_since)));
    l->state_since = now;
    if (state == CONN_FAILED)
        p->totals.failed++;
    else if (state < CONN_CLOSING && state > l->furthest)
        l->furthest = state;
}

// How far it came tells what went wrong.
static enum incident kind_of(const struct connection *l)
{
    if (l->furthest == CONN_ENCRYPTING)
        return INCIDENT_ENCRYPTION;
    return l->furthest == CONN_AUTHENTICATING ? INCIDENT_AUTH : INCIDENT_CONNECTION;
}

static void forget(struct peers *p, struct connection *l, const struct error *why)
{
    const struct transport *t = conn_transport(l->conn);
    p->totals.bytes += t->bytes_sent + t->bytes_received;
    p->totals.messages += t->messages_sent + t->messages_received;
    p->totals.succeeded += l->furthest >= CONN_PAIRING_ACTIVE;
    if (conn_state(l->conn) == CONN_FAILED)
        incidents_note(p->incidents, kind_of(l), conn_id(l->conn), why, clock_wall_ms());
    free(l);
}

void connections_closed(struct peers *p, struct conn *c, const struct error *why)
{
    struct connection **place = &p->connections;
    while (*place != NULL && (*place)->conn != c)
        place = &(*place)->next;
    struct connection *gone = *place;
    if (gone != NULL) {
        *place = gone->next;
        forget(p, gone, why);
    }
    LOG(LOG_INFO, "connection.closed", LOG_INT("id", conn_id(c)), LOG_TEXT("group", conn_group_name(conn_group(c))),
        LOG_TEXT("code", why->code), LOG_TEXT("reason", why->message));
    node_tell(p->node, "connection.closed",
              json_pack("{s:I, s:s, s:s}", "id", (json_int_t)conn_id(c), "reason", why->message, "code", why->code));
    if (strcmp(why->code, "EP-KEYMISSMATCH") == 0)
        node_tell(p->node, "key.mismatch",
                  json_pack("{s:I, s:o}", "id", (json_int_t)conn_id(c), "personId",
                            node_json_hash(&conn_peer(c)->person_id)));
}

void connections_undialled(struct peers *p, const struct error *why)
{
    p->totals.failed++;
    incidents_note(p->incidents, INCIDENT_CONNECTION, 0, why, clock_wall_ms());
}

// ---- Their number --------------------------------------------------------------------------------------------------

static bool is_waiting(const struct conn *c)
{
    return conn_role(c) == CONN_ACCEPTOR && conn_state(c) < CONN_CLOSING && !conn_transport(c)->trusted;
}

void connections_make_room(struct peers *p)
{
    size_t count = 0;
    struct conn *oldest = NULL;
    for (struct connection *l = p->connections; l != NULL; l = l->next) {
        if (!is_waiting(l->conn))
            continue;
        count++;
        oldest = l->conn;
    }
    if (count < PEERS_WAITING_MAX)
        return;
    struct error why;
    error_set(&why, STATUS_FULL, "CROWDED", "%zu connections wait that have yet to prove who they are", count);
    conn_fail(oldest, &why);
}

const char *connections_limit(const struct peers *p, const struct conn *c)
{
    size_t all = 0, same = 0;
    for (const struct connection *l = p->connections; l != NULL; l = l->next) {
        if (conn_role(l->conn) != CONN_ACCEPTOR || !conn_transport(l->conn)->trusted)
            continue;
        all++;
        same += public_key_eq(&conn_peer(l->conn)->long_term, &conn_peer(c)->long_term);
    }
    if (peers_is_own(p, &conn_peer(c)->person_id))
        return NULL;
    if (same >= PEERS_INSTANCE_MAX)
        return "Too many connections with this instance";
    return all >= PEERS_SERVED_MAX ? "Too many connections" : NULL;
}

struct connection_totals connections_totals(const struct peers *p)
{
    struct connection_totals t = p->totals;
    for (const struct connection *l = p->connections; l != NULL; l = l->next) {
        const struct transport *transport = conn_transport(l->conn);
        t.open++;
        t.active += conn_state(l->conn) == CONN_ACTIVE;
        t.bytes += transport->bytes_sent + transport->bytes_received;
        t.messages += transport->messages_sent + transport->messages_received;
        t.succeeded += l->furthest >= CONN_PAIRING_ACTIVE;
    }
    return t;
}

// ---- Showing them --------------------------------------------------------------------------------------------------

static json_t *show_latency(const struct peers *p, const struct conn *c)
{
    uint64_t ms;
    return syncs_latency(p->syncs, c, &ms) ? json_integer((json_int_t)ms) : json_null();
}

static json_t *show(const struct peers *p, const struct connection *l)
{
    const struct conn *c = l->conn;
    const struct transport *t = conn_transport(c);
    const struct conn_peer *peer = conn_peer(c);
    bool live = conn_state(c) == CONN_ACTIVE;
    return json_pack("{s:I, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:I, s:[s, s, s]}", "id",
                     (json_int_t)conn_id(c), "remotePersonId", node_json_hash(&peer->person_id), "remoteInstanceId",
                     node_json_hash(&peer->instance_id), "protocol", conn_group_name(conn_group(c)), "state",
                     conn_state_name(conn_state(c)), "direction", conn_role(c) == CONN_INITIATOR ? "out" : "in",
                     "transport", t->relayed ? "relay" : "websocket", "url", t->url != NULL ? t->url : "", "live",
                     (int)live, "bytesSent", (json_int_t)t->bytes_sent, "bytesReceived", (json_int_t)t->bytes_received,
                     "messagesSent", (json_int_t)t->messages_sent, "messagesReceived", (json_int_t)t->messages_received,
                     "latencyMs", show_latency(p, c), "openedAt", (json_int_t)l->opened_ms, "plugins", "encryption",
                     "keepalive", "fragmentation");
}

json_t *connections_show(const struct peers *p)
{
    json_t *items = json_array();
    for (const struct connection *l = p != NULL ? p->connections : NULL; l != NULL; l = l->next)
        json_array_append_new(items, show(p, l));
    return items;
}

static void connections_list(struct ipc_request *r, void *ctx)
{
    ipc_request_reply(r, json_pack("{s:o}", "items", connections_show(node_peers(ctx))));
}

void connections_register(struct node *n)
{
    ipc_service_on(node_service(n), "connections.list", connections_list, n);
}
