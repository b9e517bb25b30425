// Version nodes: the objects that put the versions of one id into an order (DATA-MODEL.md 8.1).
#pragma once

#include "data/version.h"

enum versionnode_kind { VERSIONNODE_EDGE, VERSIONNODE_CHANGE, VERSIONNODE_MERGE };

struct versionnode {
    enum versionnode_kind kind;
    struct hash hash; // of the node itself
    struct hash data; // the version
    double depth;
    double creation_time;      // ms since 1970
    const struct hash *before; // prev of a change, nodes of a merge in the order of the text
    size_t before_count;       // 0 for an edge
};

// The node of that hash; *out lives in the arena. STATUS_CORRUPT "VERSION-GRAPH" if the object is no version node or
// its depth or time is no number.
enum status versionnode_read(const struct version_source *s, const struct hash *hash, struct arena *a,
                             struct versionnode *out, struct error *e);

// The same, and where the bytes of the node are lost, what its links say (version_source.links): its kind, its data and
// what lies before it; depth and creation_time are 0 then.
enum status versionnode_find(const struct version_source *s, const struct hash *hash, struct arena *a,
                             struct versionnode *out, struct error *e);

// The same without reading the node where its links say it: depth and creation_time mean nothing.
enum status versionnode_outline(const struct version_source *s, const struct hash *hash, struct arena *a,
                                struct versionnode *out);

// The depth of a lost node: that of the nodes that are left before it, and one more for each lost one. false: it cannot
// be told.
bool versionnode_lost_depth(const struct version_source *s, const struct hash *hash, double *depth);

// Fills in node->hash from everything else.
enum status versionnode_hash(const struct version_source *s, struct versionnode *node, struct error *e);

// Stores the node and fills in its hash.
enum status versionnode_write(const struct version_source *s, struct versionnode *node, struct error *e);
