// The text of a root in the list of roots.
#pragma once

#include "store/store.h"

enum { SCOPE_OBJECT, SCOPE_ID }; // granted by Access, by IdAccess

enum {
    FRAGMENT_WHOLE,   // for everybody
    FRAGMENT_LACKING, // TREE_LACKING: for whoever is known to have the BLOBs, or needs them not
    FRAGMENT_OWN,     // TREE_REFUSED: for own nodes
    FRAGMENT_MERGE,   // likewise: others put together for themselves what came together here
};

struct fragment {
    struct buf text;     // empty: the root cannot be delivered now; the caller frees it
    int lacking;         // FRAGMENT_…
    struct hash id_hash; // of a versioned object or id
};

enum status fragment_of_scope(struct store *s, int kind, const struct hash *target, struct fragment *f,
                              struct error *e);
enum status fragment_of_node(struct store *s, const struct hash *node, const struct hash *id_hash, struct fragment *f,
                             struct error *e);
