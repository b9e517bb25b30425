// Many messages, from stdin.
#pragma once

#include "supervisor/ctl/sending.h"

// One message per line of stdin, in their order, many of them under way at once. The first that cannot be sent ends it:
// no further one is begun, what was stored of those under way is told as ever, and e says which line it was, how many
// more were not stored, and of which nobody knows. One that found the server BUSY is begun again before any later one.
enum status sending_lines(struct sending *s, struct error *e);
