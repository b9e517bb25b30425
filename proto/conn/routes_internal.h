// The tables behind routes.h: routes_table.c keeps them, routes.c moves them.
#pragma once

#include "conn/routes.h"

struct route {                // a local and a remote instance
    struct route *next_local; // the same remote instance seen from another local one
    const struct conn_identity *local;
    struct hash person, instance;
    struct public_key person_key, instance_key;
    char *urls[ROUTES_URLS];
    size_t url_count;
    size_t url;          // the one tried next
    const char *dialled; // the one tried last; NULL if it is gone
    bool tandem, disabled;

    struct conn *active;
    uint64_t assigned_at;
    uint64_t attempt;    // 0 = none under way
    uint64_t dial_until; // 0 once it is open
    uint64_t retry_at;   // 0 = not waiting
    unsigned failures;   // rounds of attempts in a row
    unsigned refusals;   // "you are unknown" in a row
};

struct routes {
    const struct routes_host *host;
    size_t limit;
    const struct conn_identity **locals;
    size_t local_count;
    struct route **routes;
    size_t count, room;
    struct hash_map *by_key; // remote instance key → its first route
    struct hash_map *disabled_persons;
    struct hash_map *disabled_instances; // by key
    bool outgoing;
    uint64_t last_attempt;
    uint64_t wake; // what the host was asked for
};

struct route *routes_find(const struct routes *r, const struct conn_identity *local, const struct public_key *remote);

void routes_stop(struct routes *r, struct route *g, const char *reason); // no attempt, no connection, no waiting
void routes_start(struct routes *r, struct route *g, uint64_t delay_ms); // dial after the delay if there is a reason to
void routes_schedule(struct routes *r);                                  // tells the host when to wake us
void routes_schedule_one(struct routes *r, const struct route *g);       // the same when only g has changed
