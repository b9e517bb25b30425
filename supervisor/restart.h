// When to start a dead node again: a pure state machine without a clock or a process.
#pragma once

#include <stdint.h>

enum { RESTART_DEATHS_MAX = 64, RESTART_NEVER = -1 };

struct restart_limits {
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    unsigned deaths; // so many within the window are too many; at most RESTART_DEATHS_MAX
    uint64_t window_ms;
    uint64_t healthy_ms; // having answered that long makes the deaths before forgotten
};

struct restart { // zero-initialised, then limits set
    struct restart_limits limits;
    uint64_t times[RESTART_DEATHS_MAX]; // of the last deaths
    unsigned count;
    unsigned restarts; // since they were forgotten: each waits longer
};

// Notes a death of a process that had answered for answered_ms milliseconds (0: never). Returns how long to wait before
// the next start, or RESTART_NEVER: too many deaths, the node has failed.
int64_t restart_after_death(struct restart *r, uint64_t now_ms, uint64_t answered_ms);
void restart_reset(struct restart *r); // forgets all deaths: somebody asked for a restart
