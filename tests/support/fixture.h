// Small makers shared by the tests of versions and lists.
#pragma once

#include "memory_source.h"

struct value *fixture_value(struct arena *a, const char *json); // in the form of data/jsonform.h; aborts if unreadable

// The built-in recipes, and: Doc (versioned by id; every kind of property, all optional), Pair (versioned by id;
// mandatory properties), Link (text; next, other: links), Child (x, y) and Item (versioned by id; x, y).
struct recipes *fixture_recipes(void);

// Stores a ChatMessage with that text and a CreationTime for it; returns the hash of the latter.
struct hash fixture_message(struct memory_source *m, const char *text, double timestamp);
// Stores a version node of any shape: kind is "Edge", "Change" or "Merge"; before may be NULL.
struct hash fixture_node(struct memory_source *m, const char *kind, const struct hash *before, size_t before_count,
                         const struct hash *data, double depth, double creation_time);
