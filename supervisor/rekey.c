// secret.change: keys.json and the keychains of both nodes go over to another secret together.
//
//   derive both keys ─► node.reseal at both ─► keys.json is replaced ─► node.settle at both
//
// The copies of the nodes' keys go along: after the first step each opens with either secret, after the last with the
// new one.
//
// The third step decides. Before it the old secret opens everything; what the nodes have sealed for the new one waits
// beside it, unused. After it the new one does; a node that could not settle any more does so when it is provisioned
// next. So whoever dies whenever, nothing has to be recovered.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ipc/jsonrpc.h"
#include "supervisor/core.h"

enum { CHANGE_MS = 30000, CALL_MS = 10000 };

struct change {
    uv_work_t work;
    struct supervisor *owner;
    struct keyfile keys; // keys.json as it is
    struct keyfile next; // as it is to be
    struct secret secret;
    struct secret next_secret;
    struct secret kek;
    struct secret next_kek;
    size_t awaited; // answers of nodes
    bool decided;
    struct error error;
};

// --- ends ------------------------------------------------------------------------------------------------------------

static void end(struct change *c)
{
    struct supervisor *s = c->owner;
    s->change = NULL;
    secret_destroy(&c->secret);
    secret_destroy(&c->next_secret);
    secret_destroy(&c->kek);
    secret_destroy(&c->next_kek);
    free(c);
    drive(s);
    tasks_check(s);
}

static void give_up(struct change *c)
{
    struct supervisor *s = c->owner;
    LOG(LOG_WARN, "secret.unchanged", LOG_TEXT("code", c->error.code), LOG_TEXT("reason", c->error.message));
    if (s->changing != NULL)
        tasks_fail(s, s->changing, &c->error);
    end(c);
}

// --- both nodes ------------------------------------------------------------------------------------------------------

// Once the last answer is there, c may be gone.
static void ask_nodes(struct change *c, ipc_answer answer)
{
    struct supervisor *s = c->owner;
    c->awaited = NODES;
    for (int i = 0; i < NODES; i++) {
        json_t *params = json_object();
        json_object_set_new(params, "key", opening_key(c->decided ? &c->next_kek : &c->kek, (enum ipc_node)i));
        if (!c->decided)
            json_object_set_new(params, "newKey", opening_key(&c->next_kek, (enum ipc_node)i));
        ipc_channel_call(process_channel(s->nodes[i].process), c->decided ? "node.settle" : "node.reseal",
                         json_incref(params), CALL_MS, answer, &s->nodes[i]);
        jsonrpc_wipe(params, "key");
        jsonrpc_wipe(params, "newKey");
        json_decref(params);
    }
}

static void settled(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    struct change *c = n->owner->change;
    struct error e = {0};
    if (error != NULL)
        e = *error;
    else
        keys_keep_copy(n->owner, n->which, result, &e);
    if (e.status != STATUS_OK)
        LOG(LOG_WARN, "secret.unsettled", LOG_TEXT("node", process_name(n->process)), LOG_TEXT("code", e.code));
    if (--c->awaited == 0)
        end(c);
}

static void take_effect(struct change *c, bool durable)
{
    struct supervisor *s = c->owner;
    c->decided = true;
    s->changing->deadline = UINT64_MAX; // the nodes answer or are given up in time
    if (s->kek.data != NULL) {
        secret_destroy(&s->kek);
        s->kek = secret_copy(c->next_kek.data, c->next_kek.len);
    }
    LOG(LOG_INFO, "secret.changed");
    notify_event(s, "supervisor", "secret.changed", NULL);
    if (durable)
        ask_nodes(c, settled);
    else
        end(c); // what was sealed for the old secret may be wanted again
}

static void decide(struct change *c)
{
    struct supervisor *s = c->owner;
    bool durable = false;
    if (c->error.status == STATUS_OK && s->changing == NULL)
        error_set(&c->error, STATUS_TIMEOUT, "TIMEOUT", "nobody waits for it any more");
    if (c->error.status == STATUS_OK && keys_replace(s, &c->keys, &c->next, &durable, &c->error) == STATUS_OK)
        take_effect(c, durable);
    else
        give_up(c);
}

static void resealed(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    struct change *c = n->owner->change;
    struct error e = {0};
    if (error != NULL)
        e = *error;
    else
        keys_keep_copy(n->owner, n->which, result, &e);
    if (e.status != STATUS_OK && c->error.status == STATUS_OK) {
        c->error = e;
        error_prefix(&c->error, "%s node", process_name(n->process));
    }
    if (--c->awaited == 0)
        decide(c);
}

// --- deriving --------------------------------------------------------------------------------------------------------

static void derive(uv_work_t *work) // on a worker thread
{
    struct change *c = work->data;
    if (keyfile_derive(&c->keys, &c->secret, &c->kek, &c->error) != STATUS_OK)
        return;
    if (!keyfile_fits(&c->keys, &c->kek))
        error_set(&c->error, STATUS_REFUSED, "BAD-SECRET", "this is not the secret of this installation");
    else if (keyfile_derive(&c->next, &c->next_secret, &c->next_kek, &c->error) == STATUS_OK)
        keyfile_seal(&c->next, &c->next_kek);
}

static void derived(uv_work_t *work, int status)
{
    struct change *c = work->data;
    (void)status;
    if (c->owner->stopping)
        error_set(&c->error, STATUS_CLOSED, "NOT-RUNNING", "the supervisor stops");
    if (c->error.status == STATUS_OK)
        ask_nodes(c, resealed);
    else
        give_up(c);
}

// --- the request -----------------------------------------------------------------------------------------------------

static bool change_ready(const struct supervisor *s, const struct task *t)
{
    (void)t;
    return s->change == NULL;
}

static enum status check_node(const struct supervisor *s, const struct node *n, struct error *e)
{
    if (s->installation.nodes[n->which].person_id[0] == '\0' || s->installation.adopting >= 0)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the %s node was never set up",
                         process_name(n->process));
    if (s->kek.data != NULL ? node_is_open(n) : process_state(n->process) == PROCESS_UP)
        return STATUS_OK;
    return error_set(e, STATUS_CLOSED, "NODE-DOWN", "the %s node is not running", process_name(n->process));
}

static enum status prepare(struct supervisor *s, struct keyfile *keys, struct error *e)
{
    enum status status = nodes_check_idle(s, e);
    for (int i = 0; i < NODES && status == STATUS_OK; i++)
        status = check_node(s, &s->nodes[i], e);
    if (status == STATUS_OK)
        status = keys_load(s, keys, e);
    if (status == STATUS_NOT_FOUND)
        status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "keys.json is missing");
    return status;
}

static void handle_change(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {change_ready, tasks_empty_result, false};
    struct supervisor *s = ctx;
    struct keyfile keys;
    struct error e = {0};
    struct task *t = tasks_begin(s, r, kind, (uint64_t)ipc_request_int(r, P_timeoutMs, CHANGE_MS));
    if (t == NULL)
        return;
    if (prepare(s, &keys, &e) != STATUS_OK) {
        tasks_fail(s, t, &e);
        return;
    }
    struct change *c = mem_alloc(sizeof *c);
    *c = (struct change){.owner = s, .work.data = c, .keys = keys};
    keyfile_fresh(&c->next);
    opening_take_secret(r, P_secret, &c->secret);
    opening_take_secret(r, P_newSecret, &c->next_secret);
    s->change = c;
    s->changing = t;
    uv_queue_work(&s->loop, &c->work, derive, derived);
}

void rekey_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "secret.change", handle_change, s);
}
