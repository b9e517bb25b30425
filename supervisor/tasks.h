// Requests to the supervisor itself that take time. A repeat of a mutating one joins the task under way or gets the
// result of the one that is over (ipc/repeats.h). Tasks belong to the supervisor and end by finish, fail or their
// deadline.
#pragma once

#include <stdbool.h>

#include "ipc/repeats.h"

struct supervisor;
struct task;

struct task_kind {
    bool (*ready)(const struct supervisor *s, const struct task *t);
    json_t *(*result)(const struct supervisor *s, const struct task *t); // new reference
    bool answers_late; // at the deadline it answers result, not TIMEOUT
};

struct task {
    struct task *next;
    struct ipc_request *request;
    struct task_kind kind;
    uint64_t deadline; // monotonic
    int node;          // free for the kind
    uint64_t began;    // monotonic
};

struct repeats *tasks_memory(void); // of what tasks answered

// Starts a task for a request, which it takes over. NULL when the request repeats one: it is then taken care of.
struct task *tasks_begin(struct supervisor *s, struct ipc_request *r, struct task_kind kind, uint64_t timeout_ms);
void tasks_fail(struct supervisor *s, struct task *t, const struct error *error);
void tasks_check(struct supervisor *s);                                    // finishes what is ready, fails what is late
bool tasks_is_abandoned(const struct supervisor *s, const struct task *t); // whoever asked has gone
bool tasks_waiting(const struct supervisor *s);
json_t *tasks_empty_result(const struct supervisor *s, const struct task *t); // a kind's result, {}
void tasks_end_all(struct supervisor *s, const struct error *error);
