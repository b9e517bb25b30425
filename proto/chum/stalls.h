// Ids whose versions fail again and again, each for what lies below all of them: everything is fetched for each. They
// wait together, longer and longer, whichever version it is; one that can be taken ends it.
#pragma once

#include <stdint.h>

#include "base/hash.h"

struct chum_stalls {
    struct hash_map *by_id; // NULL: none
};

void chum_stalls_free(struct chum_stalls *s);
struct chum_setback { // versions of an id were fetched and none was taken
    bool news;        // one failed that had not before
    bool refused;     // by us: nothing is wrong with the synchronisation then
};
// True: from now on the id counts as stuck.
bool chum_stalls_failed(struct chum_stalls *s, const struct hash *id_hash, struct chum_setback setback, uint64_t now);
void chum_stalls_taken(struct chum_stalls *s, const struct hash *id_hash);
// When what failed of the id is tried again; 0 = as it likes.
uint64_t chum_stalls_until(const struct chum_stalls *s, const struct hash *id_hash);
// Adds the ids of which nothing new is to be asked for either.
void chum_stalls_add_waiting(const struct chum_stalls *s, uint64_t now, struct hash_map *waiting);
// How many ids are stuck. Those that have not failed for long are forgotten.
uint64_t chum_stalls_sum_up(struct chum_stalls *s, uint64_t now);
