// The lines of tandem-discovery, as supervisor/discovery/found.h has them. They go out at once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct said_service {
    const char *name; // of any bytes, as the others from the network
    int interface;    // its number
    bool ipv6;
    const char *host;
    const char *address;
    uint16_t port;
};

void said_state(const char *state);
void said_announced(const char *name);
void said_away(const char *why);
void said_unannounced(const char *why);
void said_settled(bool settled);
void said_gone(const struct said_service *s);
// entries: of TXT, of any bytes; of more, longer or binary ones only what found.h has room for is said.
void said_found(const struct said_service *s, const struct span *entries, size_t count);
