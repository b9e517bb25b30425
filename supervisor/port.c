// Where the archive is to listen. Whether it can is tried when the supervisor starts, so that whoever types 'up' hears
// what is wrong. When nobody asked for a port and another program, or another user's tandem, has the usual one, the
// next free one is taken and kept, as contacts have to find the archive there again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/listening.h"
#include "base/log.h"
#include "io/file.h"
#include "supervisor/core.h"

enum { SMALL_FILE = 64, NEXT_PORTS = 100, PATIENCE_MS = 2000, LOOK_MS = 50 };

int port_kept(struct supervisor *s)
{
    struct buf text = {0};
    struct error e = {0};
    bool kept = file_read(statedir_file(s->dir, "port"), SMALL_FILE, &text, &e) == STATUS_OK;
    long port = kept ? strtol(buf_cstr(&text), NULL, 10) : 0;
    buf_free(&text);
    return port > 0 && port < 65536 ? (int)port : 0;
}

void port_keep(struct supervisor *s, int port)
{
    char text[16];
    struct error e = {0};
    snprintf(text, sizeof text, "%d", port);
    if (file_write(statedir_file(s->dir, "port"), span_of(text), 0600, &e) != STATUS_OK)
        LOG(LOG_WARN, "port.forgotten", LOG_TEXT("reason", e.message));
}

static bool port_is_asked_for(const struct supervisor *s)
{
    return config_find(s->options->config, "listen.address").origin != CONFIG_DEFAULT;
}

void port_address(const struct supervisor *s, struct listen_address *out)
{
    *out = (struct listen_address){0};
    config_listen(s->options->config, out, NULL);
    if (s->found_port != 0 && !port_is_asked_for(s))
        out->port = (uint16_t)s->found_port;
}

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

// st: what the trial before said.
static enum status find_next_port(struct supervisor *s, const char *host, int usual, enum status st, struct error *e)
{
    for (int port = usual; st == STATUS_EXISTS && port < usual + NEXT_PORTS; port++) {
        error_clear(e);
        st = try_once(s, host, port, e);
        if (st == STATUS_OK)
            take_port(s, usual, port);
    }
    return st;
}

static enum status find_port(struct supervisor *s, const char *host, int usual, struct error *e)
{
    int kept = port_kept(s);
    bool moved = kept > usual && kept < usual + NEXT_PORTS;
    enum status st = try_patiently(s, host, moved ? kept : usual, e);
    if (st == STATUS_OK && moved)
        take_port(s, usual, kept);
    return find_next_port(s, host, usual, st, e);
}

// A name is looked up by the node, which can wait for the network.
static bool is_name(const char *host)
{
    return strcmp(host, "localhost") != 0 && address_reach(host) == ADDRESS_NAME;
}

static bool can_be_tried(const struct supervisor *s, const struct listen_address *where)
{
    return strcmp(where->host, "none") != 0 && !s->installation.listener_stopped && !is_name(where->host);
}

enum status port_settle(struct supervisor *s, struct error *e)
{
    struct listen_address where;
    port_address(s, &where);
    if (!can_be_tried(s, &where))
        return STATUS_OK;
    return port_is_asked_for(s) ? try_patiently(s, where.host, where.port, e) : find_port(s, where.host, where.port, e);
}

void port_settle_anew(struct supervisor *s)
{
    struct listen_address where;
    struct error e = {0};
    port_address(s, &where);
    if (can_be_tried(s, &where) && !port_is_asked_for(s))
        find_next_port(s, where.host, where.port, try_once(s, where.host, where.port, &e), &e);
}
