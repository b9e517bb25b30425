// What a process holds in memory stays there: no core file, and nobody else's debugger.
#pragma once

#include <stdbool.h>

// false, with errno: the kernel refused. Builds of the preset "debug" may be looked into, and this does nothing.
bool dumps_forbid(void);
