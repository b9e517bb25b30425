// The machines of a scenario: disks that can be filled and clocks that run off, where its troubles want them.
#pragma once

#include "supervisor/simulate/world.h"

enum status machine_prepare(struct world *w,
                            struct error *e); // before there are threads; the folder of the run is there
enum status machine_give(struct user *u, struct error *e);
void machine_clear(struct world *w); // nothing runs any more

void machine_fill(const struct user *u, enum scenario_process node);
void machine_empty(const struct user *u, enum scenario_process node);
void machine_shift(struct user *u, int64_t seconds); // further than it is
