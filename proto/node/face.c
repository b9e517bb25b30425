// The row of the outbox is written in the transaction of the job, and the request is held on the loop only after that:
// if the node dies in between, a repeat with the same opId finds the row (face_repeats) and waits for the same answer.
// HOLD_MS is less than a client waits, so "pending" is always an answer and never a timeout.
#include "node/face.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "models/way.h"
#include "node/node_internal.h"
#include "store/outbox.h"

enum { HELD_MAX = 256, HOLD_MS = 5000, OP_LENGTH = 32 };

struct held { // a request that waits for the archive
    struct held *next;
    struct node *node;
    struct ipc_request *request;
    struct loop_timer *timer;
    json_t *pending; // the answer when the archive takes too long
    char *op;
};

bool face_is(const struct node_job *job)
{
    return ipc_request_bool(job->request, P_face, false);
}

bool face_is_alone(const struct node_job *job)
{
    return ipc_request_bool(job->request, P_alone, false);
}

bool face_is_self(const struct node_job *job, struct model *m, const struct hash *person)
{
    return hash_eq(person, &m->self->person) || (face_is(job) && way_is_self(m, person));
}

// ---- On the store thread --------------------------------------------------------------------------------------------

struct span face_op(struct node_job *job)
{
    char text[OP_LENGTH + 1];
    const char *id = ipc_request_op_id(job->request);
    if (id == NULL) {
        random_text(text, OP_LENGTH);
        id = text;
    }
    return arena_printf(job->model.arena, "%s %s", ipc_request_method(job->request), id);
}

// The same request came before.
static enum status answer_again(struct node_job *job, const struct store_intent *row, struct error *e)
{
    if (row->state == INTENT_FAILED)
        return error_set(e, STATUS_REFUSED, arena_copy(job->model.arena, row->code).ptr, SPAN_FMT, SPAN_ARG(row->why));
    if (row->state == INTENT_CARRIED)
        job->result = json_loadb(row->result.ptr, row->result.len, 0, NULL);
    job->intent.waits = row->state == INTENT_WAITING && !face_is_alone(job);
    return STATUS_OK;
}

enum status face_repeats(struct node_job *job, struct model *m, bool *repeats, struct error *e)
{
    struct store_intent row;
    *repeats = false;
    if (ipc_request_op_id(job->request) == NULL)
        return STATUS_OK;
    struct span op = face_op(job);
    enum status st = store_outbox_by_op(m->store, m->arena, op, &row, e);
    if (st == STATUS_NOT_FOUND) {
        error_clear(e);
        return STATUS_OK;
    }
    *repeats = true;
    job->intent = (struct job_intent){.op = op, .deferred = true};
    if (st == STATUS_OK)
        st = answer_again(job, &row, e);
    if (st == STATUS_OK && job->result == NULL)
        job->result = json_pack("{s:s, s:s}", "state", "pending", "opId", strchr(op.ptr, ' ') + 1);
    return st;
}

static enum status add_row(struct node_job *job, struct model *m, const char *method, const json_t *params,
                           struct error *e)
{
    int64_t seq;
    char *text = json_dumps(params, JSON_COMPACT);
    const struct store_intent row = {
        .op = job->intent.op, .method = span_of(method), .params = span_of(text), .created_ms = m->now_ms};
    enum status st = store_outbox_add(m->store, &row, &seq, e);
    free(text);
    job->intent.waits = !face_is_alone(job);
    return st;
}

enum status face_defer(struct node_job *job, struct model *m, const char *method, json_t *params, struct error *e)
{
    bool repeats;
    enum status st = face_repeats(job, m, &repeats, e);
    if (st == STATUS_OK && !repeats) {
        job->intent = (struct job_intent){.op = face_op(job), .deferred = true};
        st = add_row(job, m, method, params, e);
        job->result = json_pack("{s:s, s:s}", "state", "pending", "opId", strchr(job->intent.op.ptr, ' ') + 1);
    }
    json_decref(params);
    return st;
}

// ---- On the loop ----------------------------------------------------------------------------------------------------

static void forget(struct held *h)
{
    struct held **link = &h->node->held;
    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    h->node->held_count--;
    loop_timer_destroy(h->timer);
    json_decref(h->pending);
    free(h->op);
    free(h);
}

static void answer_pending(void *ctx)
{
    struct held *h = ctx;
    ipc_request_reply(h->request, json_incref(h->pending));
    forget(h);
}

static void hold(struct node_job *job)
{
    struct node *n = job->node;
    struct held *h = mem_alloc(sizeof *h);
    *h = (struct held){.next = n->held,
                       .node = n,
                       .request = job->request,
                       .pending = job->result,
                       .op = mem_text(job->intent.op),
                       .timer = loop_timer_create(n->loop, answer_pending, h)};
    n->held = h;
    n->held_count++;
    loop_timer_set(h->timer, HOLD_MS);
}

void face_answer(struct node_job *job)
{
    struct node *n = job->node;
    if (job->intent.op.len != 0)
        node_tell(n, "outbox.waiting", NULL);
    if (job->intent.waits && n->held_count < HELD_MAX && !n->closing)
        hold(job);
    else
        ipc_request_reply(job->request, job->result);
}

void face_settled(struct node *n, const char *op, json_t *result, const struct error *e)
{
    struct held *next;
    for (struct held *h = n->held; h != NULL; h = next) {
        next = h->next;
        if (strcmp(h->op, op) != 0)
            continue;
        if (e != NULL)
            ipc_request_fail(h->request, e);
        else
            ipc_request_reply(h->request, json_incref(result));
        forget(h);
    }
}

void face_release(struct node *n)
{
    while (n->held != NULL)
        answer_pending(n->held);
}
