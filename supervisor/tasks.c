#include "supervisor/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/core.h"

static bool is_done(const struct task *t)
{
    return t->request_count == 0;
}

static void task_free(struct task *t)
{
    json_decref(t->stored);
    free(t->op_key);
    free(t->requests);
    free(t);
}

static void no_longer_waits(struct supervisor *s, const struct task *t)
{
    struct task **named[] = {&s->provision, &s->deprovision, &s->changing, &s->repair, &s->backup.task};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (*named[i] == t)
            *named[i] = NULL;
}

static void unlink_task(struct supervisor *s, struct task *t)
{
    for (struct task **at = &s->tasks; *at != NULL; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    no_longer_waits(s, t);
    task_free(t);
}

static char *make_key(const struct ipc_request *r)
{
    struct buf b = {0};
    if (ipc_request_op_id(r) == NULL)
        return NULL;
    buf_printf(&b, "%s %s", ipc_request_method(r), ipc_request_op_id(r));
    char *key = mem_text(buf_span(&b));
    buf_free(&b);
    return key;
}

static struct task *find(struct supervisor *s, const char *key)
{
    for (struct task *t = s->tasks; key != NULL && t != NULL; t = t->next)
        if (t->op_key != NULL && strcmp(t->op_key, key) == 0)
            return t;
    return NULL;
}

static void add_request(struct task *t, struct ipc_request *r)
{
    t->requests = mem_resize(t->requests, (t->request_count + 1) * sizeof(struct ipc_request *));
    t->requests[t->request_count++] = r;
}

// Newest first, so what is behind the limit is the oldest.
static void forget_old(struct supervisor *s)
{
    uint64_t now = clock_monotonic_ms();
    size_t stored = 0;
    for (struct task **at = &s->tasks; *at != NULL;) {
        struct task *t = *at;
        if (is_done(t) && (++stored > TASKS_STORED_MAX || now - t->began > TASKS_STORED_MS)) {
            *at = t->next;
            task_free(t);
        } else {
            at = &t->next;
        }
    }
}

struct task *tasks_begin(struct supervisor *s, struct ipc_request *r, struct task_kind kind, uint64_t timeout_ms)
{
    char *key = make_key(r);
    struct task *t = find(s, key);
    if (t != NULL) {
        free(key);
        if (is_done(t))
            ipc_request_reply(r, json_incref(t->stored));
        else
            add_request(t, r);
        return NULL;
    }
    forget_old(s);
    t = mem_alloc(sizeof *t);
    *t = (struct task){.next = s->tasks, .kind = kind, .op_key = key, .began = clock_monotonic_ms()};
    t->deadline = t->began + timeout_ms;
    add_request(t, r);
    s->tasks = t;
    s->kick(s);
    return t;
}

static void tasks_finish(struct supervisor *s, struct task *t, json_t *result)
{
    for (size_t i = 0; i < t->request_count; i++)
        ipc_request_reply(t->requests[i], json_incref(result));
    t->request_count = 0;
    t->stored = result;
    no_longer_waits(s, t);
    if (t->op_key == NULL)
        unlink_task(s, t);
}

void tasks_fail(struct supervisor *s, struct task *t, const struct error *error)
{
    for (size_t i = 0; i < t->request_count; i++)
        ipc_request_fail(t->requests[i], error);
    unlink_task(s, t);
}

bool tasks_is_abandoned(const struct task *t)
{
    for (size_t i = 0; i < t->request_count; i++)
        if (!ipc_request_is_abandoned(t->requests[i]))
            return false;
    return true;
}

// What changes something goes on without whoever asked for it.
static bool nobody_waits(const struct task *t)
{
    return ipc_method_find(ipc_request_method(t->requests[0]))->effect != IPC_MUTATES && tasks_is_abandoned(t);
}

static void check(struct supervisor *s, struct task *t, uint64_t now)
{
    struct error e = {0};
    if (nobody_waits(t)) {
        error_set(&e, STATUS_CLOSED, "CLOSED", "nobody waits for the answer");
        tasks_fail(s, t, &e);
    } else if (t->kind.ready(s, t) || (now >= t->deadline && t->kind.answers_late)) {
        tasks_finish(s, t, t->kind.result(s, t));
    } else if (now >= t->deadline) {
        error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "%s took longer than %llu ms", ipc_request_method(t->requests[0]),
                  (unsigned long long)(t->deadline - t->began));
        tasks_fail(s, t, &e);
    }
}

void tasks_check(struct supervisor *s)
{
    uint64_t now = clock_monotonic_ms();
    for (struct task *t = s->tasks, *next; t != NULL; t = next) {
        next = t->next;
        if (!is_done(t))
            check(s, t, now);
    }
}

bool tasks_waiting(const struct supervisor *s)
{
    for (const struct task *t = s->tasks; t != NULL; t = t->next)
        if (!is_done(t))
            return true;
    return false;
}

json_t *tasks_empty_result(const struct supervisor *s, const struct task *t)
{
    (void)s;
    (void)t;
    return json_object();
}

struct ipc_request *tasks_request(const struct task *t)
{
    return t->requests[0];
}

void tasks_end_all(struct supervisor *s, const struct error *error)
{
    while (s->tasks != NULL) {
        struct task *t = s->tasks;
        if (is_done(t))
            unlink_task(s, t);
        else
            tasks_fail(s, t, error);
    }
}
