// Fetching one root, or the new version nodes of one id, with everything below (WIRE.md 10.7): first what is below,
// then the root itself. Roots are stored last, together with what they bring about (merging into the current version),
// so that an interruption leaves them missing and they are asked for again.
#pragma once

#include "chum/fetch.h"
#include "chum/receive.h"

struct chum_tree;

struct chum_tree_events { // on the loop; none once the fetch has ended
    void (*root)(void *ctx, const struct hash *root, const struct chum_root_result *result); // once per root
    void (*over)(void *ctx);                                                                 // the tree is gone
};

// The want is copied.
struct chum_tree *chum_tree_begin(struct chum_fetch *f, const struct chum_want *want,
                                  const struct chum_tree_events *events, void *ctx);
void chum_tree_drop(struct chum_tree *t); // no call follows
const struct chum_want *chum_tree_want(const struct chum_tree *t);
