// clock_shift.c, built as a library to be preloaded: its bytes. Made when building.
#pragma once

#include <stddef.h>

extern const unsigned char CLOCK_LIBRARY[];
extern const size_t CLOCK_LIBRARY_SIZE;
