// Changing a setting for good.
#pragma once

#include <stdbool.h>

#include "base/error.h"

// BAD-CONFIG: there is no such setting, or it cannot be that.
enum status config_edit_check(const char *key, const char *value, struct error *e);
// Writes one setting into the file, which is made if there is none; its folder has to be there. What else stands in it
// stays. value NULL: the line goes, and the default counts again. *had: the file had such a line before.
// STATUS_INVALID "BAD-CONFIG" and, of where the archive listens, "HOSTS-MISSING" when the value, the file as it is or
// what it would become is refused; nothing is changed then.
enum status config_edit(const char *path, const char *key, const char *value, bool *had, struct error *e);
