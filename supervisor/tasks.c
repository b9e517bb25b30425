// Nothing tells a task that it is ready: whatever changes the supervisor's state has tasks_check look at them all.
#include "supervisor/tasks.h"

#include <stdlib.h>

#include "base/clock.h"
#include "supervisor/core.h"

struct repeats *tasks_memory(void)
{
    return repeats_create((struct repeats_limits){.remembered = 256, .joined = 1024, .age_ms = 24 * 60 * 60 * 1000});
}

static void unlink_task(struct supervisor *s, struct task *t)
{
    struct task **named[] = {&s->provision, &s->deprovision, &s->changing, &s->repair, &s->backup.task};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (*named[i] == t)
            *named[i] = NULL;
    for (struct task **at = &s->tasks; *at != NULL; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    free(t);
}

struct task *tasks_begin(struct supervisor *s, struct ipc_request *r, struct task_kind kind, uint64_t timeout_ms)
{
    if (repeats_take(s->repeats, r))
        return NULL;
    struct task *t = mem_alloc(sizeof *t);
    *t = (struct task){.next = s->tasks, .request = r, .kind = kind, .began = clock_monotonic_ms()};
    t->deadline = t->began + timeout_ms;
    s->tasks = t;
    s->kick(s);
    return t;
}

static void tasks_finish(struct supervisor *s, struct task *t, json_t *result)
{
    repeats_reply(s->repeats, t->request, result);
    unlink_task(s, t);
}

void tasks_fail(struct supervisor *s, struct task *t, const struct error *error)
{
    repeats_fail(s->repeats, t->request, error);
    unlink_task(s, t);
}

bool tasks_is_abandoned(const struct supervisor *s, const struct task *t)
{
    return repeats_is_abandoned(s->repeats, t->request);
}

// What changes something goes on without whoever asked for it.
static bool nobody_waits(const struct supervisor *s, const struct task *t)
{
    return ipc_method_find(ipc_request_method(t->request))->effect != IPC_MUTATES && tasks_is_abandoned(s, t);
}

static void check(struct supervisor *s, struct task *t, uint64_t now)
{
    struct error e = {0};
    if (nobody_waits(s, t)) {
        error_set(&e, STATUS_CLOSED, "CLOSED", "nobody waits for the answer");
        tasks_fail(s, t, &e);
    } else if (t->kind.ready(s, t) || (now >= t->deadline && t->kind.answers_late)) {
        tasks_finish(s, t, t->kind.result(s, t));
    } else if (now >= t->deadline) {
        error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "%s took longer than %llu ms", ipc_request_method(t->request),
                  (unsigned long long)(t->deadline - t->began));
        tasks_fail(s, t, &e);
    }
}

void tasks_check(struct supervisor *s)
{
    uint64_t now = clock_monotonic_ms();
    for (struct task *t = s->tasks, *next; t != NULL; t = next) {
        next = t->next;
        check(s, t, now);
    }
}

bool tasks_waiting(const struct supervisor *s)
{
    return s->tasks != NULL;
}

json_t *tasks_empty_result(const struct supervisor *s, const struct task *t)
{
    (void)s;
    (void)t;
    return json_object();
}

void tasks_end_all(struct supervisor *s, const struct error *error)
{
    while (s->tasks != NULL)
        tasks_fail(s, s->tasks, error);
}
