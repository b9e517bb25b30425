// The archive's WebSocket listener: listener.stop and listener.start, which shut and open it for others. A node gives
// up listening for good when it is open (the wall), so the archive is restarted for either; our sparse node reaches it
// all the time.
#include <string.h>

#include "base/log.h"
#include "supervisor/core.h"

enum { STOP_MS = 1500 };

static enum status check(const struct supervisor *s, struct error *e)
{
    struct listen_address where = {0};
    if (nodes_check_idle(s, e) != STATUS_OK)
        return e->status;
    if (s->kek.data == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED",
                         "the nodes have no keys: nobody has given the secret since the start");
    config_listen(s->options->config, &where, NULL);
    if (strcmp(where.host, "none") == 0)
        return error_set(e, STATUS_CONFLICT, "NOT-LISTENING", "the setting listen.address is none");
    return STATUS_OK;
}

static void change(struct supervisor *s, struct ipc_request *r, bool stopped)
{
    struct error e = {0};
    enum status st = check(s, &e);
    if (st == STATUS_OK && s->installation.listener_stopped == stopped) {
        ipc_request_reply(r, NULL);
        return;
    }
    s->installation.listener_stopped = st == STATUS_OK ? stopped : s->installation.listener_stopped;
    if (st == STATUS_OK && record_save(s, &e) != STATUS_OK) {
        st = e.status;
        s->installation.listener_stopped = !stopped;
    }
    s->opens_listener = st == STATUS_OK && !stopped;
    if (st == STATUS_OK)
        requests_restart(s, r, IPC_ARCHIVE);
    else
        ipc_request_fail(r, &e);
}

// What cannot be opened stays shut, and the archive does what it did before.
void listener_refused(struct supervisor *s)
{
    struct error e = {0};
    struct node *archive = &s->nodes[IPC_ARCHIVE];
    if (!s->opens_listener)
        return;
    s->opens_listener = false;
    s->installation.listener_stopped = true;
    if (record_save(s, &e) != STATUS_OK)
        LOG(LOG_WARN, "listener.not-shut", LOG_TEXT("code", e.code), LOG_TEXT("reason", e.message));
    archive->restarting = true;
    process_stop(archive->process, STOP_MS);
}

static void handle_stop(struct ipc_request *r, void *ctx)
{
    change(ctx, r, true);
}

static void handle_start(struct ipc_request *r, void *ctx)
{
    change(ctx, r, false);
}

void listener_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "listener.stop", handle_stop, s);
    ipc_service_on(service, "listener.start", handle_start, s);
}
