// When a person was connected last, kept in the store's settings: written when a connection begins and ends, and every
// few minutes in between, so that a crash costs little.
#pragma once

#include "node/peers_internal.h"

struct seen; // opaque

struct seen *seen_create(struct peers *p);
void seen_destroy(struct seen *s);
void seen_note(struct seen *s, const struct hash *person); // it is connected, or was until now
void seen_tick(struct seen *s);                            // once a minute

// On the store thread: ms since 1970, 0 = never.
int64_t seen_last(struct store *s, struct arena *a, const struct hash *person);
