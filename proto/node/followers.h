// chat.since and chat.state as long polls: a follower without news is answered when a channel or the state of a message
// changes, or after the time it gave.
// While somebody follows a person, that person is asked for news more often.
#pragma once

#include "node/node.h"

struct followers;

struct followers *followers_create(struct node *n);
void followers_destroy(struct followers *fs); // answers who still waits; NULL-safe
void followers_register(struct node *n);      // chat.since, chat.state
void followers_wake(struct followers *fs);    // a channel has changed, or what became of a message
void followers_written(struct node *n, const struct hash *message); // loop: an intent was committed
