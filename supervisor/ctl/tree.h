// Copying folders, for import and export.
#pragma once

#include "supervisor/ctl/ctl.h"

// Copies plain files and folders below from into to, which must not exist; anything else below from is refused. Holes
// stay holes. What was written is removed again on failure, also of interrupt_check.
enum status tree_copy(const struct ctl *c, const char *from, const char *to, struct error *e);
