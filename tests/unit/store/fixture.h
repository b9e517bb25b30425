// A store in a folder of its own, and short ways to make the objects the tests need.
#pragma once

#include "store/store.h"

enum { FIXTURE_REOPENINGS = 600 };

struct fixture {
    char dir[64];
    enum store_kind kind;
    struct recipes *recipes;
    struct recipes *retired[FIXTURE_REOPENINGS]; // of stores closed before
    size_t retired_count;
    struct store *store;
    struct store_report report;
    struct arena *arena;
};

void fixture_open(struct fixture *f, enum store_kind kind); // in a new folder
void fixture_reopen(struct fixture *f);                     // closes and opens again
void fixture_close(struct fixture *f);                      // removes the folder
// Around a cmocka test, whose state it is.
int fixture_begin_archive(void **state);
int fixture_begin_sparse(void **state);
int fixture_end(void **state);
// Both, as two members of the table of tests.
#define FIXTURE_BOTH(test)                                                                                             \
    {#test " (archive)", test, fixture_begin_archive, fixture_end, NULL},                                              \
    {                                                                                                                  \
#test " (sparse)", test, fixture_begin_sparse, fixture_end, NULL                                               \
    }
const char *fixture_path(struct fixture *f, const char *name); // in the folder; as long as the fixture
void fixture_settle(struct fixture *f);                        // maintains until there is nothing more to do

// Each makes an object in memory; names are whatever tells them apart.
struct object fixture_leaf(struct fixture *f, const char *name);                         // PhoneNumber, no links
struct object fixture_link(struct fixture *f, const struct hash *target, double number); // CreationTime → object
struct object fixture_image(struct fixture *f, const struct hash *blob);                 // PersonImage → BLOB
struct object fixture_message(struct fixture *f, const struct hash *sender, const char *text);
struct object fixture_person(struct fixture *f, const char *email, const char *name);
struct object fixture_group(struct fixture *f, const char *name, const struct hash *persons, size_t count);
struct object fixture_grant(struct fixture *f, const struct hash *target, bool id, const struct hash *persons,
                            size_t person_count, const struct hash *groups, size_t group_count);

// Stores in transactions of their own and asserts that it works.
void fixture_put(struct fixture *f, const struct object *o);
struct hash fixture_change(struct fixture *f, const struct object *o); // as new current version; the id hash
struct hash fixture_file(struct fixture *f, struct span bytes);
void fixture_assert_reads(struct fixture *f, const struct object *o); // as it was put

// The roots of a person as one JSON text, fragments sorted, and how many were left out.
struct span fixture_roots(struct fixture *f, const struct hash *person, uint64_t *skipped);
