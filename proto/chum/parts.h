// What is missing below one root (WIRE.md 10.7): the peer's list of children, everything in it that is not here yet,
// stored in an order in which nothing refers to what is still missing, each object verified first.
//
// Bounded: the list by CHUM_CHILDREN_MAX, what has arrived out of order by a ring of PARTS entries per root and
// CHUM_AHEAD_BYTES per session. What was stored stays stored when the rest fails.
#pragma once

#include "chum/fetch.h"
#include "chum/receive.h"
#include "store/store.h"

struct chum_parts;

struct chum_parts_result {
    enum status status;
    const struct error *why; // NULL if everything is here
    struct chum_lacking lacking;
    struct store_knowledge *knowledge; // if everything is here: what the peer knows, given away; NULL: nothing asked
    const bool *listed;                // which of the siblings stand in the peer's list; NULL if it failed before that
};
typedef void (*chum_parts_done)(void *ctx, const struct chum_parts_result *result);

struct chum_root_ref {
    bool is_id; // ask for the children of an id object
    struct hash hash;
    struct hash id_hash;         // of the versions, if it is one
    const struct hash *siblings; // other roots being fetched with it; borrowed until the end
    size_t sibling_count;
};

// done is called once, on the loop, and the parts are gone after it; not called once the fetch has ended.
struct chum_parts *chum_parts_begin(struct chum_fetch *f, const struct chum_root_ref *root, chum_parts_done done,
                                    void *ctx);
void chum_parts_drop(struct chum_parts *p); // no call follows; NULL-safe
