// listener.stop and listener.start: whether the archive's WebSocket listener is open to others. A node gives up
// listening for good when it is open (the wall), so the archive is restarted for either; our sparse node reaches it all
// the time.
#include <string.h>

#include "supervisor/core.h"

static enum status check(const struct supervisor *s, struct error *e)
{
    char host[256] = "";
    int port;
    if (provision_check_idle(s, e) != STATUS_OK)
        return e->status;
    if (s->kek.data == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the nodes have no keys yet");
    config_listen(s->options->config, host, sizeof host, &port, NULL);
    if (strcmp(host, "none") == 0)
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
    if (st == STATUS_OK && provision_save(s, &e) != STATUS_OK) {
        st = e.status;
        s->installation.listener_stopped = !stopped;
    }
    if (st == STATUS_OK)
        requests_restart(s, r, IPC_ARCHIVE);
    else
        ipc_request_fail(r, &e);
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
