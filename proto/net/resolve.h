// Inside proto/net only: names to addresses, off the loop thread.
#pragma once

#include "base/pool.h"

#include <netinet/in.h>

enum { RESOLVE_MAX = 4 };

struct addresses { // numeric, in the order they should be tried
    char text[RESOLVE_MAX][INET6_ADDRSTRLEN];
    size_t count;
};

// What needs no look-up: literals and localhost. false if name is another.
bool resolve_known(const char *name, struct addresses *out);

struct resolution; // a look-up under way

// done is called on the loop thread, with count 0 and a reason if the name has no address.
struct resolution *resolve_start(struct pool *pool, const char *name,
                                 void (*done)(void *ctx, const struct addresses *found, const char *reason), void *ctx);
void resolve_cancel(struct resolution *r); // NULL-safe; done is not called any more
