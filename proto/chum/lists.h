// The two lists of CHUM as JSON texts: roots (WIRE.md 10.4) and children (10.5). Reading is strict and bounded; the
// codes of failures are the reference's.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/store.h"

enum chum_root_kind { CHUM_ROOT_UNVERSIONED, CHUM_ROOT_VERSIONED, CHUM_ROOT_ID, CHUM_ROOT_VERSION_NODE };

struct chum_root {
    enum chum_root_kind kind;
    struct hash hash;    // unversioned, versioned: the object; version_node: the node; id: zero
    struct hash id_hash; // versioned, id, version_node; else zero
    struct span type;    // of the data; lives in the arena
};

struct chum_roots {
    struct chum_root *items; // released with chum_roots_free
    size_t count;
};

// Codes: DAH-PAO1 (not JSON), DAH-PAO2 (not a list), DAH-PAO3 (unknown kind). Entries whose hashes are none are left
// out.
enum status chum_roots_read(struct arena *a, struct span json, struct chum_roots *out, struct error *e);
void chum_roots_free(struct chum_roots *roots); // also zeroes

enum { CHUM_ENTRY_MAX = 4096 }; // bytes of one entry

// Reads a list as it comes. Inside of chum_children_reader; nobody else looks at it.
struct list_codes { // what is wrong with a list, by the reference's codes
    const char *text, *list, *kind, *hash;
};
typedef enum status (*list_entry_fn)(void *ctx, const json_t *item, struct error *e);
struct list_reader {
    const struct list_codes *codes;
    list_entry_fn entry;
    void *ctx;
    size_t limit, count; // of entries
    size_t came;         // bytes
    enum { LIST_NOTHING, LIST_BEGUN, LIST_COMMA, LIST_ENTRY, LIST_AFTER, LIST_OVER, LIST_OTHER } state;
    struct buf kept; // of the entry that is not whole yet
    size_t from;     // where it begins in the piece being read
    size_t depth;
    bool in_string, escaped;
};

struct chum_children_reader { // zero-initialised = nothing to free
    struct list_reader list;
    struct store_children children; // read so far
    size_t cap;
};

// Codes: DC-PC1 (not JSON), DC-PC2 (not a list), DC-PC3 (unknown kind), DC-PC4 (no hash). Begin, add pieces, take; end
// at any time. The caller frees the items.
void chum_children_begin(struct chum_children_reader *c);
enum status chum_children_add(struct chum_children_reader *c, struct span piece, struct error *e);
enum status chum_children_take(struct chum_children_reader *c, struct store_children *out, struct error *e);
void chum_children_end(struct chum_children_reader *c);
void chum_child_write(const struct store_child *child, struct buf *out); // one entry
