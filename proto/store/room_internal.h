// What storing and reading files tell about their use.
#pragma once

#include "store/rows.h"

enum status room_add(struct store *s, const struct object_row *row, struct error *e); // it is here now
void room_use(struct store *s, const struct hash *hash, bool to_end);                 // it is read
