// Two nodes of which one judges what the other sends, and the objects it may send.
#pragma once

#include "model_node.h"

struct world {
    struct model_node me;
    struct model_node peer;
};

// Around a cmocka test, whose state it is.
int world_begin(void **state);
int world_end(void **state);

// Of what comes from the peer.
bool world_may_import(struct world *w, const struct value *object);
bool world_follows(struct world *w, const struct value *object);

struct value *world_channel(struct world *w, const char *id, const struct hash *owner); // owner may be NULL
struct value *world_profile_of_peer(struct world *w, unsigned number, size_t descriptions);
struct value *world_profile(struct world *w, const struct hash *person, const struct hash *owner);
