// What putting together values and lists share.
#pragma once

#include "data/combine.h"

struct place { // one thing as everybody has it; values are NULL where it is missing
    struct combining all;
    struct value *first;
    struct value *second;
    struct value *made; // by others; with judging only
    bool judging;
    struct span path;
};

bool combine_is_same(const struct value *a, const struct value *b);
void combine_tell(const struct place *p, const struct value *lost, bool was_first);

bool combine_is_items(const struct value *v);
struct value *combine_items(const struct place *p);
