// Puts together what two wrote independently, knowing what they wrote. Unlike the merge of the reference (merge.h) it
// lets what one of them took away stay away, never lets what somebody did not touch replace what another one wrote, and
// goes by the order of versions before it goes by clocks. Both of them come to the same result.
#pragma once

#include "data/value.h"

struct combine_version { // what one of them wrote
    const struct value *value;
    const struct value *before; // what it was written on top of; NULL = nothing
    size_t rank;                // of all versions: the higher the later; not 0
};

struct combine_versions {
    const struct combine_version *items;
    size_t count;
};

// What one of them wrote at the path (property names and map keys joined by dots) and does not hold; NULL: that it had
// removed what is there.
typedef void (*combine_lost)(void *ctx, struct span path, const struct value *value, bool was_first);

struct combining {
    struct arena *arena;
    const struct value *const *bases; // the last that both had
    size_t base_count;
    struct combine_versions first; // versions that only one side has
    struct combine_versions second;
    struct combine_versions common; // versions that both have
    combine_lost lost;              // may be NULL
    void *ctx;
};

// The first side is the one whose word counts where nothing else decides, and whose order lists and maps keep. Both are
// objects of one type. The result shares their parts.
//
//   maps, objects  entry by entry
//   lists, sets    what one side put in is in and what it took out is out; of both, the later
//   other values   the one that a side set; of two, the later
struct value *combine_values(const struct combining *c, struct value *first, struct value *second);

// Tells what was lost where others made something of the two.
void combine_find_lost(const struct combining *c, struct value *first, struct value *second, struct value *made);
