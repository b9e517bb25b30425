// Many messages, from stdin.
#pragma once

#include "supervisor/ctl/sending.h"

// One message per line of stdin, in their order, many of them under way at once. The first that cannot be sent ends it:
// no further one is begun, what was stored of those under way is told as ever, and e says which line it was and how
// many more were not stored.
enum status sending_lines(struct sending *s, struct error *e);
