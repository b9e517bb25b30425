// What goes wrong, each at its time, and when it is over again.
#pragma once

#include "supervisor/simulate/world.h"

bool trouble_tick(struct world *w); // true when all has happened and is over
void trouble_destroy(struct world *w);
