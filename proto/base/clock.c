// Numbers of other programs may be no time at all: they are clamped before they become integers.
#include "base/clock.h"

#include <math.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ms(void)
{
    return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_together(uint64_t at, uint64_t slack)
{
    uint64_t differing = at ^ (slack < at ? at - slack : 0);
    if (differing == 0)
        return at;
    uint64_t highest = (uint64_t)1 << (63 - __builtin_clzll(differing));
    return at & ~(highest - 1);
}

bool time_is_valid(double ms)
{
    return fabs(ms) <= (double)TIME_LIMIT;
}

int64_t time_clamp(double ms)
{
    if (time_is_valid(ms))
        return (int64_t)ms;
    return ms < 0 ? -TIME_LIMIT : TIME_LIMIT;
}

int64_t count_clamp(double n)
{
    static const double limit = 9007199254740992.0;
    if (!(n > 0))
        return 0;
    return n < limit ? (int64_t)n : (int64_t)limit;
}
