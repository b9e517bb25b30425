// A lock file: one process at a time works on a folder. The kernel drops the lock with the process, however it ends, so
// a file left behind is never stale.
#pragma once

#include "base/error.h"

struct lock;

// STATUS_CONFLICT "LOCKED" when another holder exists (also in this process); the message names its process id.
enum status lock_acquire(const char *path, struct lock **out, struct error *e);
void lock_release(struct lock *l); // NULL-safe; the file stays
