// Reading what is stored.
#pragma once

#include "store/store.h"

enum status object_is_damaged(struct store *s, const struct hash *hash, struct error *e); // notes it, STATUS_CORRUPT
enum status object_is_remote(struct store *s, const struct hash *hash, struct error *e);  // STATUS_NOT_FOUND "REMOTE"
