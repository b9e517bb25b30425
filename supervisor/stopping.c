// The end: both nodes are asked to stop, and when they have, the handles are closed and the loop ends.
#include "base/log.h"
#include "supervisor/core.h"

static void close_signal_handles(struct supervisor *s)
{
    for (size_t i = 0; i < sizeof s->signals / sizeof *s->signals; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
}

// The last step of a stop: with the handles gone the loop ends.
void stopping_close(struct supervisor *s)
{
    struct error e = {0};
    error_set(&e, STATUS_CLOSED, "NOT-RUNNING", "the supervisor stops");
    tasks_end_all(s, &e);
    close_signal_handles(s);
    courier_close(s);
    discovery_close(s);
    autostart_close(s);
    uv_close((uv_handle_t *)&s->tick, NULL);
    uv_close((uv_handle_t *)&s->alive, NULL);
    uv_close((uv_handle_t *)&s->server_poll, NULL);
    uv_close((uv_handle_t *)&s->hints_poll, NULL);
    if (s->watches_stdin)
        uv_close((uv_handle_t *)&s->stdin_poll, NULL);
    process_destroy(s->nodes[IPC_ARCHIVE].process);
    process_destroy(s->nodes[IPC_SPARSE].process);
}

void supervisor_stop(struct supervisor *s, const char *reason)
{
    if (s->stopping)
        return;
    LOG(LOG_INFO, "supervisor.stopping", LOG_TEXT("reason", reason));
    json_t *data = json_pack("{s:s}", "reason", reason);
    notify_event(s, "supervisor", "supervisor.stopping", data);
    json_decref(data);
    s->stopping = true;
    readiness_update(s);
    discovery_update(s);
    bool both_stopped = nodes_are_both(s, PROCESS_STOPPED);
    process_stop(s->nodes[IPC_SPARSE].process, STOP_GRACE_MS);
    process_stop(s->nodes[IPC_ARCHIVE].process, STOP_GRACE_MS);
    if (both_stopped)
        stopping_close(s);
}
