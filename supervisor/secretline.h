// A secret as it is handed over: the first line of a file, a pipe or a terminal.
#pragma once

#include "base/error.h"
#include "crypto/secret.h"

enum { SECRET_MAX = 1024 };                 // bytes
enum { SECRET_LINE_ROOM = SECRET_MAX + 8 }; // with what may stand around it

// Reads byte by byte, so that what follows stays in the pipe, and without stdio, whose buffer would keep it. The caller
// destroys out. SECRET-MISSING, BAD-INPUT (too long), BAD-TEXT.
enum status secret_line_read(int fd, struct secret *out, struct error *e);
// The same of the first len bytes that were read already.
enum status secret_line_take(const struct secret *room, size_t len, struct secret *out, struct error *e);
