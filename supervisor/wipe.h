// Deleting both stores and the keys, so that a crash on the way is finished by the next start: the marker DIR/wiping is
// written first and removed last; keys go before stores, stores are renamed before they are removed.
#pragma once

#include <stdbool.h>

#include "base/error.h"

bool wipe_is_unfinished(const char *state_dir);
enum status wipe_run(const char *state_dir, struct error *e); // slow; any thread; leaves empty archive/ and sparse/
