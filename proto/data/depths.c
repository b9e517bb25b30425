// A binary heap. The order of arrival is kept with each entry, because a heap alone would let equals leave in any
// order.
#include "data/depths.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"

struct depths_entry {
    void *node;
    double depth;
    size_t order; // of arrival
};

static bool leaves_before(const struct depths_entry *a, const struct depths_entry *b)
{
    if (a->depth > b->depth)
        return true;
    return !(a->depth < b->depth) && a->order < b->order;
}

static void swap(struct depths_entry *a, struct depths_entry *b)
{
    struct depths_entry t = *a;
    *a = *b;
    *b = t;
}

void depths_push(struct depths *q, void *node, double depth)
{
    if (q->count == q->cap) {
        q->cap = q->cap != 0 ? 2 * q->cap : 16;
        q->entries = mem_resize(q->entries, q->cap * sizeof *q->entries);
    }
    size_t i = q->count++;
    q->entries[i] = (struct depths_entry){node, depth, q->arrivals++};
    for (; i > 0 && leaves_before(&q->entries[i], &q->entries[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&q->entries[i], &q->entries[(i - 1) / 2]);
}

void *depths_pop(struct depths *q)
{
    void *node = q->entries[0].node;
    q->entries[0] = q->entries[--q->count];
    for (size_t i = 0;;) {
        size_t best = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < q->count && leaves_before(&q->entries[child], &q->entries[best]))
                best = child;
        }
        if (best == i)
            return node;
        swap(&q->entries[i], &q->entries[best]);
        i = best;
    }
}

void depths_free(struct depths *q)
{
    free(q->entries);
}
