// The installations and relays of a run: started, opened, brought back after they were killed, ended.
#pragma once

#include "supervisor/simulate/world.h"

enum status people_create(struct world *w, struct error *e);
// Starts whom nobody has started yet, a few at a time. True when all are there.
bool people_tick(struct world *w);
void people_stop(struct world *w); // ends all processes
void people_destroy(struct world *w);
