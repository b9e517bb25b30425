// Reads from every node what it has of every talk its user is in.
#pragma once

#include "supervisor/simulate/world.h"

void harvest_begin(struct world *w); // drops what was read before
bool harvest_tick(struct world *w);  // true when everything is read
void harvest_destroy(struct world *w);
