// The tables behind routes.h: routes_table.c keeps them, routes.c moves them.
#pragma once

#include "base/invariant.h"
#include "conn/routes.h"

struct route_owner;

struct route {                // a local and a remote instance
    struct route *next_local; // the same remote instance seen from another local one
    const struct conn_identity *local;
    struct route_owner *owner; // that of person
    struct hash person, instance;
    struct public_key person_key, instance_key;
    char *urls[ROUTES_URLS];
    size_t url_count;
    size_t url;          // the one tried next
    const char *dialled; // the one tried last; NULL if it is gone
    bool own, disabled;
    bool hearsay; // see routes_endpoint

    struct conn *active;
    uint64_t assigned_at;
    uint64_t attempt;    // 0 = none under way
    uint64_t dial_until; // 0 once it is open
    uint64_t retry_at;   // 0 = not waiting
    unsigned failures;   // rounds of attempts in a row
    unsigned refusals;   // "you are unknown" in a row
};

struct routes {
    OWNER
    const struct routes_host *host;
    size_t limit;
    const struct conn_identity **locals;
    size_t local_count;
    struct route **routes;
    size_t count, room;
    struct hash_map *by_key; // remote instance key → its first route
    struct hash_map *disabled_persons;
    struct hash_map *owners; // by person
    size_t under_way;        // attempts
    size_t open;             // routes with a connection, when they were counted last
    bool outgoing;
    uint64_t last_attempt;
    uint64_t wake; // what the host was asked for
};

// routes_find.c
struct hash routes_key_hash(const struct public_key *key);
struct route *routes_first(const struct routes *r,
                           const struct public_key *remote); // of those to it, by next_local; NULL = none
struct route *routes_find(const struct routes *r, const struct conn_identity *local, const struct public_key *remote);

void routes_stop(struct routes *r, struct route *g, const char *reason); // no attempt, no connection, no waiting
void routes_start(struct routes *r, struct route *g, uint64_t delay_ms); // dial after the delay if there is a reason to
void routes_schedule(struct routes *r);                                  // tells the host when to wake us
void routes_schedule_one(struct routes *r, const struct route *g);       // the same when only g has changed

// ---- routes_turns.c: whose turn it is to dial
bool turns_have_room(const struct routes *r, const struct hash *person);            // for another instance
void turns_set_owner(struct routes *r, struct route *g, const struct hash *person); // NULL: the route goes
void turns_destroy(struct routes *r);
bool turns_may_lead(struct routes *r, const struct route *g, const char *url);
bool turns_may_reach(struct routes *r, const struct route *g, const char *address, uint16_t port);
void turns_place_failed(struct routes *r, const struct route *g); // nothing opened at the address dialled
void turns_place_opened(const struct route *g);
void turns_forgive(const struct route *g); // the places of its person need not wait
void turns_count(struct routes *r);
// When the route may be dialled: 0 = not before another attempt is over, or not waiting at all.
uint64_t turns_when(const struct routes *r, const struct route *g, uint64_t now_ms);
struct route *turns_next(struct routes *r, uint64_t now_ms); // NULL if nobody's turn is now
void turns_began(struct routes *r, const struct route *g);
void turns_ended(struct routes *r, const struct route *g);
