// A look at the store of a node that has not opened it: what would become of opening it? It changes nothing.
#pragma once

#include "store/store.h"

// STORE-MISSING; STORE-CORRUPT with what the database says of itself; STORE-FAILED: it cannot be read. The objects are
// not read: that is verifying.
enum status store_look(const char *dir, enum store_kind kind, struct error *e);
