// Who this node knows and how it stays connected with them (WIRE.md 8, 6.6): the table of endpoints, known peers and
// person keys; for each pair of a local and a remote instance one chum connection, dialled, accepted, kept and renewed.
//
// A pure state machine on the loop thread. It dials through a vtable; the host reports what became of an attempt and
// forwards the events of its connections:
//
//   conn_host.identity → routes_identity    conn_host.known      → routes_known       conn_host.admits → routes_admits
//   conn_host.assigned → routes_assigned    conn_host.person_key → routes_person_key  conn_host.closed → routes_closed
#pragma once

#include "conn/conn.h"

enum {
    ROUTES_DIAL_MS = 5000,      // for a WebSocket to open
    ROUTES_DUPLICATE_MS = 2000, // in which the first of two connections wins
    ROUTES_RECONNECT_MS = 5000, // times 1 … 2
    ROUTES_COURTESY_MS = 1000,  // between a pairing and the first chum with the inviting side
    ROUTES_YIELD_MS = 600,      // and with the invited side, which dials at once if it can
    ROUTES_URLS = 4,            // addresses per endpoint; more are ignored
    ROUTES_INSTANCES = 16,      // of one person
    ROUTES_DIALS = 32,          // attempts under way
    ROUTES_DIALS_EACH = 4,      // of them for one person
    ROUTES_OPEN = 384,          // attempts and connections, above which nobody is dialled: descriptors are finite
};
// These bounds, and those of routes_turns.c, are not for own nodes.

struct routes;

struct routes_endpoint { // an instance, as the OneInstanceEndpoint objects with its key tell; texts are copied
    const struct conn_identity *local; // whose contact it is; NULL = that of every local identity
    struct hash person, instance;
    struct public_key person_key, instance_key;
    bool hearsay; // only the person's profile says that these are its keys: that stands against nobody else
    const char
        *urls[ROUTES_URLS]; // to be tried in this order; others than ws:// and wss:// are left out, NULL ends them
};

struct routes_host {
    void *ctx;
    uint64_t (*now)(void *ctx);    // monotonic ms
    uint32_t (*random)(void *ctx); // any number, for the jitter
    // Opens url and then a chum connection from local to remote. Ends with routes_assigned for that connection, or with
    // routes_failed; routes_opened in between.
    void (*dial)(void *ctx, uint64_t attempt, const char *url, const struct conn_identity *local,
                 const struct public_key *remote);
    void (*cancel)(void *ctx, uint64_t attempt);            // drop it without calling back
    void (*wake_at)(void *ctx, uint64_t monotonic_ms);      // when routes_on_time is due; 0 = never
    uint64_t (*wait)(void *ctx, const struct hash *person); // ms until the person may be dialled; NULL = always 0
};

struct routes *routes_create(const struct routes_host *host, size_t limit); // limit: endpoints
void routes_destroy(struct routes *r);                                      // closes nothing
void routes_on_time(struct routes *r);

// ---- What is known ----

void routes_add_local(struct routes *r, const struct conn_identity *local); // borrowed, outlives r
enum routes_reason { ROUTES_STORED, ROUTES_JUST_PAIRED, ROUTES_JUST_INVITED };
// An endpoint, new or again. The newest record of an instance key wins; of the addresses, those known already keep
// their order, since the one that worked last is in front. JUST_PAIRED: as the invited side, so the other one may still
// be storing. JUST_INVITED: paired as the inviting side; if both dialled now, each might drop the other's connection
// (WIRE.md 8.4). STATUS_FULL "TOO-MANY-ENDPOINTS": of the person, or in all.
enum status routes_learn(struct routes *r, const struct routes_endpoint *endpoint, enum routes_reason reason,
                         struct error *e);
// Closes its connection. local: whose contact it is no more; NULL = nobody's.
void routes_forget(struct routes *r, const struct conn_identity *local, const struct public_key *instance_key);
// Our other node: no courtesy, quick reconnects.
void routes_set_own(struct routes *r, const struct public_key *instance_key);

// ---- Switches ----

void routes_set_outgoing(struct routes *r, bool enabled); // all dialling; on at first
void routes_enable_person(struct routes *r, const struct hash *person, bool enabled);
void routes_nudge(struct routes *r); // the network or the listener is back: dial what waits, at once

// ---- Attempts and connections ----

void routes_opened(struct routes *r, uint64_t attempt); // the WebSocket is open, the handshake begins
void routes_failed(struct routes *r, uint64_t attempt, const struct error *why); // before routes_assigned
// The name of the attempt's URL was looked up and leads there: is that still within what its person may lead us to?
bool routes_may_reach(struct routes *r, uint64_t attempt, const char *address, uint16_t port);

const struct conn_identity *routes_identity(const struct routes *r, const struct public_key *target);
// *person: who says to have the key, or zero; the person it belongs to. Hearsay tells nothing about anybody else.
bool routes_known(const struct routes *r, const struct conn_identity *local, const struct public_key *remote,
                  struct hash *person, struct hash *instance);
enum conn_key_check routes_person_key(const struct routes *r, const struct hash *person, const struct public_key *key);
// false when the peer is switched off. Strangers are admitted if strangers is true. CHUM of a peer that is switched off
// is admitted too, and refused by routes_assigned: a reference peer that is closed without `sync` never dials again.
bool routes_admits(const struct routes *r, const struct conn_identity *local, const struct public_key *source,
                   enum conn_group group, bool strangers);
// The duplicate rule (WIRE.md 8.4); chum only. Asked again for a connection that was held until its peer was known.
const char *routes_assigned(struct routes *r, struct conn *c);
void routes_closed(struct routes *r, struct conn *c, const struct error *why);

// ---- For people ----

enum route_state { ROUTE_DISABLED, ROUTE_INCOMING, ROUTE_WAITING, ROUTE_DIALLING, ROUTE_ACTIVE };

struct route_info { // borrowed
    const struct conn_identity *local;
    struct hash person, instance;
    struct public_key instance_key;
    enum route_state state; // INCOMING: no address, the peer has to come
    const char *url;        // the one tried or used next; NULL without
    uint64_t retry_at;      // WAITING
    unsigned failures;      // attempts in a row
    bool own;
    struct conn *active; // ACTIVE
};

void routes_each(const struct routes *r, void (*visit)(void *ctx, const struct route_info *info), void *ctx);
