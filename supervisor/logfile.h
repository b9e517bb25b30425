// A log file of mode 0600 that is rotated at 10 MiB: x.log, x.log.1 … x.log.4.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "supervisor/journal.h"

enum { LOGFILE_BYTES = 10 * 1024 * 1024, LOGFILE_COUNT = 5 };

struct logfile;

struct logfile *logfile_open(const char *path, struct error *e); // appends; NULL on failure
// The same with other bounds; count includes the current one.
struct logfile *logfile_open_limited(const char *path, size_t bytes, int count, struct error *e);
void logfile_close(struct logfile *l);
// For log_open; stays the same descriptor across rotations.
int logfile_fd(const struct logfile *l);
// What is written with logfile_write goes there as well, line by line. Borrowed; NULL = no more.
void logfile_use_journal(struct logfile *l, struct journal *j);
void logfile_write(struct logfile *l, struct span bytes);
void logfile_rotate_if_full(struct logfile *l); // for files that others write to through the descriptor
// After an outside tool moved the file away. On failure the old one goes on.
enum status logfile_reopen(struct logfile *l, struct error *e);
