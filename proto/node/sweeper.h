// Takes the bytes of what the user deleted away, in slices between which the store does other things: soon after a
// deletion, ours or one the other own node tells of, whenever a message was delivered, and now and then.
#pragma once

#include "base/hash.h"

struct node;
struct sweeper;

struct sweeper *sweeper_create(struct node *n);
void sweeper_destroy(struct sweeper *s); // NULL-safe
// Messages that came of a time that is deleted: their bytes go, too. The list is taken over.
void sweeper_hide(struct sweeper *s, struct hash_list *messages);
void sweeper_kick(struct sweeper *s); // NULL-safe
