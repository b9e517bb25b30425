// The listening sockets of one address.
#pragma once

#include "base/address.h"

struct listening {
    int fd[2]; // two for "localhost": 127.0.0.1 and ::1
    size_t count;
    uint16_t port;
    bool wildcard;
    bool only_bound;
};

// BAD-ADDRESS, PORT-TAKEN, NO-PERMISSION, IO. The descriptors are the caller's; close them with listening_close.
enum status listening_open(const struct listen_address *address, struct listening *out, struct error *e);
// Whether that would succeed now, without listening: two that try the same address do not see each other.
enum status listening_try(const struct listen_address *address, bool *wildcard, struct error *e);
void listening_close(struct listening *l);
