// Merging the values of two version histories (DATA-MODEL.md 8.5 – 8.7). Used by version.c; exposed for its tests.
//
//   version nodes ── graph.h ──> graph ── difference.h ──> operations per node ── merge.c ──> merged value
//
// Merging is deterministic: it depends on the two nodes, their order and their histories alone. It stores linked
// objects that had to be merged too (8.7.2, ReferenceToObj; MODELS.md 5.5), never the merged value itself.
#pragma once

#include "data/version.h"

// Merges the data of two version nodes. *contained is set (and *merged left alone) when one is equal to or already
// contains the other; *current then says which one is current. Otherwise *merged is the new value in the arena.
// Errors: STATUS_CONFLICT "MERGE-FAILED" where the reference cannot merge either, STATUS_CORRUPT "VERSION-GRAPH",
// STATUS_TOO_BIG "MERGE-TOO-BIG", STATUS_NOT_FOUND.
enum status merge_versions(const struct version_source *s, struct arena *a, const struct hash *first,
                           const struct hash *second, bool *contained, struct hash *current, struct value **merged,
                           struct error *e);

// Types of which only linked lists differ between versions (ChannelInfo) need no history to be merged: the result is
// the same as that of merge_versions, at a cost that does not grow with the number of versions.
bool merge_needs_history(const struct recipe *recipe);
// Merges two versions of such a type; none may be an ancestor of the other.
enum status merge_lists(const struct version_source *s, struct arena *a, const struct hash *first_data,
                        const struct hash *second_data, struct value **merged, struct error *e);
