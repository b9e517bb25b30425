// What is stored once more.
#pragma once

#include "store/rows.h"

// What is present already is stored again: by somebody else, or on its own account.
enum status vouch_again(struct store *s, const struct hash *hash, struct object_row *row, struct error *e);
