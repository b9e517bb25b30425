// Requests to the supervisor itself that take time, and the memory of what mutating ones answered.
//
// A repeat of a mutating request (same method, same opId) joins the task under way or gets the stored result; failures
// are not stored, because they had no effect. Tasks belong to the supervisor and end by finish, fail or their deadline.
#pragma once

#include <stdbool.h>

#include "ipc/service.h"

struct supervisor;
struct task;

struct task_kind {
    bool (*ready)(const struct supervisor *s, const struct task *t);
    json_t *(*result)(const struct supervisor *s, const struct task *t); // new reference
    bool answers_late; // at the deadline it answers result, not TIMEOUT
};

struct task {
    struct task *next;
    struct ipc_request **requests; // all get the same answer
    size_t request_count;
    struct task_kind kind;
    uint64_t deadline; // monotonic
    int node;          // free for the kind
    uint64_t began;    // monotonic
    char *op_key;      // "method opId", NULL when it cannot be repeated
    json_t *stored;    // the result, once done
};

enum { TASKS_STORED_MAX = 256, TASKS_STORED_MS = 24 * 60 * 60 * 1000 };

// Starts a task for a request, which it takes over. NULL when the request repeats one: it is then taken care of.
struct task *tasks_begin(struct supervisor *s, struct ipc_request *r, struct task_kind kind, uint64_t timeout_ms);
void tasks_fail(struct supervisor *s, struct task *t, const struct error *error);
void tasks_check(struct supervisor *s);        // finishes what is ready, fails what is late
bool tasks_is_abandoned(const struct task *t); // whoever asked has gone
bool tasks_waiting(const struct supervisor *s);
json_t *tasks_empty_result(const struct supervisor *s, const struct task *t); // a kind's result, {}
struct ipc_request *tasks_request(const struct task *t);
void tasks_end_all(struct supervisor *s, const struct error *error);
