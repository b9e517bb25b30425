// A number for each person that moves when what it may see may have changed (store_roots_version). A change of scopes
// or groups is noted here when it is made.
#pragma once

#include "store/store.h"

void scope_events_create(struct store *s);
void scope_events_destroy(struct store *s);
void scope_events_note(struct store *s, int64_t scope);
void scope_events_note_group(struct store *s, const struct hash *group);
void scope_events_note_all(struct store *s);
uint64_t scope_events_count(const struct store *s);
