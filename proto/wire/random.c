// The one source of randomness outside of tests, which give a recorded one in its place.
#include "wire/random.h"

#include "crypto/secret.h"

static void fill_from_system(void *ctx, void *out, size_t len)
{
    (void)ctx;
    random_bytes(out, len);
}

const struct random_source RANDOM_SYSTEM = {.fill = fill_from_system};
