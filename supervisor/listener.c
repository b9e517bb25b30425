// The archive's WebSocket listener: where it is, and listener.stop and listener.start, which shut and open it for
// others. A node gives up listening for good when it is open (the wall), so the archive is restarted for either; our
// sparse node reaches it all the time.
//
// Whether it can be opened is tried when the supervisor starts, so that whoever types 'up' hears what is wrong. When
// nobody asked for a port and another program, or another user's tandem, has the usual one, the next free one is taken
// and kept, as contacts have to find the archive there again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/listening.h"
#include "base/log.h"
#include "io/file.h"
#include "supervisor/core.h"

enum { NEXT_PORTS = 100, PATIENCE_MS = 2000, LOOK_MS = 50, STOP_MS = 1500 };

// --- where it is -----------------------------------------------------------------------------------------------------

// --- whether it can be opened ----------------------------------------------------------------------------------------

static enum status try_once(const struct supervisor *s, const char *host, int port, struct error *e)
{
    struct listen_address address = {.port = (uint16_t)port};
    bool wildcard = false;
    snprintf(address.host, sizeof address.host, "%s", host);
    enum status st = listening_try(&address, &wildcard, e);
    if (st == STATUS_OK && wildcard && !config_has_hosts(s->options->config))
        return error_set(e, STATUS_INVALID, "HOSTS-MISSING",
                         "a listener on every address (%s) needs the names it is reached by", host);
    return st;
}

// Nodes that outlived a supervisor that was killed are about to end.
static enum status try_patiently(struct supervisor *s, const char *host, int port, struct error *e)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};
    bool was_killed = file_exists(statedir_file(s->dir, "run/control.json"));
    enum status st = try_once(s, host, port, e);
    for (int waited = 0; was_killed && st == STATUS_EXISTS && waited < PATIENCE_MS; waited += LOOK_MS) {
        nanosleep(&look, NULL);
        error_clear(e);
        st = try_once(s, host, port, e);
    }
    return st;
}

static void take_port(struct supervisor *s, int usual, int port)
{
    s->found_port = port;
    if (port != port_kept(s))
        port_keep(s, port);
    if (port != usual)
        LOG(LOG_WARN, "port.moved", LOG_INT("from", usual), LOG_INT("to", port));
}

static enum status find_port(struct supervisor *s, const char *host, int usual, struct error *e)
{
    int kept = port_kept(s);
    bool moved = kept > usual && kept < usual + NEXT_PORTS;
    enum status st = try_patiently(s, host, moved ? kept : usual, e);
    if (st == STATUS_OK && moved)
        take_port(s, usual, kept);
    for (int port = usual; st == STATUS_EXISTS && port < usual + NEXT_PORTS; port++) {
        error_clear(e);
        st = try_once(s, host, port, e);
        if (st == STATUS_OK)
            take_port(s, usual, port);
    }
    return st;
}

// A name is looked up by the node, which can wait for the network.
static bool is_name(const char *host)
{
    return strcmp(host, "localhost") != 0 && address_reach(host) == ADDRESS_NAME;
}

enum status listener_settle(struct supervisor *s, struct error *e)
{
    struct listen_address where;
    port_address(s, &where);
    if (strcmp(where.host, "none") == 0 || s->installation.listener_stopped || is_name(where.host))
        return STATUS_OK;
    return port_is_asked_for(s) ? try_patiently(s, where.host, where.port, e) : find_port(s, where.host, where.port, e);
}

// --- listener.stop and listener.start --------------------------------------------------------------------------------

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
