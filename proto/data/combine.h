// Puts together what two wrote independently, knowing what they wrote. Unlike the merge of the reference (merge.h) it
// lets what one of them took away stay away, and goes by the order of versions before it goes by clocks. Both of them
// come to the same result.
#pragma once

#include "data/value.h"

struct combine_version { // what one of them wrote
    const struct value *value;
    const struct value *before; // what it was written on top of; NULL = nothing
    size_t rank;                // of all these versions: the higher the later; not 0
};

struct combine_versions {
    const struct combine_version *items;
    size_t count;
};

struct combining {
    struct arena *arena;
    const struct value *const *common; // versions that both had
    size_t common_count;
    struct combine_versions mine; // versions that only this side has
    struct combine_versions other;
};

// Lists and sets: an item that one side lacks stays unless it was taken out there, and not put in later here. Maps and
// objects: entry by entry. Other values: the one that was set last. Both are objects of one type. The result shares
// their parts.
struct value *combine_values(const struct combining *c, struct value *ours, struct value *theirs);
