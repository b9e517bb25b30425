// The half of CHUM that asks (WIRE.md 10.7): pass after pass it takes over what the peer shows and this node lacks.
//
// A pass asks for the root list, finds out on the store thread what is missing, and fetches that with several trees at
// a time. One failing root never disturbs the others; it is tried again later, after longer and longer pauses. A list
// that is byte for byte the one taken over last costs one hash.
#pragma once

#include "chum/fetch.h"

struct chum_importer;

struct chum_importer_events {
    void *ctx;
    void (*answered)(void *ctx, uint64_t ms); // the peer answered the question for its roots, after ms
    // The pass is over. STATUS_OK: everything is stored, apart from *skipped* and failed roots. Otherwise the
    // connection is of no use any more (the list was malformed) or the pass was empty (the peer failed for a moment).
    void (*passed)(void *ctx, enum status status, const struct error *why);
    void (*failed)(void *ctx, const struct hash *root, const struct error *why); // one root
};

struct chum_importer *chum_importer_create(struct chum_fetch *f, size_t trees,
                                           const struct chum_importer_events *events);
void chum_importer_pass(struct chum_importer *im);              // begins a pass; nothing if one is running
bool chum_importer_is_busy(const struct chum_importer *im);     // a pass is running
bool chum_importer_is_fetching(const struct chum_importer *im); // and it has found something to fetch
void chum_importer_end(struct chum_importer *im);               // the fetch has ended; jobs under way are dropped

// On the store thread: what of a root list is missing. *wants has count entries whose hashes the caller frees, in list
// order.
struct chum_plan {
    struct chum_want *wants;
    size_t count;
    uint64_t skipped; // refused, or of a type without recipe
};
enum status chum_plan_make(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                           struct span list, struct chum_plan *out, struct error *e);
void chum_plan_free(struct chum_plan *p);
