// Connections as control clients see them. Some members are there twice, by names that some programs look
// for (add_synonyms). Of what has ended is shown what its record kept, of what lives what the connection says now.
#include "node/connections.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

static json_t *show_latency(const struct peers *p, const struct connection *l)
{
    uint64_t ms;
    bool known = l->conn != NULL && syncs_latency(p->syncs, l->conn, &ms);
    return known ? json_integer((json_int_t)ms) : json_null();
}

static json_t *show_time(int64_t ms)
{
    return ms != 0 ? json_integer(ms) : json_null();
}

static void add_plugin(json_t *to, const char *name, int64_t since_ms, uint64_t sent, uint64_t received)
{
    json_array_append_new(to, json_pack("{s:s, s:I, s:I, s:I}", "name", name, "addedAt", (json_int_t)since_ms, "sent",
                                        (json_int_t)sent, "received", (json_int_t)received));
}

// The chain, from the network upwards: what each stage has handled.
static json_t *show_plugins(const struct connection *l, const struct connection_counts *c)
{
    const struct pipeline_counts *pipeline = &c->pipeline;
    json_t *chain = json_array();
    if (l->opened_ms != 0)
        add_plugin(chain, "websocket", l->opened_ms, c->messages_sent, c->messages_received);
    if (l->encrypted_ms == 0)
        return chain;
    add_plugin(chain, "encryption", l->encrypted_ms, pipeline->sealed, pipeline->opened);
    add_plugin(chain, "keepalive", l->encrypted_ms, pipeline->lifesigns_sent, pipeline->lifesigns_received);
    add_plugin(chain, "fragmentation", l->encrypted_ms, pipeline->messages_sent, pipeline->messages_received);
    return chain;
}

// The states it went through and left, with the time spent in each.
static json_t *show_steps(const struct connection *l)
{
    json_t *steps = json_array();
    for (int state = CONN_CONNECTING; state < CONN_STATES; state++) {
        if ((l->left >> state & 1) != 0)
            json_array_append_new(steps,
                                  json_pack("{s:s, s:I, s:I}", "state", conn_state_name((enum conn_state)state), "ms",
                                            (json_int_t)l->spent[state], "messages", (json_int_t)l->said[state]));
    }
    return steps;
}

static json_t *show_end(const struct connection *l)
{
    if (l->closed_ms == 0)
        return json_null();
    return json_pack("{s:s, s:i, s:s, s:o, s:s}", "type", l->state == CONN_FAILED ? "failed" : "closed", "status",
                     l->close_code, "code", l->why.code, "reason", node_json_text(span_of(l->why.message)), "origin",
                     l->remote_end ? "remote" : "local");
}

static void add_counts(json_t *to, const struct connection_counts *c)
{
    json_object_set_new(to, "bytesSent", json_integer((json_int_t)c->bytes_sent));
    json_object_set_new(to, "bytesReceived", json_integer((json_int_t)c->bytes_received));
    json_object_set_new(to, "messagesSent", json_integer((json_int_t)c->messages_sent));
    json_object_set_new(to, "messagesReceived", json_integer((json_int_t)c->messages_received));
}

// The names that some programs look for.
static void add_synonyms(json_t *to, const struct connection *l, const struct connection_counts *c)
{
    json_object_set_new(to, "internalId", json_integer((json_int_t)l->id));
    json_object_set_new(to, "connectionId", json_integer((json_int_t)l->id));
    json_object_set_new(to, "currentState", json_string(conn_state_name(l->state)));
    json_object_set_new(to, "startTime", show_time(l->created_ms));
    json_object_set_new(to, "messageCount", json_integer((json_int_t)(c->messages_sent + c->messages_received)));
}

static void add_times(json_t *to, const struct connection *l)
{
    json_object_set_new(to, "createdAt", show_time(l->created_ms));
    json_object_set_new(to, "openedAt", show_time(l->opened_ms));
    json_object_set_new(to, "closedAt", show_time(l->closed_ms));
    json_object_set_new(to, "steps", show_steps(l));
    json_object_set_new(to, "closeEvent", show_end(l));
}

static json_t *show(const struct peers *p, const struct connection *l)
{
    struct connection_counts counts;
    connection_count(l, &counts);
    const struct hash *person = l->conn != NULL ? &conn_peer(l->conn)->person_id : &l->person;
    const struct hash *instance = l->conn != NULL ? &conn_peer(l->conn)->instance_id : &l->instance;
    enum conn_group group = l->conn != NULL ? conn_group(l->conn) : l->group;
    enum transport_kind kind = l->relayed ? TRANSPORT_RELAY : TRANSPORT_WEBSOCKET;
    json_t *item = json_pack("{s:I, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:b}", "id", (json_int_t)l->id, "remotePersonId",
                             node_json_hash(person), "remoteInstanceId", node_json_hash(instance), "protocol",
                             conn_group_name(group), "state", conn_state_name(l->state), "direction",
                             l->incoming ? "in" : "out", "transport", transport_kind_name(kind), "url",
                             node_json_text(span_of(l->url)), "live", (int)(l->state == CONN_ACTIVE));
    add_counts(item, &counts);
    json_object_set_new(item, "latencyMs", show_latency(p, l));
    add_times(item, l);
    add_synonyms(item, l, &counts);
    json_object_set_new(item, "plugins", show_plugins(l, &counts));
    return item;
}

json_t *connections_show(const struct peers *p, bool ended)
{
    json_t *items = json_array();
    if (p == NULL)
        return items;
    for (const struct connection *l = p->connections.open; l != NULL; l = l->next)
        json_array_append_new(items, show(p, l));
    for (const struct connection *l = p->connections.ended; ended && l != NULL; l = l->next)
        json_array_append_new(items, show(p, l));
    return items;
}

// A page begins at a position in the list: it serves looking, connections come and go meanwhile.
static void connections_list(struct ipc_request *r, void *ctx)
{
    const char *after = ipc_request_text(r, P_after);
    size_t begin = after != NULL ? strtoul(after, NULL, 10) : 0;
    size_t limit = (size_t)ipc_request_int(r, P_limit, 100);
    json_t *all = connections_show(node_peers(ctx), ipc_request_bool(r, P_ended, false));
    json_t *page = json_array();
    char next[24] = "";
    for (size_t i = begin; i < json_array_size(all) && i - begin < limit; i++)
        json_array_append(page, json_array_get(all, i));
    if (begin + limit < json_array_size(all))
        snprintf(next, sizeof next, "%zu", begin + limit);
    json_decref(all);
    ipc_request_reply(r, json_pack("{s:o, s:s?}", "items", page, "next", next[0] != '\0' ? next : NULL));
}

void connections_register(struct node *n)
{
    ipc_service_on(node_service(n), "connections.list", connections_list, n);
}
