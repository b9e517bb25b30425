// Making lost objects again from their links.
#pragma once

#include "store/links.h"

// How the id object is read (store_get_object).
typedef enum status (*remake_read)(struct store *s, const struct hash *hash, struct arena *a, struct object *o,
                                   struct error *e);
// The bytes of a lost object, where its links and its id object say all that was in it: they have its hash. false:
// they do not.
bool remake_from_links(struct store *s, const struct hash *hash, const struct object_row *row, remake_read read,
                       struct arena *a, struct span *text);
