// People pair, and make groups.
#pragma once

#include "supervisor/simulate/world.h"

void meet_create(struct world *w);
bool meet_pairs(struct world *w);  // goes on; true when all pairs are contacts
bool meet_groups(struct world *w); // goes on; true when all members have all groups
void meet_destroy(struct world *w);
