// What the archive last said of people, kept at the sparse node for when it is away: when they were seen, and the
// safety text of its pairing with them; for each of its identities.
#pragma once

#include <jansson.h>

#include "models/model.h"

// item: of node.contacts. Nothing is written if it says what is known.
enum status known_keep(struct model *m, const json_t *item, struct error *e);
// Into an item of contacts.list, where this node itself knows less. Both: as the identity that acts.
void known_fill(struct model *m, const struct hash *person, json_t *item);
enum status known_forget(struct model *m, const struct hash *person, struct error *e);
