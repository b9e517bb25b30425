// The file "format" in the folder of a store.
#pragma once

#include "store/store.h"

// What the file "format" says: marked, there is one; damaged, it does not say which. STATE-TOO-NEW.
enum status store_check_format(const char *dir, bool *marked, bool *damaged, struct error *e);
enum status store_write_format(const char *dir, struct error *e);
