// The version graph: the part of a history that matters for merging two of its nodes (DATA-MODEL.md 8.5, 8.7.1).
//
// Depth orders the graph: every node lies strictly above the nodes before it, so the list (greatest depth first) can be
// walked backwards without recursion. The virtual "empty" node that precedes all roots is a NULL common node here.
#pragma once

#include "data/versionnode.h"

struct operations;

struct graph_node {
    enum versionnode_kind kind;
    struct hash hash;
    struct hash data;
    double depth;
    double creation_time;
    const struct hash *links; // names of the nodes this one follows; none: the empty node
    size_t link_count;
    struct graph_node **before; // the same nodes; none for the common node, behind which the graph ends
    size_t before_count;
    size_t index;                  // place in the list of the graph
    struct operations *operations; // what this node changed; NULL for merges and for the common node
    size_t mark;                   // of the search that came by last
    bool queued;                   // while the graph is built
};

struct graph {
    struct graph_node **nodes; // greatest depth first; the common node, if any, is the last
    size_t count;
    size_t searches;
};

// A graph, or what is left of it after reducing it to some nodes and everything that follows them.
struct graph_view {
    struct graph *graph;
    uint8_t *member; // one per node of the graph; NULL = all. Owned: graph_view_release
    struct graph_node *first;
    struct graph_node *second;
    struct graph_node *common; // NULL: the empty node
};

struct graph_nodes { // growable; zero-initialised = empty, released with free(items)
    struct graph_node **items;
    size_t count;
    size_t cap;
};

// Loads the histories of two nodes until they meet. *current is set and everything else left alone when one node is
// among the ancestors of the other (or they are equal): then *current is the later one and *contained true. The graph
// lives in the arena. Errors: STATUS_NOT_FOUND for a missing node, STATUS_CORRUPT "VERSION-GRAPH" for a change without
// prev or a depth that does not grow, STATUS_TOO_BIG.
enum status graph_build(const struct version_source *s, struct arena *a, const struct hash *first,
                        const struct hash *second, struct graph_view *out, bool *contained, struct hash *current,
                        struct error *e);

bool graph_has(const struct graph_view *v, const struct graph_node *n);

// The view of some nodes and all that follow them.
void graph_reduce(const struct graph_view *v, const struct graph_nodes *nodes, struct graph_view *out);
void graph_view_release(struct graph_view *v);

// Appends the nearest nodes at or before n that pass the test, in the order of the reference, each once.
typedef bool (*graph_test)(const struct graph_node *n, const void *arg);
void graph_nearest(const struct graph_view *v, struct graph_node *n, graph_test test, const void *arg,
                   struct graph_nodes *out);

// Whether a beats b: the later creation time, then the greater hash.
bool graph_is_later(const struct graph_node *a, const struct graph_node *b);
