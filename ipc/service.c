// Handlers are found by the row of the table that a method has, so both know the same names. A request is freed by its
// answer: one that is never answered is never freed, and its asker waits until it gives up.
#include "ipc/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "crypto/secret.h"

struct route {
    ipc_handler handler;
    void *ctx;
};

struct ipc_service {
    enum ipc_site site;
    struct route *routes; // one per row of the table
    struct route otherwise;
    bool (*outlines)(void *ctx, const struct ipc_method *m);
    void (*gone)(void *ctx, uint64_t connection);
    void *gone_ctx;
};

struct ipc_request {
    const struct ipc_method *method;
    json_t *params;
    json_t *given[IPC_NAMES];      // of params
    const struct outline *outline; // until it is passed on
    struct ipc_asker *asker;
};

const char *ipc_request_method(const struct ipc_request *r)
{
    return r->method->name;
}

json_t *ipc_request_params(const struct ipc_request *r)
{
    return r->params;
}

const char *ipc_request_op_id(const struct ipc_request *r)
{
    return r->method->effect == IPC_MUTATES ? ipc_request_text(r, P_opId) : NULL; // else it says nothing
}

json_t *ipc_request_json(const struct ipc_request *r, enum ipc_name name)
{
    return r->given[name];
}

const char *ipc_request_text(const struct ipc_request *r, enum ipc_name name)
{
    return json_string_value(r->given[name]);
}

int64_t ipc_request_int(const struct ipc_request *r, enum ipc_name name, int64_t otherwise)
{
    return r->given[name] != NULL ? json_integer_value(r->given[name]) : otherwise;
}

bool ipc_request_bool(const struct ipc_request *r, enum ipc_name name, bool otherwise)
{
    return r->given[name] != NULL ? json_is_true(r->given[name]) : otherwise;
}

void ipc_request_set(struct ipc_request *r, enum ipc_name name, json_t *value)
{
    if (value != NULL)
        json_object_set_new(r->params, IPC_NAME_TEXTS[name], value);
    else
        json_object_del(r->params, IPC_NAME_TEXTS[name]);
    r->given[name] = value;
}

static void pass_parsed(const struct ipc_request *r, struct buf *out)
{
    json_t *params = json_copy(r->params);
    json_object_del(params, "node");
    char *text = json_dumps(params, JSON_COMPACT);
    buf_add(out, text + 1, strlen(text) - 2);
    secret_wipe(text, strlen(text));
    free(text);
    json_decref(params);
}

void ipc_request_pass(struct ipc_request *r, struct buf *out)
{
    if (r->outline != NULL)
        outline_pass(r->outline, out);
    else
        pass_parsed(r, out);
    r->outline = NULL;
}

uint64_t ipc_request_connection(const struct ipc_request *r)
{
    return r->asker->connection;
}

void ipc_request_on_abandoned(struct ipc_request *r, void (*abandoned)(void *ctx), void *ctx)
{
    r->asker->abandoned = abandoned;
    r->asker->abandoned_ctx = ctx;
}

void ipc_asker_leave(struct ipc_asker *asker)
{
    asker->gone = true;
    if (asker->abandoned != NULL)
        asker->abandoned(asker->abandoned_ctx);
}

bool ipc_request_is_abandoned(const struct ipc_request *r)
{
    return r->asker->gone;
}

static void respond(struct ipc_request *r, json_t *result, const struct error *error)
{
    r->asker->respond(r->asker, result, error);
    json_decref(r->params);
    free(r);
}

void ipc_request_reply(struct ipc_request *r, json_t *result)
{
    respond(r, result != NULL ? result : json_object(), NULL);
}

static bool is_id(enum ipc_kind kind, const char *given)
{
    struct hash ignored;
    return (kind == IPC_PERSON || kind == IPC_HASH || kind == IPC_PREFIX) && given != NULL &&
           hash_parse(span_of(given), &ignored);
}

// The first id of a person, or of anything else, among the parameters; empty: none, or they were called by name.
static const char *id_given(const struct ipc_request *r, bool of_person)
{
    for (const struct ipc_param *p = r->method->params; p->name != NULL; p++) {
        const char *given = ipc_request_text(r, p->number);
        if ((p->kind == IPC_PERSON) == of_person && is_id(p->kind, given))
            return given;
    }
    return "";
}

void ipc_request_fail(struct ipc_request *r, const struct error *e)
{
    // No more of it: messages repeat what users typed.
    LOG(LOG_INFO, "request.failed", LOG_TEXT("method", r->method->name), LOG_TEXT("code", e->code),
        LOG_TEXT("personId", id_given(r, true)), LOG_TEXT("subject", id_given(r, false)));
    respond(r, NULL, e);
}

struct ipc_service *ipc_service_create(enum ipc_site site)
{
    struct ipc_service *s = mem_alloc(sizeof *s);
    s->site = site;
    s->routes = mem_array(ipc_method_count(), sizeof *s->routes);
    return s;
}

void ipc_service_destroy(struct ipc_service *s)
{
    if (s == NULL)
        return;
    free(s->routes);
    free(s);
}

void ipc_service_on(struct ipc_service *s, const char *method, ipc_handler handler, void *ctx)
{
    const struct ipc_method *m = ipc_method_find(method);
    if (m == NULL || m->site != s->site)
        abort(); // a bug: the table and the code disagree
    s->routes[ipc_method_number(m)] = (struct route){handler, ctx};
}

void ipc_service_otherwise(struct ipc_service *s, ipc_handler handler, void *ctx)
{
    s->otherwise = (struct route){handler, ctx};
}

void ipc_service_outlines(struct ipc_service *s, bool (*wanted)(void *ctx, const struct ipc_method *m))
{
    s->outlines = wanted;
}

// Internal methods are for nodes only: asked by a client they do not exist.
static const struct route *find_route(const struct ipc_service *s, const struct ipc_method *m)
{
    if (m == NULL)
        return NULL;
    if (m->site == s->site)
        return &s->routes[ipc_method_number(m)];
    return m->caller == IPC_CLIENT ? &s->otherwise : NULL;
}

void ipc_service_on_gone(struct ipc_service *s, void (*gone)(void *ctx, uint64_t connection), void *ctx)
{
    s->gone = gone;
    s->gone_ctx = ctx;
}

void ipc_service_tell_gone(struct ipc_service *s, uint64_t connection)
{
    if (s->gone != NULL)
        s->gone(s->gone_ctx, connection);
}

void ipc_service_dispatch(struct ipc_service *s, const char *method, json_t *params, struct ipc_asker *asker)
{
    struct error e = {0};
    const struct ipc_method *m = ipc_method_find(method);
    const struct route *route = find_route(s, m);
    if (route == NULL || route->handler == NULL) {
        error_set(&e, STATUS_NOT_FOUND, "UNKNOWN-METHOD", "there is no method '%.60s'%s", method,
                  m != NULL ? " here" : "");
        goto refuse;
    }
    struct ipc_request *r = mem_alloc(sizeof *r);
    *r = (struct ipc_request){.method = m, .params = params, .asker = asker};
    if (ipc_method_check(m, params, r->given, &e) == STATUS_OK) {
        route->handler(r, route->ctx);
        return;
    }
    free(r);
refuse:
    json_decref(params);
    asker->respond(asker, NULL, &e);
}

static bool is_wanted(void *ctx, const struct ipc_method *m)
{
    struct ipc_service *s = ctx;
    return s->outlines != NULL && find_route(s, m) == &s->otherwise && s->outlines(s->otherwise.ctx, m);
}

bool ipc_service_outline(struct ipc_service *s, struct span text, struct outline *out)
{
    return outline_read(text, is_wanted, s, out);
}

void ipc_service_dispatch_outline(struct ipc_service *s, const struct outline *o, struct ipc_asker *asker)
{
    struct ipc_request *r = mem_alloc(sizeof *r);
    *r = (struct ipc_request){.method = o->method, .params = json_incref(o->read), .asker = asker, .outline = o};
    memcpy(r->given, o->given, sizeof r->given);
    s->otherwise.handler(r, s->otherwise.ctx);
}
