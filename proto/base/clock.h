// Time. Wall time goes into data and logs; monotonic time drives deadlines. Functions of the data and model layers take
// the wall time as an argument, so that tests and vectors can set it.
#pragma once

#include <stdint.h>

int64_t clock_wall_ms(void);       // milliseconds since 1970 UTC
uint64_t clock_monotonic_ms(void); // never jumps; counts only differences
