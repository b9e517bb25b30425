// Who has which message, and how long it took.
#pragma once

#include "supervisor/simulate/world.h"

// A message has appeared at a user's; id as the nodes call it.
void mail_received(struct world *w, size_t user, const char *id);
// The sender's node has stored it, and calls it so.
void mail_stored(struct world *w, size_t index, const char *id);
size_t mail_recipients(const struct world *w, const struct plan_message *m);        // how many
bool mail_is_member(const struct world *w, const struct plan_talk *t, size_t user); // sender or recipient
