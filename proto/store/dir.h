// The folder of a store, and the mark in it that has the next opening make the database anew.
#pragma once

#include "store/store.h"

char *store_path(const struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3))); // caller frees
bool dir_needs_rebuild(const struct store *s);
void dir_mark_rebuild(const struct store *s);
