// The roots of a peer that could not be taken over, or not wholly, and when each is tried again: after longer and
// longer pauses, and no sooner than the id whose version it is (stalls.h). Part of the importer; loop thread.
#pragma once

#include "chum/receive.h"
#include "chum/stalls.h"

struct chum_failures {
    struct hash_map *by_root; // struct failure
    struct chum_stalls stalls;
    uint64_t pass; // number of the running or last one
    unsigned told; // in it
    void *ctx;
    void (*failed)(void *ctx, const struct hash *root, const struct error *why); // chum_importer_events.failed
};

void chum_failures_begin(struct chum_failures *fs);
void chum_failures_free(struct chum_failures *fs);

// The root could not be taken over, a version of that id or zero. Returns whether it is its first failure.
bool chum_failures_add(struct chum_failures *fs, const struct hash *root, const struct hash *id_hash,
                       const struct error *why, uint64_t now);
// The root is here but for BLOBs.
void chum_failures_add_lacking(struct chum_failures *fs, const struct hash *root, const struct chum_lacking *lacking,
                               uint64_t now);
void chum_failures_keep(struct chum_failures *fs, const struct hash *root); // it is still shown in this pass
void chum_failures_remove(struct chum_failures *fs, const struct hash *root);
void chum_failures_all_due(struct chum_failures *fs);
// At the end of a pass: roots that were not shown in it are forgotten, if it came to all that are shown. Returns how
// many of the others are not here.
uint64_t chum_failures_sum_up(struct chum_failures *fs, bool all);

uint64_t chum_failures_due_at(const struct chum_failures *fs); // the first one; 0 = nothing failed
bool chum_failures_are_due(const struct chum_failures *fs, uint64_t now);
// Adds the roots and ids that are not to be asked for yet.
void chum_failures_add_waiting(const struct chum_failures *fs, uint64_t now, struct hash_map *waiting);
