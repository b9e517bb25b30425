// Makes a version the current one of its id. NOT-A-VERSION
#pragma once

#include "store/store.h"

enum status current_set(struct store *s, const struct hash *id_hash, const struct hash *node, struct error *e);
