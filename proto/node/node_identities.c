// Further identities of a node: each is known to the loop, the store's thread and the peers, and is never taken away
// while the node runs.
#include <stdlib.h>

#include "node/node_internal.h"
#include "node/peers.h"

// In the order in which they were added; NULL behind the last one.
static const struct identity *further_at(struct node *n, size_t index)
{
    OWNER_ASSERT(n);
    size_t count = 0;
    while (n->further != NULL && n->further[count] != NULL)
        count++;
    return index < count ? n->further[index] : NULL;
}

struct newcomer {
    struct node *node;
    const struct identity *identity;
};

static enum status meet_work(struct store *s, void *arg, struct error *e)
{
    const struct newcomer *c = arg;
    (void)s, (void)e;
    actors_add(&c->node->hooks.actors, c->identity);
    return STATUS_OK;
}

static void meet_done(void *arg, enum status status, const struct error *e)
{
    (void)status, (void)e;
    free(arg);
}

// Before anything can come for it.
static void let_act(struct node *n, const struct identity *further)
{
    struct newcomer *c = mem_alloc(sizeof *c);
    *c = (struct newcomer){.node = n, .identity = further};
    store_submit(n->queue, meet_work, meet_done, c);
}

void node_add_identity(struct node *n, struct identity *further)
{
    size_t count = 0;
    for (const struct identity *i; (i = further_at(n, count)) != NULL; count++) {
        if (hash_eq(&i->person, &further->person)) { // it was added twice
            identity_destroy(further);
            return;
        }
    }
    n->further = mem_resize(n->further, (count + 2) * sizeof(struct identity *));
    n->further[count] = further;
    n->further[count + 1] = NULL;
    let_act(n, further);
    peers_add_identity(n->peers, further);
    if (n->kind->meet != NULL)
        n->kind->meet(n->kind_state, further);
}
