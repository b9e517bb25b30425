// status and config.show: everything at a glance, and what is in force.
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/errors.h"
#include "supervisor/core.h"
#include "wall/wall.h"

enum { STATUS_MS = 1700 }; // longer than it takes to call a node silent

// --- status ----------------------------------------------------------------------------------------------------------

static const char *state_word(const struct node *n)
{
    switch (process_state(n->process)) {
    case PROCESS_STOPPED:
        return n->restarting || n->owner->reset != RESET_NONE ? "starting" : "stopped";
    case PROCESS_STARTING:
        return "starting";
    case PROCESS_FAILED:
        return "failed";
    case PROCESS_UP:
        return node_is_open(n) ? "running" : "unprovisioned";
    }
    return "stopped";
}

static json_t *id_or_null(const char *id)
{
    return id[0] != '\0' ? json_string(id) : json_null();
}

static void copy_member(json_t *to, const char *name, const json_t *from, json_t *otherwise)
{
    json_t *value = json_object_get(from, name);
    json_object_set_new(to, name, value != NULL ? json_incref(value) : json_incref(otherwise));
    json_decref(otherwise);
}

static json_t *failure(const struct node *n)
{
    struct error e = n->failure;
    int64_t at = n->failed_at;
    if (node_is_silent(n)) {
        error_set(&e, STATUS_CLOSED, "NODE-DOWN", "the %s node does not answer", process_name(n->process));
        at = clock_wall_ms();
    }
    if (e.code[0] == '\0')
        return json_null();
    json_t *object = ipc_error_to_json(&e);
    json_t *shown = json_incref(json_object_get(object, "data"));
    json_object_set(shown, "message", json_object_get(object, "message"));
    json_object_set_new(shown, "at", json_integer(at));
    json_decref(object);
    return shown;
}

static json_t *last_end(const struct process *p)
{
    if (process_last_end(p)[0] == '\0')
        return json_null();
    return json_pack("{s:s, s:I}", "reason", process_last_end(p), "at", (json_int_t)process_ended_at(p));
}

static json_t *node_status(const struct supervisor *s, enum ipc_node which)
{
    const struct node *n = &s->nodes[which];
    const json_t *report = node_is_open(n) ? n->status : NULL;
    pid_t pid = process_pid(n->process);
    json_t *object = json_pack(
        "{s:s, s:o, s:i, s:o, s:o}", "state", state_word(n), "pid", pid != 0 ? json_integer(pid) : json_null(),
        "restarts", (int)process_restarts(n->process), "personId", id_or_null(s->installation.nodes[which].person_id),
        "instanceId", id_or_null(s->installation.nodes[which].instance_id));
    copy_member(object, "listeners", report, json_array());
    copy_member(object, "objects", report, json_integer(0));
    copy_member(object, "bytes", report, json_integer(0));
    copy_member(object, "warnings", report, json_array());
    copy_member(object, "budgets", report, json_object());
    copy_member(object, "walls", report, json_null());
    json_object_set_new(object, "failure", failure(n));
    json_object_set_new(object, "lastEnd", last_end(n->process));
    return object;
}

static bool status_ready(const struct supervisor *s, const struct task *t)
{
    return node_is_current(&s->nodes[IPC_ARCHIVE], t->began) && node_is_current(&s->nodes[IPC_SPARSE], t->began);
}

static json_t *status_result(const struct supervisor *s, const struct task *t)
{
    (void)t;
    json_t *own = json_pack("{s:i, s:I, s:s, s:{s:b, s:i}}", "pid", (int)getpid(), "uptimeMs",
                            (json_int_t)(clock_monotonic_ms() - s->started), "version", TANDEM_VERSION, "walls",
                            "seccomp", (int)wall_state()->seccomp, "landlock", wall_state()->landlock);
    json_object_set_new(own, "autostart", autostart_show(s));
    return json_pack("{s:o, s:o, s:o, s:b, s:o}", "supervisor", own, "archive", node_status(s, IPC_ARCHIVE), "sparse",
                     node_status(s, IPC_SPARSE), "federated", s->federated, "components", board_show(s));
}

static void handle_status(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {status_ready, status_result, true};
    struct supervisor *s = ctx;
    if (tasks_begin(s, r, kind, STATUS_MS) != NULL)
        drive(s);
    tasks_check(s);
}

// --- config.show -----------------------------------------------------------------------------------------------------

// With the port that was found instead of one that nobody asked for.
static json_t *in_force(const struct supervisor *s)
{
    json_t *items = config_to_json(s->options->config);
    struct listen_address where;
    size_t i;
    json_t *item;
    port_address(s, &where);
    json_array_foreach(items, i, item)
    {
        const char *key = json_string_value(json_object_get(item, "key"));
        if (strcmp(where.host, "none") != 0 && strcmp(key, "listen.address") == 0 && s->found_port != 0 &&
            s->found_port == where.port)
            json_object_set_new(item, "value", json_sprintf("%s:%d", where.host, where.port));
    }
    return items;
}

static void handle_config(struct ipc_request *r, void *ctx)
{
    const struct supervisor *s = ctx;
    ipc_request_reply(r, json_pack("{s:s, s:o}", "file", s->options->config_file, "items", in_force(s)));
}

void overview_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "status", handle_status, s);
    ipc_service_on(service, "config.show", handle_config, s);
}
