// Time. Wall time goes into data and logs; monotonic time drives deadlines. Functions of the data and model layers take
// the wall time as an argument, so that tests and vectors can set it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_ms(void);       // milliseconds since 1970 UTC
uint64_t clock_monotonic_ms(void); // never jumps; counts only differences

// A time from at - slack to at that others with such room come to as well, so that what has not to happen at an exact
// time happens together: the roundest one.
uint64_t clock_together(uint64_t at, uint64_t slack);

// Times of others are any number there is, or none. Those of the data model are what a JavaScript Date holds, 273,790
// years to either side of 1970.
#define TIME_LIMIT 8640000000000000

bool time_is_valid(double ms); // false also for NaN
// For showing and ordering: what lies beyond counts as the limit of its side, NaN as the late one.
int64_t time_clamp(double ms);
// Of what counts something, like sizes and depths: whole, from 0 to 2^53.
int64_t count_clamp(double n);
