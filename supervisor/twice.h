// Small files without which nothing opens lie twice in the state directory: as NAME, and as NAME.copy for when that is
// lost or damaged.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

// Both are replaced, NAME first. A copy that cannot be written is only told in the log.
enum status twice_write(const char *path, struct span bytes, struct error *e);
// NAME if it is good, else its copy, which takes its place again; what stood there is NAME.damaged then. If neither is
// good: what there is of NAME, in *out or as an error.
typedef bool (*twice_good)(struct span text);
enum status twice_read(const char *path, size_t limit, twice_good good, struct buf *out, struct error *e);
// NAME has proved to be the right one: its copy becomes the same. Until then a good copy stays what it is, since NAME
// may be the file of another installation.
void twice_confirm(const char *path, size_t limit);
enum status twice_remove(const char *path, struct error *e);
