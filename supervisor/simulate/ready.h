// The scenarios that come with tandem: those of the folder ready/, put into the program when it is built.
#pragma once

#include "base/bytes.h"

struct ready {
    const char *name;
    struct span text;
};

extern const struct ready READY[];
extern const size_t READY_COUNT;
