// What is said: each message at its time, again until the node has it, by an opId so that it is said once.
#pragma once

#include "supervisor/simulate/world.h"

void talk_create(struct world *w);
// True when every message is stored at its sender's.
bool talk_tick(struct world *w);
size_t talk_missing(const struct world *w); // how many deliveries are not known yet
void talk_progress(const struct world *w, size_t *said, size_t *delivered);
// Which message a text is; SIZE_MAX: none of ours.
size_t talk_recognise(const struct world *w, const char *text);
void talk_destroy(struct world *w);
