// How much memory the installations take.
#pragma once

#include "supervisor/simulate/world.h"

void weigh_tick(struct world *w); // now and then; keeps the most in memory and node_memory of the world
