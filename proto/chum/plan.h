// What of a peer's root list is missing here (WIRE.md 10.7). Store thread.
#pragma once

#include "chum/chum.h"
#include "chum/lists.h"

enum { CHUM_WANT_ROOTS = 64 }; // version nodes of one id fetched together; the others wait for another pass

struct chum_want { // roots of one kind; version nodes of one id together, oldest first
    enum chum_root_kind kind;
    struct hash id_hash; // zero for unversioned
    char type[80];       // as announced; may be empty
    struct hash *hashes; // objects or nodes; for kind id the id itself
    size_t count;
    struct hash previous; // the newest version node of the id that is here already; zero = none
};

struct chum_plan {
    struct chum_want *wants; // in list order, versions last
    size_t count;
    struct hash_list waited; // missing, but left out
    uint64_t skipped;        // refused, or of a type without recipe
    bool unknown;            // some were of a type without recipe
    bool postponed;          // an id has more new versions than are fetched together
};
// waiting: roots that are not to be asked for yet.
enum status chum_plan_make(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                           const struct hash_map *waiting, struct span list, struct chum_plan *out, struct error *e);
void chum_plan_free(struct chum_plan *p);
