// The identities of this node as the peers have them, and how one is found.
#include <stdlib.h>

#include "node/peers_internal.h"

struct local *peers_local(struct peers *p, const struct conn_identity *identity)
{
    struct local *l = &p->main;
    while (&l->identity != identity)
        l = l->next;
    return l;
}

struct local *peers_local_named(struct peers *p, struct span text, struct error *e)
{
    size_t count = 0;
    size_t at = 0;
    struct local *found = &p->main;
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        count++;
    const struct identity **all = mem_alloc(count * sizeof *all);
    count = 0;
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        all[count++] = l->self;
    enum status st = identity_named(all, count, text, &at, e);
    free(all);
    for (size_t i = 0; st == STATUS_OK && i < at; i++)
        found = found->next;
    return st == STATUS_OK ? found : NULL;
}
