// The control and the event socket, and DIR/run/control.json, which says where they are. Somebody may remove DIR/run,
// or what tidies /tmp the short folder of the sockets: they are made again, for whoever comes next.
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/file.h"
#include "supervisor/core.h"

enum { LOOK_MS = 1000 };

static enum status publish(struct supervisor *s, struct error *e)
{
    char control[160];
    char events[160];
    snprintf(control, sizeof control, "ipc://%s", statedir_socket(s->dir, "control.sock"));
    snprintf(events, sizeof events, "ipc://%s", statedir_socket(s->dir, "events.sock"));
    json_t *object = json_pack("{s:s, s:s, s:i, s:s, s:s}", "control", control, "events", events, "pid", (int)getpid(),
                               "version", TANDEM_VERSION, "bootId", ipc_ring_boot_id(s->ring));
    char *text = json_dumps(object, JSON_COMPACT);
    enum status status = file_write(statedir_file(s->dir, "run/control.json"), span_of(text), 0600, e);
    free(text);
    json_decref(object);
    return status;
}

enum status endpoints_open(struct supervisor *s, struct error *e)
{
    s->service = ipc_service_create(IPC_SUPERVISOR);
    requests_register(s, s->service);
    overview_register(s, s->service);
    listener_register(s, s->service);
    discovery_register(s, s->service);
    provision_register(s, s->service);
    rekey_register(s, s->service);
    repair_register(s, s->service);
    backup_register(s, s->service);
    tied_register(s, s->service);
    s->server = ipc_server_listen(statedir_socket(s->dir, "control.sock"), s->service, e);
    if (s->server == NULL)
        return e->status;
    s->hints = ipc_hints_listen(statedir_socket(s->dir, "events.sock"), e);
    return s->hints == NULL ? e->status : publish(s, e);
}

static bool is_there(struct supervisor *s)
{
    return file_exists(statedir_file(s->dir, "run/control.json")) &&
           file_exists(statedir_socket(s->dir, "control.sock")) && file_exists(statedir_socket(s->dir, "events.sock"));
}

static enum status make_again(struct supervisor *s, struct error *e)
{
    enum status st = statedir_mend(s->dir, e);
    if (st == STATUS_OK && !file_exists(statedir_socket(s->dir, "control.sock")))
        st = ipc_server_listen_again(s->server, e);
    if (st == STATUS_OK && !file_exists(statedir_socket(s->dir, "events.sock")))
        st = ipc_hints_listen_again(s->hints, e);
    return st == STATUS_OK ? publish(s, e) : st;
}

void endpoints_mend(struct supervisor *s)
{
    struct error e = {0};
    uint64_t now = clock_monotonic_ms();
    if (now - s->endpoints_looked_at < LOOK_MS)
        return;
    s->endpoints_looked_at = now;
    if (is_there(s))
        return;
    if (make_again(s, &e) == STATUS_OK)
        LOG(LOG_WARN, "control.restored", LOG_TEXT("text", "somebody removed the sockets or control.json"));
    else
        LOG(LOG_ERROR, "control.lost", LOG_TEXT("code", e.code), LOG_TEXT("reason", e.message));
}

void endpoints_close(struct supervisor *s)
{
    struct error ignored = {0};
    if (s->server != NULL)
        file_remove(statedir_file(s->dir, "run/control.json"), &ignored);
    tied_release(s);
    ipc_server_destroy(s->server);
    ipc_hints_destroy(s->hints);
    ipc_service_destroy(s->service);
    ipc_ring_destroy(s->ring);
}
