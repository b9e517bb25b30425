// A try goes through the client that dials contacts, so it fails for the same reasons. It opens a WebSocket and says
// nothing on it.
#include "node/tries.h"

#include <stdlib.h>

#include "base/clock.h"
#include "node/job.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

enum { TRIES_MAX = 8 };

struct try_once {
    struct try_once *next;
    struct tries *owner;
    struct ipc_request *request;
    struct ws_connect *connect;
    uint64_t began;
};

struct tries {
    struct peers *peers;
    struct try_once *first;
    size_t count;
};

struct tries *tries_create(struct peers *p)
{
    struct tries *t = mem_alloc(sizeof *t);
    t->peers = p;
    return t;
}

static void forget(struct try_once *one)
{
    struct try_once **at = &one->owner->first;
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    one->owner->count--;
    free(one);
}

void tries_close(struct tries *t)
{
    struct error e;
    if (t == NULL)
        return;
    error_set(&e, STATUS_CLOSED, "CLOSED", "the node is stopping");
    while (t->first != NULL) {
        ws_connect_cancel(t->first->connect);
        ipc_request_fail(t->first->request, &e);
        forget(t->first);
    }
    free(t);
}

static void tried(void *ctx, struct transport *transport, const struct error *why)
{
    struct try_once *one = ctx;
    uint64_t ms = clock_monotonic_ms() - one->began;
    if (transport != NULL) {
        transport->ops->close(transport, "tried");
        transport_release(transport);
        ipc_request_reply(one->request, json_pack("{s:I}", "milliseconds", (json_int_t)ms));
    } else {
        ipc_request_fail(one->request, why);
    }
    forget(one);
}

static enum status begin(struct node *n, struct ipc_request *r, struct error *e)
{
    struct tries *t = n->peers != NULL ? n->peers->tries : NULL;
    if (t == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    if (t->count == TRIES_MAX)
        return error_set(e, STATUS_CONFLICT, "BUSY", "%d addresses are being tried already", TRIES_MAX);
    struct try_once *one = mem_alloc(sizeof *one);
    *one = (struct try_once){.next = t->first, .owner = t, .request = r, .began = clock_monotonic_ms()};
    one->connect = ws_client_connect(t->peers->client, ipc_request_text(r, P_url), 0, 0, tried, one, e);
    if (one->connect == NULL) {
        free(one);
        return e->status;
    }
    t->first = one;
    t->count++;
    return STATUS_OK;
}

static void handle_try(struct ipc_request *r, void *ctx)
{
    struct error e = {0};
    if (begin(ctx, r, &e) != STATUS_OK)
        ipc_request_fail(r, &e);
}

void tries_register(struct node *n)
{
    ipc_service_on(n->service, "connection.try", handle_try, n);
}
