// Finds a route by who dials and whom.
#include <string.h>

#include "conn/routes_internal.h"

struct hash routes_key_hash(const struct public_key *key)
{
    struct hash h;
    memcpy(h.b, key->b, sizeof h.b);
    return h;
}

struct route *routes_first(const struct routes *r, const struct public_key *remote)
{
    struct hash key = routes_key_hash(remote);
    return hash_map_get(r->by_key, &key);
}

struct route *routes_find(const struct routes *r, const struct conn_identity *local, const struct public_key *remote)
{
    struct route *g = routes_first(r, remote);
    while (g != NULL && g->local != local)
        g = g->next_local;
    return g;
}
