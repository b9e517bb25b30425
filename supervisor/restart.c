// Deaths longer ago than the window no longer count, but the wait goes on growing until a process has been healthy for
// a while.
#include "supervisor/restart.h"

#include "base/backoff.h"

void restart_reset(struct restart *r)
{
    r->count = 0;
    r->restarts = 0;
}

static void forget_old(struct restart *r, uint64_t now_ms)
{
    unsigned keep = 0;
    for (unsigned i = 0; i < r->count; i++)
        if (now_ms - r->times[i] < r->limits.window_ms)
            r->times[keep++] = r->times[i];
    r->count = keep;
}

int64_t restart_after_death(struct restart *r, uint64_t now_ms, uint64_t answered_ms)
{
    if (answered_ms >= r->limits.healthy_ms)
        restart_reset(r);
    forget_old(r, now_ms);
    r->times[r->count++] = now_ms;
    if (r->count >= r->limits.deaths || r->count >= RESTART_DEATHS_MAX)
        return RESTART_NEVER;
    const struct backoff waits = {r->limits.backoff_min_ms, r->limits.backoff_max_ms};
    return (int64_t)backoff_ms(waits, r->restarts++);
}
