// The row of an object.
#pragma once

#include "store/schema.h"

// Whether everything below an object can be delivered to another person (WIRE.md 10.8).
// On disk: column tree of table object.
enum tree {
    TREE_INCOMPLETE = 0,  // something is missing
    TREE_DELIVERABLE = 1, // all present or remote
    TREE_REFUSED = 2,     // contains Access, IdAccess or Group objects, which peers never accept
    TREE_LACKING = 3,     // nothing is missing but BLOBs that nobody could deliver: for those who showed them to us
};

// On disk: column state of table object.
enum state { STATE_PRESENT = 0, STATE_REMOTE = 1, STATE_WANTED = 2, STATE_DELETED = 3 };

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
// What was found is remembered within a transaction. Whatever changes a row that is there, or takes one back, counts up
// rows_changed of the store: statement() does for the statements that do so.
void rows_create(struct store *s);
void rows_destroy(struct store *s);
// Writes the row: that of seq, or, not found, a new one.
enum status object_row_set(struct store *s, const struct hash *hash, bool found, struct object_row *row,
                           struct error *e);
// STATUS_NOT_FOUND "NOT-FOUND" for what is unknown or only named, "OBJECT-DAMAGED" for what was here and is lost.
enum status object_need(struct store *s, const struct hash *hash, struct object_row *row, struct error *e);
