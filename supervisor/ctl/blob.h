// Files from a node; the other direction is ctl_upload.
#pragma once

#include "supervisor/ctl/ctl.h"

// file NULL writes to stdout; otherwise it must not exist, and comes to exist when it is whole.
enum status blob_download(struct ctl *c, const char *hash, const char *file, int64_t *size, struct error *e);
