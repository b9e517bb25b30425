// Transports for tests: two ends joined in memory, a clock that only moves when the test says so, and hands on the
// line.
#pragma once

#include "conn/transport.h"

struct pipe_world; // a clock and all pipes on it

struct pipe_world *pipe_world_create(void); // its time is 1,000,000 ms
void pipe_world_destroy(struct pipe_world *w);
uint64_t pipe_world_now(void *world); // fits conn_host.now

struct pipe_line { // sees every message before it is delivered; may change or swallow it
    // from: the end that sent it, 0 or 1. Returns false to swallow it.
    bool (*pass)(void *ctx, int from, bool *text, struct buf *payload);
    void *ctx;
};

// ends[0] and ends[1] live until the world is destroyed. line may be NULL.
void pipe_open(struct pipe_world *w, const struct pipe_line *line, struct transport *ends[2]);
void pipe_inject(struct transport *to, bool text, struct span payload); // as if the other end had sent it
void pipe_break(struct transport *end);                                 // code 1006 for both ends
// How an end was closed by its user, or by the other end: the reason, or NULL while it is open.
const char *pipe_closed(const struct transport *end);

void pipe_settle(struct pipe_world *w);             // delivers until nothing is under way
void pipe_sleep(struct pipe_world *w, uint64_t ms); // lets time pass, with its events, delivering all the while
