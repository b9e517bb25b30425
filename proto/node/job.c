#include "node/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/methods.h"
#include "models/names.h"
#include "node/face.h"
#include "node/methods.h"
#include "node/node.h"
#include "node/speaker.h"

enum { NAME_SHOWN = 2048 };

struct method { // what a registered method is bound to
    struct node *node;
    const struct node_method *row;
};

struct run { // a job on its way through the store thread
    struct node_job job;
    node_work work;
    node_finish finish;
    void *ctx;
};

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

static enum status put_id(json_t *params, const char *name, enum status found, const struct hash *id)
{
    if (found == STATUS_OK)
        json_object_set_new(params, name, json_string(hash_text(id).s));
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

static enum status resolve(struct node_job *job, const struct ipc_param *p, json_t *params, struct error *e)
{
    json_t *value = json_object_get(params, p->name);
    struct span text = {json_string_value(value), json_string_length(value)};
    struct hash id;
    if (value == NULL)
        return STATUS_OK;
    if (p->kind == IPC_PREFIX)
        return put_id(params, p->name, names_complete(&job->model, text, &id, e), &id);
    if (p->kind == IPC_PERSON)
        return put_id(params, p->name, names_find(&job->model, text, &id, e), &id);
    return p->kind == IPC_PERSONS ? resolve_persons(job, value, e) : STATUS_OK;
}

// From here on the parameters hold whole ids, also for what follows the work.
static enum status resolve_params(struct node_job *job, struct error *e)
{
    const struct ipc_method *m = ipc_method_find(ipc_request_method(job->request));
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < IPC_PARAMS_MAX && m->params[i].name != NULL; i++)
        st = resolve(job, &m->params[i], ipc_request_params(job->request), e);
    return st;
}

static enum status run(struct store *s, void *arg, struct error *e)
{
    struct run *r = arg;
    struct node_job *job = &r->job;
    job->model.store = s;
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

static void done(void *arg, enum status status, const struct error *e)
{
    struct run *r = arg;
    r->finish(&r->job, status, e, r->ctx);
    json_decref(r->job.given_up);
    identity_destroy(r->job.made);
    identity_destroy(r->job.speaker);
    arena_destroy(r->job.model.arena);
    free(r);
}

void node_job_start(struct node *n, struct ipc_request *request, node_work work, node_finish finish, void *ctx)
{
    struct store_queue *queue = node_queue(n);
    if (queue == NULL) {
        struct error e;
        error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
        ipc_request_fail(request, &e);
        return;
    }
    struct run *r = mem_alloc(sizeof *r);
    r->work = work;
    r->finish = finish;
    r->ctx = ctx;
    r->job = (struct node_job){
        .node = n,
        .request = request,
        .model = {.self = node_self(n), .arena = arena_create(), .now_ms = clock_wall_ms()},
    };
    if (ipc_method_find(ipc_request_method(request))->effect == IPC_MUTATES)
        store_submit(queue, run, done, r);
    else
        store_submit_read(queue, run, done, r);
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

enum status node_job_hash(struct node_job *job, const char *param, struct hash *out, struct error *e)
{
    if (hash_parse(span_of(ipc_request_text(job->request, param)), out))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-ID", "parameter '%s' must be an id", param);
}

enum status node_job_optional_hash(struct node_job *job, const char *param, struct hash *out, bool *given,
                                   struct error *e)
{
    *given = ipc_request_text(job->request, param) != NULL;
    return *given ? node_job_hash(job, param, out, e) : STATUS_OK;
}

enum status node_job_hashes(struct node_job *job, const char *param, struct hash_list *out, struct error *e)
{
    json_t *items = json_object_get(ipc_request_params(job->request), param);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *text = json_string_value(json_array_get(items, i));
        struct hash h;
        if (text == NULL || !hash_parse(span_of(text), &h))
            return error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s[%zu] is not an id of 64 hex digits", param, i);
        hash_list_add(out, &h);
    }
    return STATUS_OK;
}

struct span node_job_text(struct node_job *job, const char *param)
{
    return span_of(ipc_request_text(job->request, param));
}

size_t node_json_size(const json_t *value)
{
    return json_dumpb(value, NULL, 0, JSON_COMPACT);
}

size_t node_job_fit(const json_t *items, size_t first, size_t limit)
{
    size_t bytes = 0;
    size_t n = 0;
    while (n < limit && first + n < json_array_size(items)) {
        bytes += node_json_size(json_array_get(items, first + n));
        if (n > 0 && bytes > IPC_PAGE_MAX)
            break;
        n++;
    }
    return n;
}

json_t *node_page(struct ipc_request *request, json_t *items)
{
    size_t limit = (size_t)ipc_request_int(request, "limit", 100);
    const char *after = ipc_request_text(request, "after");
    size_t first = after != NULL ? (size_t)strtoull(after, NULL, 10) : 0;
    json_t *page = json_array();
    size_t count = json_array_size(items);
    limit = node_job_fit(items, first, limit);
    for (size_t i = first; i < first + limit; i++)
        json_array_append(page, json_array_get(items, i));
    json_t *result = json_pack("{s:o}", "items", page);
    if (first < count && count - first > limit) {
        char next[24];
        snprintf(next, sizeof next, "%zu", first + limit);
        json_object_set_new(result, "next", json_string(next));
    }
    json_decref(items);
    return result;
}

void node_job_page(struct node_job *job, json_t *items)
{
    job->result = node_page(job->request, items);
}

enum status node_job_listed(struct node_job *job, enum status listed, json_t *items)
{
    if (listed == STATUS_OK)
        node_job_page(job, items);
    else
        json_decref(items);
    return listed;
}

json_t *node_json_hash(const struct hash *h)
{
    return hash_is_zero(h) ? json_null() : json_string(hash_text(h).s);
}

json_t *node_json_text(struct span s)
{
    json_t *text = s.len != 0 ? json_stringn(s.ptr, s.len) : json_string("");
    return text != NULL ? text : json_string("\xEF\xBF\xBD"); // not UTF-8: cannot be shown in JSON
}

json_t *node_json_beginning(struct span s, size_t max)
{
    if (s.len > max) {
        s.len = max;
        while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xC0) == 0x80)
            s.len--;
    }
    return node_json_text(s);
}

json_t *node_json_name(struct span s)
{
    return node_json_beginning(s, NAME_SHOWN);
}
