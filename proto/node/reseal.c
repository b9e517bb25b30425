// node.reseal and node.settle: the node's part in a change of the installation's secret (supervisor/rekey.c). And
// node.keys. Each answers with a copy of the sealed keys, which the supervisor keeps outside of the node's folder.
//
// Only files in private/ change, and open connections and the open store need none of them, so both work at any time,
// provisioned or not.
#include <stdlib.h>

#include "base/log.h"
#include "crypto/keycopy.h"
#include "node/node_internal.h"
#include "node/params.h"

struct resealing {
    struct ipc_request *request;
    char *dir;
    struct secret key;
    struct secret next; // empty: only open the keychain, which settles a change
    bool copies;        // nothing but the copy is wanted
    struct buf copy;
    enum status status;
    struct error error;
};

static enum status change_seal(struct resealing *r)
{
    struct keychain *keychain;
    r->status = keychain_open(r->dir, &r->key, false, &keychain, &r->error);
    if (r->status == STATUS_OK && r->next.data != NULL)
        r->status = keychain_reseal(keychain, &r->next, &r->error);
    else if (r->status == STATUS_NOT_FOUND)
        r->status = error_set(&r->error, STATUS_NOT_FOUND, "STORE-MISSING", "there are no keys in %s", r->dir);
    keychain_close(keychain);
    return r->status;
}

static void reseal_work(void *arg)
{
    struct resealing *r = arg;
    if (r->copies || change_seal(r) == STATUS_OK)
        r->status = keycopy_make(r->dir, &r->copy, &r->error);
}

static void free_resealing(struct resealing *r)
{
    secret_destroy(&r->key);
    secret_destroy(&r->next);
    buf_free(&r->copy);
    free(r->dir);
    free(r);
}

static void reseal_done(void *arg)
{
    struct resealing *r = arg;
    const char *step = r->copies ? "copied" : r->next.data != NULL ? "prepared" : "settled";
    LOG(r->status == STATUS_OK ? LOG_INFO : LOG_WARN, "keychain.resealed", LOG_TEXT("step", step),
        LOG_TEXT("code", r->status != STATUS_OK ? r->error.code : ""));
    if (r->status == STATUS_OK)
        ipc_request_reply(r->request, json_pack("{s:s}", "copy", buf_cstr(&r->copy)));
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

enum step { PREPARE, SETTLE, COPY };

static void begin(struct ipc_request *request, struct node *n, enum step step)
{
    struct error e = {0};
    struct resealing *r = resealing_create(n, request);
    r->copies = step == COPY;
    enum status status = STATUS_OK;
    if (n->opening)
        status = error_set(&e, STATUS_CONFLICT, "BUSY", "the node is being provisioned");
    if (status == STATUS_OK && step != COPY)
        status = node_take_key(request, P_key, &r->key, &e);
    if (status == STATUS_OK && step == PREPARE)
        status = node_take_key(request, P_newKey, &r->next, &e);
    if (status == STATUS_OK && pool_submit(n->pool, reseal_work, reseal_done, r) == STATUS_OK)
        return;
    if (status == STATUS_OK)
        error_set(&e, STATUS_FULL, "BUSY", "the node has too much to do");
    ipc_request_fail(request, &e);
    free_resealing(r);
}

static void reseal(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, PREPARE);
}

static void settle(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, SETTLE);
}

static void keys(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, COPY);
}

void node_reseal_register(struct node *n)
{
    ipc_service_on(n->service, "node.keys", keys, n);
    ipc_service_on(n->service, "node.reseal", reseal, n);
    ipc_service_on(n->service, "node.settle", settle, n);
}
