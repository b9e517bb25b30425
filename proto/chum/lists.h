// The two lists of CHUM as JSON texts: roots (WIRE.md 10.4) and children (10.5). Reading is strict and bounded; the
// codes of failures are the reference's.
#pragma once

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

// Codes: DC-PC1 (not JSON), DC-PC2 (not a list), DC-PC3 (unknown kind), DC-PC4 (no hash). The caller frees items.
enum status chum_children_read(struct span json, struct store_children *out, struct error *e);
void chum_child_write(const struct store_child *child, struct buf *out); // one entry
void chum_children_write(const struct store_children *children, struct buf *out);
