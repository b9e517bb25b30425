// Inside proto/net only: the listening sockets of one address.
#pragma once

#include "base/address.h"

struct listening {
    int fd[2]; // two for "localhost": 127.0.0.1 and ::1
    size_t count;
    uint16_t port;
    bool wildcard;
};

// Errors as ws_server_listen. The descriptors are the caller's; close them with listening_close.
enum status listening_open(const struct listen_address *address, struct listening *out, struct error *e);
void listening_close(struct listening *l);
