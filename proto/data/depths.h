// A queue of the nodes of a history by depth: the deepest leaves first, of equal depth the earliest. Every node lies
// strictly above those before it, so each leaves after all that follow it.
#pragma once

#include <stddef.h>

struct depths_entry;

struct depths {                   // zero-initialised = empty
    struct depths_entry *entries; // binary heap
    size_t count;
    size_t cap;
    size_t arrivals;
};

void depths_push(struct depths *q, void *node, double depth);
void *depths_pop(struct depths *q); // there is one
void depths_free(struct depths *q);
