// Inside proto/net only: the timers of a loop as a heap, so that many cost little. Those of one time keep their order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop_timer {
    struct loop *loop;
    void (*fire)(void *ctx);
    void *ctx;
    uint64_t at, order; // monotonic milliseconds; how many were set before
    size_t place;       // in the heap, from 1; 0: not set
};

struct timers {
    struct loop_timer **heap;
    size_t count, room;
    uint64_t order;
};

void timers_set(struct timers *h, struct loop_timer *t, uint64_t at); // replaces an earlier time
void timers_cancel(struct timers *h, struct loop_timer *t);
void timers_free(struct timers *h); // the timers themselves are their owners'

// Fires what is due, but nothing that was set meanwhile.
void timers_run(struct timers *h, uint64_t now);

// When the next one is due; UINT64_MAX: none.
uint64_t timers_next(const struct timers *h);
