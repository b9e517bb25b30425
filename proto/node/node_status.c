// node.status: what the supervisor asks to know how a node is. Where nothing is open it answers at once; else the
// totals are a reading job, so an answer takes as long as the store's thread is busy, and the supervisor notices.
#include <stdlib.h>
#include <sys/resource.h>

#include "node/board.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"
#include "node/use.h"
#include "wall/wall.h"

enum { FILES_WANTED = 1024 };

struct asking {
    struct node *node;
    struct ipc_request *request;
    struct store_totals totals;
};

static enum status count_work(struct store *s, void *arg, struct error *e)
{
    struct asking *a = arg;
    return store_totals(s, &a->totals, e);
}

static const char twice[] =
    "INSTANCE-TWICE: another copy of this installation runs somewhere with the same keys; stop one of them";

static json_t *warnings(const struct node *n)
{
    struct rlimit files;
    json_t *list = json_array();
    if (wall_state()->warning[0] != '\0')
        json_array_append_new(list, json_string(wall_state()->warning));
    if (n->store_note[0] != '\0')
        json_array_append_new(list, json_string(n->store_note));
    if (n->peers != NULL && twins_of_ours(n->peers->twins))
        json_array_append_new(list, json_string(twice));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_WANTED)
        json_array_append_new(list, json_sprintf("only %llu files and connections may be open; allow %d: ulimit -n, or "
                                                 "LimitNOFILE= of the systemd unit",
                                                 (unsigned long long)files.rlim_cur, FILES_WANTED));
    return list;
}

static json_t *walls(void)
{
    const struct wall_state *w = wall_state();
    return json_pack("{s:b, s:i}", "seccomp", (int)w->seccomp, "landlock", w->landlock);
}

static json_t *stopped(const struct node *n)
{
    return json_pack("{s:s, s:[], s:o, s:o}", "state", "unprovisioned", "listeners", "warnings", warnings(n), "walls",
                     walls());
}

static void status_answer(void *arg, enum status status, const struct error *e)
{
    struct asking *a = arg;
    struct node *n = a->node;
    (void)e;
    if (n->peers == NULL) { // stopped meanwhile
        ipc_request_reply(a->request, stopped(n));
        free(a);
        return;
    }
    json_t *listeners =
        n->kind->listeners != NULL && n->kind_state != NULL ? n->kind->listeners(n->kind_state) : json_array();
    json_t *result = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "state", "running", "personId",
                               node_json_hash(&n->self->person), "instanceId", node_json_hash(&n->self->instance),
                               "listeners", listeners, "warnings", warnings(n), "peer", peers_own_state(n->peers),
                               "objects", (json_int_t)(status == STATUS_OK ? a->totals.objects : 0), "bytes",
                               (json_int_t)(status == STATUS_OK ? a->totals.bytes : 0));
    json_object_set_new(result, "walls", walls());
    json_object_set_new(result, "budgets", use_show(n->peers->budgets));
    json_object_set_new(result, "idle", json_boolean(peers_are_idle(n->peers)));
    json_object_set_new(result, "board", board_show(n));
    ipc_request_reply(a->request, result);
    free(a);
}

static void status(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    if (n->queue == NULL) {
        ipc_request_reply(r, stopped(n));
        return;
    }
    struct asking *a = mem_alloc(sizeof *a);
    a->node = n;
    a->request = r;
    store_submit_read(n->queue, count_work, status_answer, a);
}

void node_status_register(struct node *n)
{
    ipc_service_on(n->service, "node.status", status, n);
}
