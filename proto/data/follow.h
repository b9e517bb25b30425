// Taking in a version together with its history, for objects whose writers are known: whoever writes on top of a
// version has seen it, and replaces it as a whole. So nothing that was removed comes back, and no clock decides who was
// last. The reference forgets the history of what it takes in (DATA-MODEL.md 8.4) and never loses an item (8.8).
#pragma once

#include "data/version.h"

// node: a version node of somebody else's; it, its history and all data are stored. The head becomes
// - the node, where it was written on top of all that the head stands for;
// - what it was, where that was written on top of the node;
// - else both put together (combine.h); of two that set one thing the one with the longer history counts, then the
// later. A version counts as the same wherever it has the same data and time: nodes of other histories that stand for
// it. Codes as version_merge_foreign.
enum status version_follow(const struct version_source *s, const struct hash *node, struct version_result *out,
                           struct error *e);
