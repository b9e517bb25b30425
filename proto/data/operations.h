// Operations: what one version changed, per path and algorithm (DATA-MODEL.md 8.6), and the questions merging asks.
#pragma once

#include "data/algorithm.h"
#include "data/graph.h"

struct item_change {  // of a list
    struct hash item; // SHA-256 of its text
    bool adds;        // else removes
};

struct operation {
    struct span path; // property names and map keys joined by dots
    enum algorithm algorithm;
    size_t order; // of computing
    bool sets;
    bool deletes;
    struct item_change *items; // ALGORITHM_SET
    size_t item_count;
};

struct operations { // of one node, sorted by path and algorithm; the items of each by hash
    struct operation *items;
    size_t count;
};

// Sorts a copy of the list; the items stay where they are and are sorted there. In the arena.
struct operations *operations_make(struct arena *a, const struct operation *list, size_t count);

// ops may be NULL: no operations.
bool operations_set(const struct operations *ops, struct span path, enum algorithm algorithm);
bool operations_delete(const struct operations *ops, struct span path); // ALGORITHM_OPTIONAL
bool operations_add_item(const struct operations *ops, struct span path, const struct hash *item);
bool operations_remove_item(const struct operations *ops, struct span path, const struct hash *item);

struct span_list {
    struct span *items;
    size_t count;
};

// The next parts of all paths below path, in the order of the nodes and of computing, each once, cut at '#'. The list
// lives in the arena.
struct span_list operations_changed(const struct graph_view *v, struct span path, struct arena *a);
