// What merge.c and the merging of sets share.
#pragma once

#include "data/difference.h"
#include "data/lookup.h"

struct merger {
    const struct version_source *source;
    const struct recipe *recipe; // of the versions; its crdtConfig counts everywhere
    struct arena *arena;
    struct lookup *lookup;
    double time; // of the merge: the creation time of linked objects that get a new version
};

// One thing to merge: what stands at a path, seen in a graph.
struct subject {
    const struct value_type *type;
    struct span path;
    const struct graph_view *view;
};

// STATUS_CONFLICT "MERGE-FAILED".
enum status merge_fail(struct span path, const char *why, struct error *e);

// The value at a path in the version of a node; NULL if there is none.
enum status merge_value_in(struct merger *m, const struct graph_node *n, struct span path, struct value **out,
                           struct error *e);

// The union of two lists, without what one side removed and nobody added (8.7.2, Set).
enum status merge_set(struct merger *m, struct subject s, struct value **out, struct error *e);
