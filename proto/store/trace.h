// When which step of a message's way was seen, of the last STORE_TRACES messages that were sent or arrived. What a step
// is, is the business of who writes it.
#pragma once

#include "store/store.h"

enum { STORE_TRACES = 20000, STORE_TRACE_STEPS = 6 };

struct store_trace {
    struct hash message;
    struct hash channel;
    struct hash recipient;
    bool incoming;
    int64_t times[STORE_TRACE_STEPS]; // wall time, 0 = not seen
};

enum status store_trace_set(struct store *s, const struct store_trace *t, struct error *e); // replaces that of before
enum status store_trace_get(struct store *s, const struct hash *message, struct store_trace *out, struct error *e);
// The latest of one direction, at most limit, the latest first. out has room for them.
enum status store_trace_latest(struct store *s, bool incoming, size_t limit, struct store_trace *out, size_t *count,
                               struct error *e);
