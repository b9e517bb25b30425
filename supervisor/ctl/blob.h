// Files from a node; the other direction is ctl_upload.
#pragma once

#include "supervisor/ctl/ctl.h"

// file NULL writes to stdout; otherwise it must not exist, and does not when this fails.
enum status blob_download(struct ctl *c, const char *hash, const char *file, int64_t *size, struct error *e);
