// Where two histories part: what one of two version nodes stands for and the other does not.
//
// A version is data and time, wherever it stands: also in a node that somebody made for it who did not know its
// history (DATA-MODEL.md 8.4). What lies behind a version that the other side has, that side has seen.
#pragma once

#include "data/versionnode.h"

enum { FORK_NODES = 4 << 20 }; // more than any history has

struct fork_version { // what root and change nodes say
    struct hash data;
    // The data it was written on top of; zero = none. Of a root that a merge took in: the data it was joined with,
    // since only what differs was new.
    struct hash before;
    double depth; // of such a root: of the merge, or it would be older than anything it was joined with
    double time;
    bool ours; // it lies behind our node
    bool theirs;
    bool is_root;
};

struct fork {
    struct fork_version *versions; // the latest first: by depth, then time
    size_t count;
    size_t only_ours;
    size_t only_theirs;
    struct hash_list bases; // data of the last nodes that both have, the deepest first; the caller frees it
    bool ours_is_behind;    // our node itself lies behind theirs
    bool theirs_is_behind;
};

// Goes back as far as one side has what the other has not. Everything but the bases lives in the arena. Errors:
// STATUS_NOT_FOUND for a missing node, STATUS_CORRUPT "VERSION-GRAPH" for a depth that does not grow, STATUS_TOO_BIG
// if that takes more than max nodes.
enum status fork_find(const struct version_source *s, struct arena *a, const struct versionnode *ours,
                      const struct versionnode *theirs, size_t max, struct fork *out, struct error *e);
