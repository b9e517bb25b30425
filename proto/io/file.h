// Whole files: read with a limit, replaced atomically. Failures carry the codes of error_errno; NOT-FOUND and TOO-BIG
// are said where they can happen.
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

// Puts bytes at path so that after any crash either the old or the whole new content is there: temporary file in the
// same folder, fsync, rename, fsync of the folder.
enum status file_write(const char *path, struct span bytes, mode_t mode, struct error *e);
// Appends the content to out. STATUS_NOT_FOUND "NOT-FOUND"; STATUS_TOO_BIG "TOO-BIG" above limit, out unchanged.
enum status file_read(const char *path, size_t limit, struct buf *out, struct error *e);
// Appends up to len bytes from offset; fewer only at the end of the file. STATUS_NOT_FOUND "NOT-FOUND".
enum status file_read_at(const char *path, uint64_t offset, size_t len, struct buf *out, struct error *e);
// For reading; the caller closes *fd. STATUS_NOT_FOUND "NOT-FOUND".
enum status file_open(const char *path, int *fd, struct error *e);
bool file_exists(const char *path);
enum status file_rename(const char *from, const char *to, struct error *e); // durable after folder_sync
enum status file_remove(const char *path, struct error *e);                 // an absent file is fine
