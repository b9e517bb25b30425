// Links in texts.
#pragma once

#include "store/store.h"

// The next link of an object's text at or after *rest, which then begins behind it. Its recipe is not needed: nothing
// else ends in "> and is followed by a hash.
bool text_next_link(struct span *rest, enum link_kind *kind, struct hash *target);
