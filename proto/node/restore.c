// "Everything has come" is judged from outside, by a pass that left nothing over; if the end fails, the flag is taken
// back and another pass tries it again. Identities that came back begin on the loop, after the job that found them.
#include "node/restore.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/instance.h"
#include "models/restoring.h"
#include "models/selves.h"
#include "node/addresses.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

struct ending {
    struct node *node;
    char reachable[ADDRESS_URL_MAX + 1];
    struct selves further; // identities that are back
};

static enum status open_further(struct ending *r, const struct model *main, struct error *e)
{
    struct model m = *main;
    enum status st = instance_identities(&m, r->node->keychain, &r->further.items, &r->further.count, e);
    for (size_t i = 0; st == STATUS_OK && i < r->further.count; i++) {
        m.self = r->further.items[i];
        st = addresses_open(&m, r->reachable, node_config(r->node), e);
    }
    return st;
}

// The profile that came back says where the node was reached before.
static enum status end_work(struct store *s, void *arg, struct error *e)
{
    struct ending *r = arg;
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = node_self(r->node), .arena = a, .now_ms = clock_wall_ms()};
    enum status st = restoring_end(&m, r->node->keychain, e);
    if (st == STATUS_OK)
        st = addresses_open(&m, r->reachable, node_config(r->node), e);
    if (st == STATUS_OK)
        st = open_further(r, &m, e);
    arena_destroy(a);
    return st;
}

static void end_done(void *arg, enum status status, const struct error *e)
{
    struct ending *r = arg;
    struct peers *p = node_peers(r->node);
    LOG(status == STATUS_OK ? LOG_INFO : LOG_WARN, "node.restored",
        LOG_TEXT("code", status == STATUS_OK ? "" : e->code));
    for (size_t i = 0; p != NULL && status == STATUS_OK && i < r->further.count; i++) {
        node_add_identity(r->node, r->further.items[i]);
        r->further.items[i] = NULL;
    }
    selves_free(&r->further);
    if (p != NULL) {
        p->own.restored = false; // another pass tries again
        p->own.restoring = status != STATUS_OK;
        peers_refresh(p);
    }
    if (status == STATUS_OK)
        deliveries_restored(r->node->deliveries);
    free(r);
}

void restore_end(struct peers *p)
{
    if (!p->own.restoring || p->own.restored)
        return;
    p->own.restored = true;
    struct ending *r = mem_alloc(sizeof *r);
    r->node = p->node;
    snprintf(r->reachable, sizeof r->reachable, "%s", p->node->reachable);
    store_submit(node_queue(p->node), end_work, end_done, r);
}
