// The row of an object.
#pragma once

#include "store/schema.h"

// Whether everything below an object can be delivered to another person (WIRE.md 10.8).
enum tree {
    TREE_INCOMPLETE,  // something is missing
    TREE_DELIVERABLE, // all present or remote
    TREE_REFUSED,     // contains Access, IdAccess or Group objects, which peers never accept
    TREE_LACKING,     // nothing is missing but BLOBs that nobody could deliver: for those who showed them to us
};

enum state { STATE_PRESENT, STATE_REMOTE, STATE_WANTED, STATE_DELETED };

struct object_row {
    int64_t seq;
    const struct store_type *type; // NULL for a wanted object nothing else is known of
    uint64_t size;
    struct hash id_hash;
    enum state state;
    enum tree tree;
    int64_t source; // provenance.c
    bool part;
};

// *found says whether there is a row, wanted ones included.
enum status object_row_find(struct store *s, const struct hash *hash, bool *found, struct object_row *row,
                            struct error *e);
// Writes the row: that of seq, or, not found, a new one.
enum status object_row_set(struct store *s, const struct hash *hash, bool found, struct object_row *row,
                           struct error *e);
// STATUS_NOT_FOUND "NOT-FOUND" for what is unknown or only named, "OBJECT-DAMAGED" for what was here and is lost.
enum status object_need(struct store *s, const struct hash *hash, struct object_row *row, struct error *e);
bool type_is_refused(struct span name); // Access, IdAccess, Group
