// Wall clocks that run off: what clock_shift.c does, preloaded into the processes of a user.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum status clock_install(const char *library, struct error *e); // writes the library there
enum status clock_put(const char *file, int64_t seconds,
                      struct error *e);                // makes the file, which TANDEM_CLOCK_SHIFT names
bool clock_is_shifted(pid_t pid, const char *library); // whether the process has it: not every system lets it be loaded
