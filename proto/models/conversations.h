// Where something belongs that is lost here: which conversation it was part of.
#pragma once

#include "models/model.h"

// Maps those of the hashes that are an entry of a channel, its time or what was posted to the id of the channel, which
// lives in the arena.
void conversations_of(struct model *m, const struct hash_list *lost, struct hash_map *out);
// What people call it: the topic's name, or the id of the channel.
struct span conversations_name(struct model *m, const struct hash *channel);
