// Places count from 1, so that the two below place n are 2n and 2n + 1, and 0 says that a timer is not set.
#include "net/timers.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { ROOM = 16 };

static bool goes_first(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct timers *h, struct loop_timer *t, size_t place)
{
    h->heap[place - 1] = t;
    t->place = place;
}

static void rise(struct timers *h, struct loop_timer *t, size_t place)
{
    while (place > 1 && goes_first(t, h->heap[place / 2 - 1])) {
        put(h, h->heap[place / 2 - 1], place);
        place /= 2;
    }
    put(h, t, place);
}

static void sink(struct timers *h, struct loop_timer *t, size_t place)
{
    for (size_t below = 2 * place; below <= h->count; below = 2 * place) {
        if (below < h->count && goes_first(h->heap[below], h->heap[below - 1]))
            below++;
        if (goes_first(t, h->heap[below - 1]))
            break;
        put(h, h->heap[below - 1], place);
        place = below;
    }
    put(h, t, place);
}

void timers_cancel(struct timers *h, struct loop_timer *t)
{
    size_t place = t->place;
    if (place == 0)
        return;
    t->place = 0;
    struct loop_timer *last = h->heap[--h->count];
    if (last == t)
        return;
    rise(h, last, place);
    sink(h, last, last->place);
}

void timers_set(struct timers *h, struct loop_timer *t, uint64_t at)
{
    timers_cancel(h, t);
    if (h->count == h->room) {
        h->room = h->room == 0 ? ROOM : 2 * h->room;
        h->heap = mem_resize(h->heap, h->room * sizeof *h->heap);
    }
    t->at = at;
    t->order = h->order++;
    rise(h, t, ++h->count);
}

void timers_run(struct timers *h, uint64_t now)
{
    uint64_t meanwhile = h->order;
    while (h->count > 0 && h->heap[0]->at <= now && h->heap[0]->order < meanwhile) {
        struct loop_timer *t = h->heap[0];
        timers_cancel(h, t);
        t->fire(t->ctx); // may destroy t
    }
}

uint64_t timers_next(const struct timers *h)
{
    return h->count > 0 ? h->heap[0]->at : UINT64_MAX;
}

void timers_free(struct timers *h)
{
    free(h->heap);
}
