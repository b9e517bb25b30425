// From whom the first version of an id came. Whoever brought it may bring more; of what began here, nobody may.
#pragma once

#include "models/model.h"

bool origin_is(struct model *m, const struct hash *id_hash, const struct hash *person);
enum status origin_get(struct model *m, const struct hash *id_hash, struct hash *person, struct error *e); // NOT-FOUND
enum status origin_set(struct model *m, const struct hash *id_hash, const struct hash *person, struct error *e);
