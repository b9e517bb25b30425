// The table of heads: the current version of every id.
#pragma once

#include "store/store.h"

struct head_row {
    struct hash node;
    struct hash data;
};

enum status heads_get(struct store *s, const struct hash *id_hash, struct head_row *out, struct error *e);
