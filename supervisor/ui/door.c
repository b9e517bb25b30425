// What is served is known when the program is built; nothing that a request says becomes the name of a file.
#include "supervisor/ui/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "net/ws_server.h"
#include "supervisor/ui/files.h"
#include "supervisor/ui/visitor.h"

enum { CONNECTIONS_MAX = 64, STRANGERS_MAX = 40, HANDSHAKE_MS = 5000, MESSAGE_MAX = 1 << 20, HEADERS_MAX = 1024 };

struct door {
    struct ws_server *server;
    struct visitors visitors;
    char headers[HEADERS_MAX];
};

// Nothing but what comes from here is loaded, run or asked, nobody may frame it, and nothing of it is kept.
static const char headers[] = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                              "img-src 'self' blob:; connect-src 'self' %s; base-uri 'none'; form-action 'none'; "
                              "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
                              "X-Content-Type-Options: nosniff\r\n"
                              "X-Frame-Options: DENY\r\n"
                              "Referrer-Policy: no-referrer\r\n"
                              "Cross-Origin-Opener-Policy: same-origin\r\n"
                              "Cross-Origin-Resource-Policy: same-origin\r\n"
                              "Cache-Control: no-store\r\n";

static bool answer_http(void *ctx, const char *path, struct buf *body, const char **type)
{
    (void)ctx;
    for (size_t i = 0; i < UI_FILE_COUNT; i++) {
        if (strcmp(UI_FILES[i].path, path) != 0)
            continue;
        *type = UI_FILES[i].type;
        buf_add_span(body, UI_FILES[i].body);
        return true;
    }
    return false;
}

static void accepted(void *ctx, struct transport *t)
{
    struct door *d = ctx;
    visitor_come(&d->visitors, t);
}

static enum status check_address(const char *address, struct error *e)
{
    struct listen_address where;
    if (listen_address_parse(address, &where, e) != STATUS_OK)
        return e->status;
    if (address_reach(where.host) == ADDRESS_MACHINE)
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-ADDRESS",
                     "the page is shown on this machine only: at 127.0.0.1, localhost or [::1], not %s", address);
}

struct door *door_open(struct loop *l, const char *address, const char *control, struct error *e)
{
    if (check_address(address, e) != STATUS_OK)
        return NULL;
    struct door *d = mem_alloc(sizeof *d);
    const struct ws_server_options options = {.own_page = true,
                                              .headers = d->headers,
                                              .http = answer_http,
                                              .max_connections = CONNECTIONS_MAX,
                                              .max_waiting = STRANGERS_MAX,
                                              .handshake_ms = HANDSHAKE_MS,
                                              .message_limit = MESSAGE_MAX};
    d->visitors = (struct visitors){.loop = l, .pass = pass_create(), .control = control, .message_max = MESSAGE_MAX};
    d->server = ws_server_listen(l, address, &options, accepted, d, e);
    if (d->server == NULL) {
        door_close(d);
        return NULL;
    }
    snprintf(d->headers, sizeof d->headers, headers, ws_server_url(d->server));
    return d;
}

void door_close(struct door *d)
{
    if (d == NULL)
        return;
    visitors_destroy(&d->visitors);
    ws_server_destroy(d->server);
    pass_destroy(d->visitors.pass);
    free(d);
}

void door_link(struct door *d, struct buf *out)
{
    char link[PASS_LENGTH + 1];
    pass_new_link(d->visitors.pass, link);
    buf_printf(out, "http%s/#%s", ws_server_url(d->server) + strlen("ws"), link);
    secret_wipe(link, sizeof link);
}
