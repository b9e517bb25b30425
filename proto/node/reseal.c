// node.reseal and node.settle: the node's part in a change of the installation's secret (supervisor/rekey.c).
//
// Only files in private/ change, and open connections and the open store need none of them, so both work at any time,
// provisioned or not.
#include <stdlib.h>

#include "base/log.h"
#include "node/node_internal.h"

struct resealing {
    struct ipc_request *request;
    char *dir;
    struct secret key;
    struct secret next; // empty: only open the keychain, which settles a change
    enum status status;
    struct error error;
};

static void reseal_work(void *arg)
{
    struct resealing *r = arg;
    struct keychain *keychain;
    r->status = keychain_open(r->dir, &r->key, false, &keychain, &r->error);
    if (r->status == STATUS_OK && r->next.data != NULL)
        r->status = keychain_reseal(keychain, &r->next, &r->error);
    else if (r->status == STATUS_NOT_FOUND)
        r->status = error_set(&r->error, STATUS_NOT_FOUND, "STORE-MISSING", "there are no keys in %s", r->dir);
    keychain_close(keychain);
}

static void free_resealing(struct resealing *r)
{
    secret_destroy(&r->key);
    secret_destroy(&r->next);
    free(r->dir);
    free(r);
}

static void reseal_done(void *arg)
{
    struct resealing *r = arg;
    LOG(r->status == STATUS_OK ? LOG_INFO : LOG_WARN, "keychain.resealed",
        LOG_TEXT("step", r->next.data != NULL ? "prepared" : "settled"), LOG_TEXT("code", r->error.code));
    if (r->status == STATUS_OK)
        ipc_request_reply(r->request, NULL);
    else
        ipc_request_fail(r->request, &r->error);
    free_resealing(r);
}

static struct resealing *resealing_create(struct node *n, struct ipc_request *request)
{
    struct resealing *r = mem_alloc(sizeof *r);
    r->request = request;
    r->dir = node_path(n, "private");
    r->status = error_set(&r->error, STATUS_CLOSED, "CLOSED", "the node is stopping");
    return r;
}

static void begin(struct ipc_request *request, struct node *n, bool prepares)
{
    struct error e = {0};
    struct resealing *r = resealing_create(n, request);
    enum status status = STATUS_OK;
    if (n->opening)
        status = error_set(&e, STATUS_CONFLICT, "BUSY", "the node is being provisioned");
    if (status == STATUS_OK)
        status = node_take_key(request, "key", &r->key, &e);
    if (status == STATUS_OK && prepares)
        status = node_take_key(request, "newKey", &r->next, &e);
    if (status == STATUS_OK && pool_submit(n->pool, reseal_work, reseal_done, r) == STATUS_OK)
        return;
    if (status == STATUS_OK)
        error_set(&e, STATUS_FULL, "BUSY", "the node has too much to do");
    ipc_request_fail(request, &e);
    free_resealing(r);
}

static void reseal(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, true);
}

static void settle(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, false);
}

void node_reseal_register(struct node *n)
{
    ipc_service_on(n->service, "node.reseal", reseal, n);
    ipc_service_on(n->service, "node.settle", settle, n);
}
