// --version: the program, what this build of it has, and the libraries it was built with.
#pragma once

#include "supervisor/ctl/ctl.h"

void version_show(const struct ctl *c);
