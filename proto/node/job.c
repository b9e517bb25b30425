// Order matters on the store thread: a result that is there answers before anything is looked up; then who speaks, then
// whom the parameters name (which depends on it), then the work. The parameters are changed in place, so what follows
// the work on the loop sees whole ids. A request without an opId may act twice if it is repeated.
#include "node/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/methods.h"
#include "models/names.h"
#include "node/face.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/speaker.h"

struct method { // what a registered method is bound to
    struct node *node;
    const struct node_method *row;
};

struct run { // a job on its way through the store thread
    struct node_job job;
    node_work work;
    node_finish finish;
    void *ctx;
    unsigned fetched;        // so often something was fetched from the other own node for it
    struct hash_list missed; // what it found to be there
};

enum { FETCHES = 8 };

// An id is the caller's choice for one method; another method's result is none of this one.
static struct span op_key(const struct node_job *job)
{
    return arena_printf(job->model.arena, "%s %s", ipc_request_method(job->request), ipc_request_op_id(job->request));
}

static enum status earlier_result(struct node_job *job, struct error *e)
{
    struct span text;
    struct model *m = &job->model;
    enum status st = store_op_get(m->store, op_key(job), m->arena, &text, e);
    if (st == STATUS_OK)
        job->result = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    return st;
}

static enum status keep_result(struct node_job *job, struct error *e)
{
    struct model *m = &job->model;
    json_t *result = job->result != NULL ? json_incref(job->result) : json_object();
    char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
    enum status st = store_op_put(m->store, op_key(job), span_of(text), e);
    free(text);
    json_decref(result);
    return st;
}

// ---- Whom and what the parameters name ------------------------------------------------------------------------------

static enum status put_id(struct node_job *job, const struct ipc_param *p, enum status found, const struct hash *id)
{
    if (found == STATUS_OK)
        ipc_request_set(job->request, p->number, json_string(hash_text(id).s));
    return found;
}

static enum status resolve_persons(struct node_job *job, json_t *list, struct error *e)
{
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct hash person;
        st = names_find(&job->model, (struct span){json_string_value(item), json_string_length(item)}, &person, e);
        if (st == STATUS_OK)
            json_array_set_new(list, i, json_string(hash_text(&person).s));
    }
    return st;
}

static enum status resolve(struct node_job *job, const struct ipc_param *p, struct error *e)
{
    json_t *value = ipc_request_json(job->request, p->number);
    struct span text = {json_string_value(value), json_string_length(value)};
    struct hash id;
    if (value == NULL)
        return STATUS_OK;
    if (p->kind == IPC_PREFIX)
        return put_id(job, p, names_complete(&job->model, text, &id, e), &id);
    if (p->kind == IPC_PERSON)
        return put_id(job, p, names_find(&job->model, text, &id, e), &id);
    return p->kind == IPC_PERSONS ? resolve_persons(job, value, e) : STATUS_OK;
}

// From here on the parameters hold whole ids, also for what follows the work.
static enum status resolve_params(struct node_job *job, struct error *e)
{
    const struct ipc_method *m = ipc_method_find(ipc_request_method(job->request));
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < IPC_PARAMS_MAX && m->params[i].name != NULL; i++)
        st = resolve(job, &m->params[i], e);
    return st;
}

static enum status act(struct run *r, struct error *e)
{
    struct node_job *job = &r->job;
    bool once = ipc_request_op_id(job->request) != NULL;
    if (once) {
        enum status st = earlier_result(job, e);
        if (st != STATUS_NOT_FOUND)
            return st;
        error_clear(e);
    }
    bool left = false;
    enum status st = speaker_take(job, &left, e);
    if (st == STATUS_OK && !left)
        st = resolve_params(job, e);
    if (st == STATUS_OK && !left)
        st = speaker_leave(job, &left, e);
    if (st == STATUS_OK && !left)
        st = r->work(job, &job->model, e);
    if (st == STATUS_OK && once && !job->intent.waits)
        st = keep_result(job, e);
    return st;
}

static enum status run(struct store *s, void *arg, struct error *e)
{
    struct run *r = arg;
    struct hash_list others;
    store_take_missed(s, &others);
    hash_list_free(&others);
    r->job.model.store = s;
    enum status st = act(r, e);
    store_take_missed(s, &r->missed);
    return st;
}

static void free_run(struct run *r)
{
    hash_list_free(&r->missed);
    json_decref(r->job.given_up);
    identity_destroy(r->job.made);
    identity_destroy(r->job.speaker);
    arena_destroy(r->job.model.arena);
    free(r);
}

static void end(struct run *r, enum status status, const struct error *e)
{
    r->finish(&r->job, status, e, r->ctx);
    free_run(r);
}

static void begin(struct node *n, const struct run *what);

static void fetched(void *ctx, enum status status, const struct error *why)
{
    struct run *r = ctx;
    struct run again = *r;
    if (status != STATUS_OK) {
        end(r, status, why);
        return;
    }
    json_decref(r->job.result);
    free_run(r);
    again.fetched++;
    begin(again.job.node, &again);
}

// What lies at the other own node is fetched, and then all of it is done anew.
static void done(void *arg, enum status status, const struct error *e)
{
    struct run *r = arg;
    struct fetches *fetches = r->job.node->fetches;
    bool is_there = status == STATUS_NOT_FOUND && strcmp(e->code, "REMOTE") == 0 && r->missed.count != 0;
    if (is_there && fetches != NULL && r->fetched < FETCHES)
        fetches_want(fetches, &r->missed, fetched, r);
    else
        end(r, status, e);
}

static void begin(struct node *n, const struct run *what)
{
    struct ipc_request *request = what->job.request;
    struct run *r = mem_alloc(sizeof *r);
    *r = (struct run){.work = what->work, .finish = what->finish, .ctx = what->ctx, .fetched = what->fetched};
    r->job = (struct node_job){
        .node = n,
        .request = request,
        .model = {.self = node_self(n), .arena = arena_create(), .now_ms = clock_wall_ms()},
    };
    if (ipc_method_find(ipc_request_method(request))->effect == IPC_MUTATES)
        store_submit(node_queue(n), run, done, r);
    else
        store_submit_read(node_queue(n), run, done, r);
}

void node_job_start(struct node *n, struct ipc_request *request, node_work work, node_finish finish, void *ctx)
{
    if (node_queue(n) == NULL) {
        struct error e;
        error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
        ipc_request_fail(request, &e);
        return;
    }
    begin(n, &(struct run){.job = {.request = request}, .work = work, .finish = finish, .ctx = ctx});
}

static void answer(struct node_job *job, enum status status, const struct error *e, void *ctx)
{
    const struct method *m = ctx;
    if (status != STATUS_OK) {
        json_decref(job->result);
        ipc_request_fail(job->request, e);
        return;
    }
    if (m->row->after != NULL && !job->intent.deferred)
        m->row->after(job);
    face_answer(job);
}

static void start(struct ipc_request *request, void *ctx)
{
    const struct method *m = ctx;
    node_job_start(m->node, request, m->row->work, answer, ctx);
}

void node_methods_add(struct node *n, const struct node_method *table)
{
    for (const struct node_method *row = table; row->name != NULL; row++) {
        struct method *m = node_keep(n, sizeof *m);
        *m = (struct method){n, row};
        ipc_service_on(node_service(n), row->name, start, m);
    }
}
