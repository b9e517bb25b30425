// The recipes a store brings along.
#pragma once

#include "store/store.h"

enum status recover_recipes(struct store *s, struct error *e); // registers those of the stored instances
