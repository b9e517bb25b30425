// The tables of the database and the numbers of its types.
#pragma once

#include "store/store.h"

enum { STORE_APPLICATION = 0x544e444d }; // application_id "TNDM"

struct store_type { // a row of the table type
    int64_t id;
    int kind;         // STORE_OBJECT …
    const char *name; // lives as long as the store
    size_t length;
};

struct store_types {
    struct store_type **items; // by id − 1; entries never move
    size_t count;
    size_t cap;
    size_t stored; // those the database has for certain; the rest were added by the open transaction
};

enum status schema_check(struct store *s, bool may_create, struct error *e);           // STATE-TOO-NEW, STORE-CORRUPT
enum status schema_load(struct store *s, struct error *e);                             // types, numbers, totals
const struct store_type *type_by_id(const struct store *s, int64_t id);                // NULL if unknown
const struct store_type *type_find(const struct store *s, struct span name, int kind); // NULL if nothing has it
const struct store_type *type_get(struct store *s, struct span name, int kind,
                                  struct error *e); // adds; NULL on failure
void types_free(struct store *s);
