// What is withheld from a person.
#pragma once

#include "store/store.h"

// The objects withheld from the person, valid until something else is; *out is NULL if there are none.
enum status withheld_find(struct store *s, const struct hash *person, const struct hash_map **out, struct error *e);
void withheld_destroy(struct store *s);
