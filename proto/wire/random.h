// Where the random bytes of connections come from: ephemeral keys, nonces, challenges and filler. Always the system's
// generator, except where a recorded connection is replayed byte for byte.
#pragma once

#include <stddef.h>

struct random_source {
    void (*fill)(void *ctx, void *out, size_t len);
    void *ctx;
};

extern const struct random_source RANDOM_SYSTEM;
