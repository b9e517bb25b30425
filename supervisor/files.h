// Small files and folders of the state directory: read whole, replaced atomically, removed as trees.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

// Appends the file to out; out is unchanged on failure. STATUS_NOT_FOUND "NOT-FOUND" when there is none, STATUS_TOO_BIG
// above max bytes.
enum status files_read(const char *path, size_t max, struct buf *out, struct error *e);

// Readers see the old or the new content, whatever happens: temporary file of mode 0600, fsync, rename, fsync of the
// folder.
enum status files_write(const char *path, struct span content, struct error *e);

enum status files_remove(const char *path, struct error *e);   // no failure when there is none
enum status files_make_dir(const char *path, struct error *e); // with parents; mode 0700
// Removes a folder and all below it without following symbolic links. No failure when there is none.
enum status files_remove_tree(const char *path, struct error *e);
bool files_exists(const char *path);
bool files_dir_is_empty(const char *path); // also when there is none
