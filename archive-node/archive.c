// The listener, the relay for others, and what others are told of where we are. A listener that is shut still listens,
// at another address and for our sparse node alone.
#include "archive-node/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive-node/embedded_relay.h"
#include "archive-node/registrations.h"
#include "base/address.h"
#include "base/log.h"
#include "net/ws_server.h"
#include "node/addresses.h"
#include "node/peers.h"

enum {
    DEFAULT_PORT = 8765,
    REFUSALS_EVERY_MS = 1000,
    CONNECTIONS_MAX = PEERS_SERVED_MAX + PEERS_WAITING_MAX,
};

struct archive {
    struct node *node;
    struct ws_server *listener;
    struct registrations *registrations; // at relays; NULL until running
    struct relay *relay;                 // our own for others; NULL unless configured
    const char *public_url;              // where others reach us; NULL = at the listener
    struct ws_url public_parts;          // of public_url
    const char **origins;                // NULL-terminated, borrowed from the configuration
    const char **hosts;
    char url[ADDRESS_URL_MAX + 1]; // where it listens, or would if it were not shut; empty = nowhere
    bool shut;                     // the listener is for our sparse node alone, at another address
    bool running;
    struct { // who was turned away since it was last told
        struct loop_timer *pause;
        bool pausing;
        json_int_t count;
        char address[64];
        const char *reason;
    } refused;
};

static void accepted(void *ctx, struct transport *t)
{
    struct archive *a = ctx;
    if (a->running && a->shut)
        peers_accept_own(node_peers(a->node), t);
    else if (a->running)
        peers_accept(node_peers(a->node), t, (struct span){0});
    if (a->running)
        return;
    t->ops->close(t, "not ready yet");
    transport_release(t);
}

// ---- Who is turned away: told at once, a crowd once a second -------------------------------------------------------

static void tell_refused(struct archive *a)
{
    node_tell(a->node, "connection.refused",
              json_pack("{s:s, s:s, s:I}", "address", a->refused.address, "reason", a->refused.reason, "count",
                        a->refused.count));
    a->refused.count = 0;
    a->refused.pausing = true;
    loop_timer_set(a->refused.pause, REFUSALS_EVERY_MS);
}

static void refusals_due(void *ctx)
{
    struct archive *a = ctx;
    a->refused.pausing = false;
    if (a->refused.count != 0)
        tell_refused(a);
}

static void refused(void *ctx, const char *peer, const char *reason)
{
    struct archive *a = ctx;
    snprintf(a->refused.address, sizeof a->refused.address, "%s", peer);
    a->refused.reason = reason;
    a->refused.count++;
    if (!a->refused.pausing)
        tell_refused(a);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

// further: one more, or NULL.
static const char **config_list(const json_t *config, const char *key, const char *further)
{
    const json_t *list = json_object_get(config, key);
    size_t count = json_array_size(list);
    const char **out = mem_array(count + 2, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = json_string_value(json_array_get(list, i));
    out[count] = further;
    return out;
}

// The name in our public URL is one by which a proxy may address the listener.
static enum status read_config(struct archive *a, struct error *e)
{
    const json_t *config = node_config(a->node);
    a->public_url = addresses_public(config);
    if (a->public_url != NULL && ws_url_parse(a->public_url, &a->public_parts, e) != STATUS_OK)
        return e->status;
    a->origins = config_list(config, "listen.origins", NULL);
    a->hosts = config_list(config, "listen.hosts", a->public_url != NULL ? a->public_parts.host : NULL);
    return STATUS_OK;
}

static enum status listen_at(struct archive *a, const char *host, int port, struct error *e)
{
    struct buf address = {0};
    address_write(host, (uint16_t)port, &address);
    struct ws_server_options options = {.origins = a->origins,
                                        .hosts = a->hosts,
                                        .max_connections = CONNECTIONS_MAX,
                                        .max_waiting = PEERS_WAITING_MAX,
                                        .refused = refused};
    a->listener = ws_server_listen(node_loop(a->node), buf_cstr(&address), &options, accepted, a, e);
    buf_free(&address);
    return a->listener != NULL ? STATUS_OK : e->status;
}

static void archive_close(void *state)
{
    struct archive *a = state;
    registrations_destroy(a->registrations);
    relay_destroy(a->relay);
    ws_server_destroy(a->listener);
    loop_timer_destroy(a->refused.pause);
    free(a->origins);
    free(a->hosts);
    free(a);
}

// The port asked for; with 0 first the one used last time, then any free one.
static enum status open_listener(struct archive *a, const char *host, int port, int preferred, struct error *e)
{
    if (port == 0 && preferred != 0 && listen_at(a, host, preferred, e) == STATUS_OK)
        return STATUS_OK;
    error_clear(e);
    return listen_at(a, host, port, e);
}

static void remember_url(struct archive *a, const char *host, int port)
{
    struct buf url = {0};
    buf_add_text(&url, "ws://");
    address_write(host, (uint16_t)port, &url);
    snprintf(a->url, sizeof a->url, "%s", buf_cstr(&url));
    buf_free(&url);
}

// Shut, it listens for our sparse node only, on a port of this machine that nobody else is told; no host: for good.
static enum status open_door(struct archive *a, const struct ipc_request *r, struct error *e)
{
    const char *host = ipc_request_text(r, P_host);
    int port = (int)ipc_request_int(r, P_port, DEFAULT_PORT);
    int preferred = (int)ipc_request_int(r, P_preferredPort, 0);
    bool never = host != NULL && strcmp(host, "none") == 0;
    enum status st;
    a->shut = never || !ipc_request_bool(r, P_listening, true);
    if (host == NULL)
        host = "localhost";
    if (!a->shut) {
        st = open_listener(a, host, port, preferred, e);
        port = st == STATUS_OK ? ws_server_port(a->listener) : 0;
    } else {
        st = listen_at(a, "localhost", 0, e);
        port = port != 0 ? port : preferred;
    }
    if (st == STATUS_OK && !never && port != 0)
        remember_url(a, host, port);
    return st;
}

static enum status archive_open(struct node *n, const struct ipc_request *r, void **state, struct node_door *door,
                                struct error *e)
{
    struct archive *a = mem_alloc(sizeof *a);
    a->node = n;
    a->refused.pause = loop_timer_create(node_loop(n), refusals_due, a);
    enum status st = read_config(a, e);
    if (st == STATUS_OK)
        st = open_door(a, r, e);
    if (st == STATUS_OK)
        st = embedded_relay_open(n, &a->relay, e);
    if (st != STATUS_OK) {
        archive_close(a);
        return st;
    }
    snprintf(door->url, sizeof door->url, "%s", ws_server_url(a->listener));
    snprintf(door->told, sizeof door->told, "%s", a->url);
    door->shut = a->shut;
    *state = a;
    return STATUS_OK;
}

static const char *state_of(const struct archive *a)
{
    return a->shut ? "stopped" : "listening";
}

static void archive_start(struct node *n, void *state)
{
    struct archive *a = state;
    a->running = true;
    if (a->url[0] != '\0')
        node_tell(n, "listener.changed",
                  json_pack("{s:s, s:s, s:s}", "type", "websocket", "url", a->url, "state", state_of(a)));
    a->registrations = registrations_create(n, json_object_get(node_config(n), "relay.urls"));
}

static void archive_meet(void *state, const struct identity *further)
{
    struct archive *a = state;
    registrations_add(a->registrations, further);
}

static json_t *archive_listeners(void *state)
{
    struct archive *a = state;
    json_t *list = json_array();
    struct ws_server_stats s = ws_server_stats(a->listener);
    if (a->url[0] != '\0')
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:I, s:I, s:I, s:s*}", "type", "websocket", "url",
                                              a->url, "state", state_of(a), "publicUrl", a->public_url, "open",
                                              (json_int_t)s.connections, "accepted", (json_int_t)s.accepted, "refused",
                                              (json_int_t)(s.refused_limit + s.refused_request), "lastRefusal",
                                              a->refused.reason));
    if (a->shut)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "type", "own", "url", ws_server_url(a->listener), "state", "listening"));
    embedded_relay_list(a->relay, list);
    registrations_list(a->registrations, list);
    return list;
}

static void archive_metrics(void *state, json_t *items)
{
    const struct archive *a = state;
    embedded_relay_measure(a->relay, items);
}

const struct node_kind ARCHIVE_NODE = {
    .name = "archive",
    .store = STORE_ARCHIVE,
    .program = WALL_ARCHIVE,
    .open = archive_open,
    .start = archive_start,
    .meet = archive_meet,
    .close = archive_close,
    .listeners = archive_listeners,
    .metrics = archive_metrics,
};
