// Makes the kernel's seccomp program from the table of rights.
#pragma once

#include <linux/filter.h>

#include "wall/rights.h"

enum { FILTER_MAX = 2048 };

struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short count;
};

// What a program may call. pid is the process's own number.
void filter_of_program(struct filter *f, const struct wall_rights *r, uint32_t pid);
void filter_of_step(struct filter *f, enum wall_step step); // everything but what the step gives up
