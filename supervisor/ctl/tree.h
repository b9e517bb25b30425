// Copying folders, for import and export.
#pragma once

#include "base/error.h"

// Copies plain files and folders below from into to, which must not exist; anything else below from is refused. What
// was written is removed again on failure.
enum status tree_copy(const char *from, const char *to, struct error *e);
