// The connections of a node, each with a record from the first attempt to dial it until some time after its end
// (MODELS.md 10.1, 10.2). Loop thread only.
#pragma once

#include <jansson.h>

#include "conn/conn.h"
#include "node/node.h"

enum {
    CONNECTIONS_KEPT = 100,           // records of ended connections
    CONNECTIONS_TOLD_MS = 10 * 60000, // an address that fails in the same way again has a line at info that often
    CONNECTIONS_TOLD_MAX = 60,        // lines about such in a minute
};

struct peers;

struct connection_counts {
    uint64_t bytes_sent, bytes_received, messages_sent, messages_received; // on the WebSocket
    struct pipeline_counts pipeline;
};

struct connection {
    struct connection *next;
    struct conn *conn; // NULL while it is dialled, and once it has ended
    uint64_t id;       // conn_id
    char *url;
    bool relayed, incoming;
    bool quiet;                 // dialling that address failed before: nobody is told of the same again
    uint64_t failures, told_ms; // how often it failed one after the other, and when the log said so last (monotonic)
    enum conn_group group;
    struct hash person, instance; // zero until they are proved
    enum conn_state state, furthest;
    uint64_t state_since;                                   // monotonic
    uint64_t spent[CONN_STATES];                            // ms in each state
    uint64_t said[CONN_STATES], said_before;                // messages of both sides in each, and before this one
    unsigned left;                                          // bit per state it has left
    int64_t created_ms, opened_ms, encrypted_ms, closed_ms; // 0 = not yet
    struct connection_counts counts;                        // once it has ended
    bool remote_end;
    int close_code;
    struct error why;
};

struct connection_totals {              // since the start; bytes and messages on the WebSockets
    uint64_t opened, failed, succeeded; // failed: also what could not be dialled; succeeded: served its group
    uint64_t bytes, messages;
    uint64_t open, active; // now
};

enum transport_kind { TRANSPORT_WEBSOCKET, TRANSPORT_RELAY, TRANSPORT_KINDS };

struct connections {
    struct connection *open;                          // newest first
    struct connection *ended;                         // likewise, CONNECTIONS_KEPT at most
    struct connection_totals totals[TRANSPORT_KINDS]; // without those that are open
    uint64_t told_since;                              // of lines about failures: the minute that is counted
    unsigned told_count;
};

void connections_end(struct connections *cs); // forgets all records

// An attempt to dial, until its socket opens; id is ws_connect_id.
// person: whom it is meant for, zero if nobody knows yet.
void connections_dialling(struct peers *p, uint64_t id, const char *url, enum conn_group group,
                          const struct hash *person);
void connections_undialled(struct peers *p, uint64_t id, const struct error *why); // id 0: it did not even begin
void connections_cancelled(struct peers *p, uint64_t id);

void connections_state(void *ctx, struct conn *c, enum conn_state state); // of conn_host; ctx is the peers
void connections_closed(struct peers *p, struct conn *c, const struct error *why);
uint64_t connections_served_ms(const struct peers *p, uint64_t id); // of one that has just ended
void connections_forget(struct peers *p, struct connection *l);     // without a word, when the node closes

// Before another one is accepted: whoever waits longest gives way when there are too many.
void connections_make_room(struct peers *p);
// Why this one, accepted from a known peer, cannot be served beside the others; NULL if it can.
const char *connections_limit(const struct peers *p, const struct conn *c);

struct connection_totals connections_totals(const struct peers *p, enum transport_kind kind);
const char *transport_kind_name(enum transport_kind kind);
void connection_count(const struct connection *l, struct connection_counts *out); // now, or at its end

// connections_show.c; empty for NULL.
json_t *connections_show(const struct peers *p, bool ended);
void connections_register(struct node *n); // connections.list
