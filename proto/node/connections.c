// A record outlives its connection: what is kept of a conn is copied while it still is there (take_leave), as its end
// is told from inside it. An address that fails again in the same way has one record and few lines in the log (quiet),
// or a contact that is away for weeks would fill both.
#include "node/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/addresses.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "node/seen.h"

const char *transport_kind_name(enum transport_kind kind)
{
    return kind == TRANSPORT_RELAY ? "relay" : "websocket";
}

static enum transport_kind kind_of(const struct connection *l)
{
    return l->relayed ? TRANSPORT_RELAY : TRANSPORT_WEBSOCKET;
}

// ---- Records -------------------------------------------------------------------------------------------------------

static void destroy(struct connection *l)
{
    free(l->url);
    free(l);
}

static void destroy_all(struct connection *list)
{
    while (list != NULL) {
        struct connection *next = list->next;
        destroy(list);
        list = next;
    }
}

void connections_end(struct connections *cs)
{
    destroy_all(cs->open);
    destroy_all(cs->ended);
    *cs = (struct connections){0};
}

static struct connection *find(const struct peers *p, uint64_t id)
{
    struct connection *l = p->connections.open;
    while (l != NULL && l->id != id)
        l = l->next;
    return l;
}

static struct connection *begin(struct peers *p, uint64_t id, const char *url)
{
    struct connection *l = mem_alloc(sizeof *l);
    *l = (struct connection){.next = p->connections.open,
                             .id = id,
                             .url = mem_text(span_of(url != NULL ? url : "")),
                             .created_ms = clock_wall_ms(),
                             .state_since = loop_now(node_loop(p->node))};
    p->connections.open = l;
    return l;
}

static void take_out(struct connection **list, struct connection *l)
{
    while (*list != l)
        list = &(*list)->next;
    *list = l->next;
}

// The newest of the ended ones; beyond CONNECTIONS_KEPT the oldest go.
static void keep(struct connections *cs, struct connection *l)
{
    l->next = cs->ended;
    cs->ended = l;
    struct connection *last = l;
    for (size_t count = 1; last->next != NULL && count < CONNECTIONS_KEPT; count++)
        last = last->next;
    destroy_all(last->next);
    last->next = NULL;
}

void connections_forget(struct peers *p, struct connection *l)
{
    take_out(&p->connections.open, l);
    destroy(l);
}

void connection_count(const struct connection *l, struct connection_counts *out)
{
    *out = l->counts;
    if (l->conn == NULL)
        return;
    const struct transport *t = conn_transport(l->conn);
    const struct pipeline_counts *counts = conn_counts(l->conn);
    *out = (struct connection_counts){.bytes_sent = t->bytes_sent,
                                      .bytes_received = t->bytes_received,
                                      .messages_sent = t->messages_sent,
                                      .messages_received = t->messages_received,
                                      .pipeline = counts != NULL ? *counts : (struct pipeline_counts){0}};
}

// ---- States --------------------------------------------------------------------------------------------------------

// The messages since the last state belong to the one that is left.
static void count_messages(struct connection *l)
{
    const struct transport *t = l->conn != NULL ? conn_transport(l->conn) : NULL;
    uint64_t all = t != NULL ? t->messages_sent + t->messages_received : l->said_before;
    l->said[l->state] += all - l->said_before;
    l->said_before = all;
}

static void enter(struct peers *p, struct connection *l, enum conn_state state)
{
    uint64_t now = loop_now(node_loop(p->node));
    uint64_t spent = now - l->state_since;
    if (!l->quiet)
        node_tell(p->node, "connection.state",
                  json_pack("{s:I, s:s, s:s, s:I}", "id", (json_int_t)l->id, "state", conn_state_name(state), "from",
                            conn_state_name(l->state), "ms", (json_int_t)spent));
    l->spent[l->state] += spent;
    count_messages(l);
    l->left |= 1u << l->state;
    l->state_since = now;
    l->state = state;
    if (state < CONN_CLOSING)
        l->furthest = state;
    if (state == CONN_ENCRYPTED)
        l->encrypted_ms = clock_wall_ms();
}

static void open_socket(struct peers *p, struct connection *l, struct conn *c)
{
    const struct transport *t = conn_transport(c);
    l->conn = c;
    l->quiet = false;
    l->incoming = conn_role(c) == CONN_ACCEPTOR;
    l->relayed = l->relayed || t->relayed;
    l->opened_ms = clock_wall_ms();
    p->connections.totals[kind_of(l)].opened++;
    node_tell(p->node, "connection.opened",
              json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)l->id, "url", l->url, "direction",
                        l->incoming ? "in" : "out", "transport", transport_kind_name(kind_of(l))));
}

// Somebody else's relay, as the acceptor said.
static void turn_out_relayed(struct peers *p, struct connection *l)
{
    p->connections.totals[TRANSPORT_WEBSOCKET].opened--;
    l->relayed = true;
    p->connections.totals[TRANSPORT_RELAY].opened++;
}

void connections_state(void *ctx, struct conn *c, enum conn_state state)
{
    struct peers *p = ctx;
    struct connection *l = find(p, conn_id(c));
    if (l == NULL)
        l = begin(p, conn_id(c), conn_transport(c)->url);
    if (l->conn == NULL)
        open_socket(p, l, c);
    else if (conn_transport(c)->relayed && !l->relayed)
        turn_out_relayed(p, l);
    enter(p, l, state);
    if (state == CONN_ACTIVE && conn_group(c) == CONN_CHUM)
        seen_note(p->seen, &conn_peer(c)->person_id);
}

// ---- The end -------------------------------------------------------------------------------------------------------

// How far it came tells what went wrong.
static enum incident incident_of(const struct connection *l)
{
    if (l->furthest == CONN_ENCRYPTING)
        return INCIDENT_ENCRYPTION;
    return l->furthest == CONN_AUTHENTICATING ? INCIDENT_AUTH : INCIDENT_CONNECTION;
}

static void finish(struct peers *p, struct connection *l, const struct error *why)
{
    struct connection_totals *t = &p->connections.totals[kind_of(l)];
    l->closed_ms = clock_wall_ms();
    l->why = *why;
    t->bytes += l->counts.bytes_sent + l->counts.bytes_received;
    t->messages += l->counts.messages_sent + l->counts.messages_received;
    t->succeeded += l->furthest >= CONN_PAIRING_ACTIVE;
    if (l->state == CONN_FAILED) {
        t->failed++;
        incidents_note(p->incidents, incident_of(l), l->id, why, l->closed_ms);
    }
    take_out(&p->connections.open, l);
    keep(&p->connections, l);
}

// What is worth keeping of a connection whose conn is about to go.
static void take_leave(struct connection *l)
{
    const struct conn *c = l->conn;
    connection_count(l, &l->counts);
    l->group = conn_group(c);
    l->person = conn_peer(c)->person_id;
    l->instance = conn_peer(c)->instance_id;
    l->close_code = conn_close_code(c);
    l->conn = NULL;
}

static void tell_closed(struct peers *p, const struct connection *l)
{
    json_t *data =
        json_pack("{s:I, s:o, s:s, s:s, s:s, s:s}", "id", (json_int_t)l->id, "reason",
                  node_json_text(span_of(l->why.message)), "origin", l->remote_end ? "remote" : "local", "code",
                  l->why.code, "state", conn_state_name(l->state), "protocol", conn_group_name(l->group));
    if (!hash_is_zero(&l->person))
        json_object_set_new(data, "personId", node_json_hash(&l->person));
    json_object_set_new(data, "bytesSent", json_integer((json_int_t)l->counts.bytes_sent));
    json_object_set_new(data, "bytesReceived", json_integer((json_int_t)l->counts.bytes_received));
    node_tell(p->node, "connection.closed", data);
    if (strcmp(l->why.code, "EP-KEYMISSMATCH") == 0 || strcmp(l->why.code, "OWN-PERSON") == 0)
        node_tell(p->node, "key.mismatch",
                  json_pack("{s:I, s:o}", "id", (json_int_t)l->id, "personId", node_json_hash(&l->person)));
}

void connections_closed(struct peers *p, struct conn *c, const struct error *why)
{
    struct connection *l = find(p, conn_id(c));
    if (l == NULL) // the node is closing and has forgotten it
        return;
    l->remote_end = strcmp(why->code, "PEER-CLOSED") == 0 || strcmp(why->code, "CONNECTION-LOST") == 0;
    take_leave(l);
    if (l->group == CONN_CHUM && l->furthest == CONN_ACTIVE)
        seen_note(p->seen, &l->person);
    finish(p, l, why);
    tell_closed(p, l);
}

uint64_t connections_served_ms(const struct peers *p, uint64_t id)
{
    const struct connection *l = p->connections.ended;
    return l != NULL && l->id == id ? l->spent[CONN_ACTIVE] : 0;
}

// ---- Dialling ------------------------------------------------------------------------------------------------------

// The record of the last attempt with that address, if it did not even open a socket.
static struct connection *failed_before(const struct peers *p, const char *url)
{
    struct connection *l = p->connections.ended;
    while (l != NULL && (l->incoming || strcmp(l->url, url) != 0))
        l = l->next;
    return l != NULL && l->state == CONN_FAILED && l->opened_ms == 0 ? l : NULL;
}

// Empty where nobody knows.
static struct hash_text known_person(const struct hash *person)
{
    return hash_is_zero(person) ? (struct hash_text){{0}} : hash_text(person);
}

static bool may_be_told(struct connections *cs, uint64_t now)
{
    if (now - cs->told_since >= 60000) {
        cs->told_since = now;
        cs->told_count = 0;
    }
    return cs->told_count++ < CONNECTIONS_TOLD_MAX;
}

// A contact may be away for weeks, and is dialled every few seconds. before is never NULL: gcc 14 reads it whether
// or not a condition says that it is there.
static void log_failure(struct peers *p, struct connection *l, const struct connection *before, const struct error *why)
{
    uint64_t now = loop_now(node_loop(p->node));
    l->failures = before->failures + 1;
    l->told_ms = before->told_ms;
    bool due = (!l->quiet || now - l->told_ms >= CONNECTIONS_TOLD_MS) && may_be_told(&p->connections, now);
    if (due)
        l->told_ms = now;
    LOG(due ? LOG_INFO : LOG_DEBUG, "dial.failed", LOG_INT("id", l->id), LOG_TEXT("url", l->url),
        LOG_TEXT("group", conn_group_name(l->group)), LOG_TEXT("person", known_person(&l->person).s),
        LOG_TEXT("code", why->code), LOG_TEXT("reason", why->message), LOG_INT("times", l->failures));
}

void connections_dialling(struct peers *p, uint64_t id, const char *url, enum conn_group group,
                          const struct hash *person)
{
    struct connection *l = begin(p, id, url);
    l->group = group;
    l->person = *person;
    l->quiet = failed_before(p, url) != NULL;
    l->relayed = addresses_is_relay(node_config(p->node), span_of(url));
    LOG(l->quiet ? LOG_DEBUG : LOG_INFO, "dial.started", LOG_INT("id", id), LOG_TEXT("text", "WebSocket created"),
        LOG_TEXT("url", url), LOG_TEXT("group", conn_group_name(group)), LOG_TEXT("person", known_person(person).s));
    enter(p, l, CONN_CONNECTING);
}

void connections_undialled(struct peers *p, uint64_t id, const struct error *why)
{
    struct connection *l = id != 0 ? find(p, id) : NULL;
    if (l == NULL) {
        LOG(LOG_INFO, "dial.failed", LOG_TEXT("code", why->code), LOG_TEXT("reason", why->message));
        p->connections.totals[TRANSPORT_WEBSOCKET].failed++;
        incidents_note(p->incidents, INCIDENT_CONNECTION, 0, why, clock_wall_ms());
        return;
    }
    struct connection *before = failed_before(p, l->url);
    l->quiet = before != NULL && strcmp(before->why.code, why->code) == 0;
    static const struct connection none;
    log_failure(p, l, l->quiet ? before : &none, why);
    if (before != NULL) { // one record per address that cannot be reached
        take_out(&p->connections.ended, before);
        destroy(before);
    }
    enter(p, l, CONN_FAILED);
    finish(p, l, why);
}

void connections_cancelled(struct peers *p, uint64_t id)
{
    static const struct error why = {.status = STATUS_CLOSED, .code = "CLOSED", .message = "The attempt was given up"};
    struct connection *l = find(p, id);
    if (l == NULL)
        return;
    enter(p, l, CONN_CLOSED);
    finish(p, l, &why);
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
    for (struct connection *l = p->connections.open; l != NULL; l = l->next) {
        if (l->conn == NULL || !is_waiting(l->conn))
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
    for (const struct connection *l = p->connections.open; l != NULL; l = l->next) {
        if (l->conn == NULL || conn_role(l->conn) != CONN_ACCEPTOR || !conn_transport(l->conn)->trusted)
            continue;
        all++;
        same += public_key_eq(&conn_peer(l->conn)->long_term, &conn_peer(c)->long_term);
    }
    if (peers_is_own(p, &conn_peer(c)->person_id, &conn_peer(c)->long_term))
        return NULL;
    if (same >= PEERS_INSTANCE_MAX)
        return "Too many connections with this instance";
    return all >= PEERS_SERVED_MAX ? "Too many connections" : NULL;
}

// ---- Totals --------------------------------------------------------------------------------------------------------

struct connection_totals connections_totals(const struct peers *p, enum transport_kind kind)
{
    struct connection_totals t = p->connections.totals[kind];
    for (const struct connection *l = p->connections.open; l != NULL; l = l->next) {
        if (l->conn == NULL || kind_of(l) != kind)
            continue;
        struct connection_counts counts;
        connection_count(l, &counts);
        t.open++;
        t.active += l->state == CONN_ACTIVE;
        t.bytes += counts.bytes_sent + counts.bytes_received;
        t.messages += counts.messages_sent + counts.messages_received;
        t.succeeded += l->furthest >= CONN_PAIRING_ACTIVE;
    }
    return t;
}
