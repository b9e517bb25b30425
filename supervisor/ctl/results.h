// What a command prints with --json, in words.
#pragma once

#include "base/bytes.h"

bool result_describe(const char *command, struct buf *out); // false: nobody has written it down
