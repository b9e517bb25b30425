// Merging the values of two version histories (DATA-MODEL.md 8.5 – 8.7). Used by version.c; exposed for its tests.
#pragma once

#include "data/version.h"

// Merges the data of two version nodes, neither an ancestor of the other. *contained is set (and *merged left alone)
// when one already contains the other; *current then says which one. Otherwise *merged is the new value in the arena.
enum status merge_versions(const struct version_source *s, struct arena *a, const struct hash *first,
                           const struct hash *second, bool *contained, struct hash *current, struct value **merged,
                           struct error *e);
