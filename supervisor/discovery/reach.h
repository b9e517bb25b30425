// Where a listener may be announced: at the interface that has its address, and nowhere else.
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct reach {
    bool hidden;   // the address is one of this machine: there is nothing to announce
    int interface; // its number; 0 = all
    bool only_v4;  // it listens at one version of IP
    bool only_v6;
};

// Looks the host up, which may wait for the network. STATUS_NOT_FOUND "BAD-ADDRESS": no interface has it.
enum status reach_find(const char *host, struct reach *out, struct error *e);
