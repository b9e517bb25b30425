// Compares what happened with what was expected.
#pragma once

#include "supervisor/simulate/world.h"

// [{"name","passed","why","measured"}], a new reference.
json_t *verdict_checks(const struct world *w);
// Whether what was read leaves nothing to wait for: all there, and the same everywhere.
bool verdict_is_clean(const struct world *w);
