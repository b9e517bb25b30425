// Which person, with which instance key, is our own other node. The answer is a setting of this store that only the
// supervisor's word changes (sharing_set_own_node): no object and no peer can become it.
#pragma once

#include "models/model.h"

enum status own_node_set_key(struct model *m, const struct public_key *instance_key, struct error *e);
enum status own_node_set_person(struct model *m, const struct hash *person, struct error *e);
bool sharing_own_key(struct model *m, struct public_key *instance_key);              // false if it was not told
enum status sharing_own_node(struct model *m, struct hash *person, struct error *e); // STATUS_NOT_FOUND if none
bool sharing_is_own_node(struct model *m, const struct hash *person);
