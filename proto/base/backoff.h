// How long to wait before what failed is tried again: each time twice as long, up to a limit.
#pragma once

#include <stdint.h>

struct backoff {
    uint64_t first_ms;
    uint64_t last_ms;
};

// tries is how often it was tried again before: 0 gives first_ms, if that is not beyond last_ms.
uint64_t backoff_ms(struct backoff b, unsigned tries);
