// The text of a root in the list of roots.
#pragma once

#include "store/store.h"

// On disk: column kind of table scope.
enum { SCOPE_OBJECT = 0, SCOPE_ID = 1 }; // granted by Access, by IdAccess

// On disk: column lacking of tables scope and scope_log.
enum {
    FRAGMENT_WHOLE = 0,   // for everybody
    FRAGMENT_LACKING = 1, // TREE_LACKING: for whoever is known to have the BLOBs, or needs them not
    FRAGMENT_OWN = 2,     // TREE_REFUSED: for own nodes
    FRAGMENT_MERGE = 3,   // likewise: others put together for themselves what came together here
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
