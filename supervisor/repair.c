// store.repair: by the node itself if it runs. One that does not open tries again and makes its database anew from what
// is left, without anything being given up.
#include <stdlib.h>
#include <string.h>

#include "supervisor/core.h"

enum { REOPEN_MS = 60000, BEGIN_MS = 30000 };

struct asking {
    struct ipc_request *request;
};

static void begun(void *ctx, json_t *result, const struct error *error)
{
    struct asking *a = ctx;
    if (error != NULL)
        ipc_request_fail(a->request, error);
    else
        ipc_request_reply(a->request, json_incref(result));
    free(a);
}

static void begin(struct node *n, struct ipc_request *r)
{
    struct asking *a = mem_alloc(sizeof *a);
    a->request = r;
    bool forget = ipc_request_bool(r, P_forget, false);
    ipc_channel_call(process_channel(n->process), "node.repair", json_pack("{s:b}", "forget", (int)forget), BEGIN_MS,
                     begun, a);
}

static bool is_open(const struct supervisor *s, const struct task *t)
{
    return node_is_open(&s->nodes[t->node]);
}

static json_t *opened(const struct supervisor *s, const struct task *t)
{
    (void)s;
    (void)t;
    return json_pack("{s:b}", "opened", 1);
}

static void reopen(struct supervisor *s, struct node *n, struct ipc_request *r)
{
    static const struct task_kind kind = {is_open, opened, false};
    struct task *t = tasks_begin(s, r, kind, REOPEN_MS);
    if (t == NULL)
        return;
    t->node = (int)n->which;
    s->repair = t;
    n->repair = true;
    n->blocked = 0;
    drive(s);
}

static void handle_repair(struct ipc_request *r, void *ctx)
{
    struct supervisor *s = ctx;
    struct error e = {0};
    enum ipc_node which = IPC_ARCHIVE;
    ipc_node_parse(ipc_request_text(r, P_node), &which);
    struct node *n = &s->nodes[which];
    if (node_is_open(n)) {
        begin(n, r);
        return;
    }
    if (s->repair != NULL)
        error_set(&e, STATUS_CONFLICT, "BUSY", "another repair is under way");
    else if (nodes_check_idle(s, &e) != STATUS_OK)
        ; // e says what is under way
    else if (s->kek.data == NULL)
        error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the nodes have no keys yet: try 'tandem provision' first");
    else if (process_state(n->process) != PROCESS_UP)
        error_set(&e, STATUS_CLOSED, "NODE-DOWN", "the %s node is down", process_name(n->process));
    if (e.status != STATUS_OK)
        ipc_request_fail(r, &e);
    else
        reopen(s, n, r);
}

void repair_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "store.repair", handle_repair, s);
}
