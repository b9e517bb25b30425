// What may be said on a connection: messages of every group, right and slightly wrong, made at random.
#pragma once

#include "base/bytes.h"
#include "crypto/box.h"

struct talk;

void sayings_begin(void); // makes what actors offer over CHUM
void sayings_end(void);
void sayings_learn(struct span text);      // hashes in what the node said are asked for later
void sayings_add_token(const char *token); // of an invitation that is open
void say_something(struct talk *t);        // fit for the group, or not
