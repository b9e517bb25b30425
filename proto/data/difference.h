// Differences: computes the operations of every node of a version graph by comparing each version with the one before
// it (DATA-MODEL.md 8.6).
#pragma once

#include "data/operations.h"

enum {
    DIFFERENCE_MAX_DEPTH = 64, // nesting of values, linked objects included
    // What one merge may cost: steps (values and items compared, or so many bytes handled again and again). They grow
    // with what the history itself consists of, so that neither shared objects nor repeated versions multiply it.
    DIFFERENCE_MAX_STEPS = 64 << 10, // some 40 ms of one core
    DIFFERENCE_NODE_STEPS = 16,      // more for each version node
    DIFFERENCE_TEXT_BYTES = 32,      // one more for so many bytes of every different version
    DIFFERENCE_STEP_BYTES = 256,
    DIFFERENCE_MAX_BYTES = 64 << 20, // of operations, in memory
};

// Fills in node->operations of all nodes except merges and the common node; they live in the arena. Errors:
// STATUS_NOT_FOUND for a missing object, STATUS_TOO_BIG "MERGE-TOO-BIG", STATUS_CONFLICT "MERGE-FAILED",
// STATUS_CORRUPT "VERSION-GRAPH" when a version is of another type than the recipe.
enum status difference_compute(const struct version_source *s, const struct recipe *recipe, struct arena *a,
                               const struct graph_view *v, struct error *e);

// The identity of a value, as list item or in a register: the SHA-256 of its text.
enum status difference_item(const struct value_type *type, const struct value *v, struct hash *out, struct error *e);
