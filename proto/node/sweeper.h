// Takes the bytes of what the user deleted away, in slices between which the store does other things: soon after a
// deletion, ours or one the other own node tells of, whenever a message was delivered, and now and then.
#pragma once

struct node;
struct sweeper;

struct sweeper *sweeper_create(struct node *n);
void sweeper_destroy(struct sweeper *s); // NULL-safe
void sweeper_kick(struct sweeper *s);    // NULL-safe
