// A file being written that nobody sees yet: bytes go to a temporary name, then fsync, then rename to the final name.
// After a crash there is either nothing, a temporary file, or the whole file.
//
//   temp_create → temp_add … → temp_sync → temp_publish → folder_sync of the final folder → temp_destroy
//
// An fsync that failed is never repeated: the bytes are gone, the caller writes them again (docs/architecture.md, "The
// store").
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

struct temp;

#define TEMP_PREFIX "tmp-" // names of temporary files begin so

enum status temp_create(const char *folder, mode_t mode, struct temp **out, struct error *e);
enum status temp_add(struct temp *t, struct span bytes, struct error *e);
void temp_flush(struct temp *t); // starts writing back; syncs of many files then share one commit of the journal
enum status temp_sync(struct temp *t, struct error *e);
enum status temp_publish(struct temp *t, const char *path, struct error *e); // same file system
void temp_destroy(struct temp *t); // removes what was not published; NULL-safe
