// What the tests of the data model work on, and small makers for it.
#pragma once

#include "memory_source.h"

struct fixture {
    struct recipes *recipes; // fixture_recipes()
    struct memory_source *m;
    struct arena *a;
    struct error e;
};

// Around a cmocka test, whose state it is.
int fixture_begin(void **state);
int fixture_end(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

struct value *fixture_value(struct arena *a, const char *json); // in the form of data/jsonform.h; aborts if unreadable
struct value *fixture_read(struct arena *a, const char *text);  // the same, with ' for " in the text
char *fixture_json(const char *text);                           // a copy with " for '

// The built-in recipes, and: Doc (versioned by id; every kind of property, all optional), Pair (versioned by id;
// mandatory properties), Link (text; next, other: links), Child (x, y) and Item (versioned by id; x, y).
struct recipes *fixture_recipes(void);

// Stores a ChatMessage with that text and a CreationTime for it; returns the hash of the latter.
struct hash fixture_message(struct memory_source *m, const char *text, double timestamp);
// Stores a version node of any shape: kind is "Edge", "Change" or "Merge"; before may be NULL.
struct hash fixture_node(struct memory_source *m, const char *kind, const struct hash *before, size_t before_count,
                         const struct hash *data, double depth, double creation_time);
