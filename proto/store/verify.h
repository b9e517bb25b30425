// Compares all that lies in a store's folder with what it says it is. It only reads, by a connection of its own: on any
// thread, beside a store that is in use, and in the folder of one that does not open.
#pragma once

#include <stdatomic.h>

#include "store/store.h"

struct store_finding {
    struct hash hash;
    enum {
        STORE_FOUND_DAMAGED, // its bytes are others
        STORE_FOUND_MISSING, // known by name, its bytes are gone
        STORE_FOUND_HERE,    // counts as missing, but a file of the folder has its bytes
    } what;
    char type[80]; // recipe name; empty for files, and where nothing is known
};

struct store_verification {
    uint64_t objects; // that were looked at
    struct store_finding *items;
    size_t count;
    size_t cap;
    uint64_t unindexed;       // files that the index does not know
    uint64_t index_faults;    // rows that say something else than the bytes, and settled heads
    bool is_damaged_database; // it cannot be read, or contradicts itself: opening the store anew rebuilds it
    char why[200];            // the first of these; empty = all is well but for the findings
};

struct store_watch { // shared with whoever waits
    atomic_bool stop;
    atomic_uint_fast64_t done; // objects
    atomic_uint_fast64_t total;
};

// Code CLOSED when it was stopped, otherwise that of a folder that cannot be looked at; what was found until then
// stays. The caller frees.
enum status store_verify(const char *dir, enum store_kind kind, struct store_watch *watch,
                         struct store_verification *out, struct error *e);
void store_verification_free(struct store_verification *v);
