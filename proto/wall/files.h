// Landlock: which files, which TCP connections and which other processes are within reach.
#pragma once

#include "wall/rights.h"

int files_landlock_version(void); // that the kernel knows and this program uses; 0 = none

// Restricts the calling thread and those it starts.
enum status files_restrict(const struct wall_rights *r, int version, const struct wall_place *places, size_t count,
                           struct error *e);
