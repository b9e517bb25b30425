// Sockets that have yet to prove who they are wait in two lists, by age: handshaking, and upgraded but unproven. A
// socket that is turned out is released when libwebsockets destroys it, and the server itself when its last socket has
// gone.
#include "net/ws_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/listening.h"
#include "base/log.h"
#include "net/upgrade.h"
#include "net/waiting.h"
#include "net/ws.h"

enum { MAX_CONNECTIONS = 256, HANDSHAKE_MS = 10000, ACCEPTS_PER_TURN = 16, RETRY_MS = 100 };

struct incoming {           // one socket, from accept to its end
    struct waiting waiting; // first
    struct ws ws;           // open once it was upgraded
    struct ws_server *server;
    struct address_use *from;
    uint64_t deadline; // of the handshake
    bool upgraded;
    bool settled; // answered, or the refusal is told, or there was no request
    bool leaving; // turned out; its end follows
    char peer[INET6_ADDRSTRLEN + 8];
};

struct ws_server {
    struct loop *loop;
    struct ws_server_options options;
    void (*accepted)(void *ctx, struct transport *t);
    void *ctx;
    struct listening sockets;
    struct loop_fd *watch[2];
    struct listen_address address;
    char *url;
    struct hash_map *addresses;      // with their uses
    struct waiting_list handshaking; // in the order of their deadlines
    struct waiting_list unproven;    // upgraded; with max_waiting only
    size_t leaving;
    struct loop_timer handshakes;
    struct loop_timer retry; // after the process ran out of descriptors
    struct ws_server_stats stats;
    bool destroyed; // waits for its last socket
};

static void release(struct ws_server *s)
{
    if (!s->destroyed || s->stats.connections != 0)
        return;
    hash_map_destroy(s->addresses);
    free(s->url);
    free(s);
}

static void tell_refused(const struct incoming *c, const char *reason)
{
    if (c->server->options.refused != NULL)
        c->server->options.refused(c->server->ctx, c->peer, reason);
}

static struct incoming *incoming_of(struct waiting *w)
{
    return (struct incoming *)w;
}

// At once; its object is released when libwebsockets destroys the socket.
static void turn_out(struct incoming *c)
{
    struct ws_server *s = c->server;
    waiting_remove(&c->waiting);
    c->leaving = true;
    s->leaving++;
    ws_kill(c->ws.wsi);
}

// Handshakes

static void handshake_begins(struct ws_server *s, struct incoming *c)
{
    c->deadline = loop_now(s->loop) + s->options.handshake_ms;
    waiting_add(&s->handshaking, &c->waiting, c->from);
    if (s->handshaking.count == 1)
        loop_timer_set(&s->handshakes, s->options.handshake_ms);
}

static void handshakes_due(void *ctx)
{
    struct ws_server *s = ctx;
    uint64_t now = loop_now(s->loop);
    while (s->handshaking.oldest != NULL && incoming_of(s->handshaking.oldest)->deadline <= now) {
        struct incoming *c = incoming_of(s->handshaking.oldest);
        s->stats.refused_request++;
        LOG(LOG_DEBUG, "listener.handshake-timeout", LOG_TEXT("peer", c->peer));
        tell_refused(c, "timeout");
        turn_out(c);
    }
    if (s->handshaking.oldest != NULL)
        loop_timer_set(&s->handshakes, incoming_of(s->handshaking.oldest)->deadline - now);
}

// Requests

// NULL when every address is listened at.
static const char *listened_name(const struct ws_server *s)
{
    return s->sockets.wildcard ? NULL : s->address.host;
}

static void note_refused_upgrade(struct incoming *c, const char *why)
{
    c->settled = true;
    c->server->stats.refused_request++;
    LOG(LOG_DEBUG, "listener.upgrade-refused", LOG_TEXT("peer", c->peer), LOG_TEXT("why", why));
    tell_refused(c, why);
}

static int refuse_headers(struct incoming *c, struct lws *wsi)
{
    note_refused_upgrade(c, "headers");
    return upgrade_answer(wsi, "431 Request Header Fields Too Large", c->server->options.headers, "text/plain",
                          SPAN("Too many headers.\n"));
}

static int refuse_upgrade(struct incoming *c, struct lws *wsi, const char *why)
{
    note_refused_upgrade(c, why);
    return upgrade_answer(wsi, "403 Forbidden", c->server->options.headers, "text/plain",
                          SPAN("This connection is not allowed.\n"));
}

static struct span authority_of(const struct ws_server *s)
{
    return span_from(span_of(s->url), strlen("ws://"));
}

static bool host_allowed(const struct ws_server *s, struct lws *wsi)
{
    return s->options.own_page ? upgrade_host_is(wsi, authority_of(s))
                               : upgrade_host_allowed(wsi, &s->options, listened_name(s));
}

static bool origin_allowed(const struct ws_server *s, struct lws *wsi)
{
    return s->options.own_page ? upgrade_origin_is(wsi, authority_of(s)) : upgrade_origin_allowed(wsi, &s->options);
}

static int answer_plain_http(struct incoming *c, struct lws *wsi, const char *path)
{
    const struct ws_server_options *o = &c->server->options;
    struct buf body = {0};
    const char *type = "text/plain";
    int n;
    if (o->own_page && !host_allowed(c->server, wsi))
        return refuse_upgrade(c, wsi, "host");
    c->settled = true;
    if (path != NULL && o->http != NULL && o->http(c->server->ctx, path, &body, &type))
        n = upgrade_answer(wsi, "200 OK", o->headers, type, buf_span(&body));
    else if (o->own_page)
        n = upgrade_answer(wsi, "404 Not Found", o->headers, type, SPAN("There is no such page.\n"));
    else
        n = upgrade_answer(wsi, "426 Upgrade Required", o->headers, type, SPAN("This is a WebSocket endpoint.\n"));
    buf_free(&body);
    return n;
}

// The header is read again: after an unknown upgrade libwebsockets passes a dangling pointer to it.
static int confirm_upgrade(struct incoming *c, struct lws *wsi)
{
    char upgrade[16];
    if (lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    if (!upgrade_headers_fit(wsi))
        return refuse_headers(c, wsi);
    if (strcasecmp(upgrade, "websocket") != 0)
        return refuse_upgrade(c, wsi, "upgrade");
    if (!host_allowed(c->server, wsi))
        return refuse_upgrade(c, wsi, "host");
    if (!origin_allowed(c->server, wsi))
        return refuse_upgrade(c, wsi, "origin");
    if (!upgrade_choose_subprotocol(wsi, c->server->loop))
        return refuse_upgrade(c, wsi, "subprotocol");
    return 0;
}

static int upgraded(struct incoming *c, struct lws *wsi)
{
    struct ws_server *s = c->server;
    if (s->destroyed || c->leaving)
        return -1;
    c->upgraded = true;
    if (s->options.max_waiting != 0)
        waiting_move(&c->waiting, &s->unproven);
    else
        waiting_remove(&c->waiting);
    s->stats.accepted++;
    ws_open(&c->ws, s->loop, wsi, c->peer, s->options.message_limit);
    s->accepted(s->ctx, &c->ws.base);
    return 0;
}

// What libwebsockets cannot read as a request it ends by itself, without a word or with a page of its own. An upgrade
// that it does not know or finds wanting likewise, but of that one hears no more than that it is gone.
static void ended_early(struct incoming *c, struct lws *wsi)
{
    bool overflowed = loop_headers_overflowed();
    if (!c->settled && !c->leaving && (overflowed || upgrade_library_refused(wsi)))
        note_refused_upgrade(c, overflowed ? "headers" : "request");
    c->settled = true;
}

static void gone(struct incoming *c)
{
    struct ws_server *s = c->server;
    waiting_remove(&c->waiting);
    if (c->upgraded)
        ws_release(&c->ws);
    else if (!c->settled && !c->leaving && s->loop->newborn != c)
        note_refused_upgrade(c, "upgrade");
    if (s->loop->newborn == c)
        s->loop->newborn = NULL;
    address_use_release(s->addresses, c->from);
    s->leaving -= c->leaving;
    free(c);
    s->stats.connections--;
    release(s);
}

static int server_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    struct incoming *c = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(c, wsi);
    case LWS_CALLBACK_HTTP:
        return answer_plain_http(c, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return upgraded(c, wsi);
    case LWS_CALLBACK_CLOSED_HTTP:
        ended_early(c, wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        gone(c);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: // what an HTTP CONNECT turns into
        note_refused_upgrade(c, "request");
        return -1;
    case LWS_CALLBACK_RAW_RX:
        return -1;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
        return ws_event(&c->ws, reason, in, len);
    default:
        return 0;
    }
}

// Accepting

static bool is_full(const struct ws_server *s)
{
    return s->stats.connections - s->leaving >= s->options.max_connections;
}

static bool too_many_wait(const struct ws_server *s)
{
    return s->options.max_waiting != 0 && s->handshaking.count + s->unproven.count >= s->options.max_waiting;
}

// c is not counted among the connections yet.
static bool has_its_share(const struct ws_server *s, const struct incoming *c)
{
    size_t mine = c->from->sockets, taken = s->stats.connections - s->leaving;
    return (s->options.max_per_address != 0 && mine > s->options.max_per_address) ||
           (s->options.leave_room && mine > s->options.max_connections - taken);
}

static void release_trusted(struct ws_server *s)
{
    for (struct waiting *w = s->unproven.oldest, *next; w != NULL; w = next) {
        next = w->newer;
        if (incoming_of(w)->ws.base.trusted)
            waiting_remove(w);
    }
}

// A newcomer may not wait because others do who have not proved anything either.
static void make_room(struct ws_server *s)
{
    if (s->options.max_waiting == 0 || (!is_full(s) && !too_many_wait(s)))
        return;
    release_trusted(s);
    if (!is_full(s) && !too_many_wait(s))
        return;
    struct waiting *w = waiting_to_give_way(&s->unproven, &s->handshaking);
    if (w == NULL)
        return;
    struct incoming *c = incoming_of(w);
    s->stats.refused_limit++;
    tell_refused(c, "crowded");
    turn_out(c);
}

static void name_peer(struct incoming *c, const struct sockaddr_storage *sa, socklen_t len)
{
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "0";
    getnameinfo((const struct sockaddr *)sa, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(c->peer, sizeof c->peer, sa->ss_family == AF_INET6 ? "[%s]:%.5s" : "%s:%.5s", host, port);
}

static void refuse_socket(struct incoming *c, int fd)
{
    c->server->stats.refused_limit++;
    tell_refused(c, "limit");
    address_use_release(c->server->addresses, c->from);
    close(fd);
    free(c);
}

static void admit(struct ws_server *s, int fd, const struct sockaddr_storage *sa, socklen_t len)
{
    struct incoming *c = mem_alloc(sizeof *c);
    c->server = s;
    c->from = address_use_take(s->addresses, sa);
    name_peer(c, sa, len);
    make_room(s);
    if (is_full(s) || has_its_share(s, c)) {
        refuse_socket(c, fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); // messages are not to wait for one another
    s->stats.connections++;
    handshake_begins(s, c);
    lws_adopt_desc_t what = {
        .vh = s->loop->server, .type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET, .fd = {.sockfd = fd}, .opaque = c};
    s->loop->newborn = c;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&what); // closes fd if it fails
    if (wsi != NULL)
        c->ws.wsi = wsi;
    else if (s->loop->newborn != NULL)
        gone(c);
    s->loop->newborn = NULL;
}

static void stop_watching(struct ws_server *s)
{
    for (size_t i = 0; i < s->sockets.count; i++) {
        loop_drop_fd(s->watch[i]);
        s->watch[i] = NULL;
    }
}

static void accept_waiting(struct ws_server *s, int listening)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage sa = {0};
        socklen_t len = sizeof sa;
        int fd = accept4(listening, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            admit(s, fd, &sa, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            LOG(LOG_WARN, "listener.out-of-descriptors", LOG_TEXT("url", s->url));
            stop_watching(s); // the waiting connection would wake us at once
            loop_timer_set(&s->retry, RETRY_MS);
        }
        return;
    }
}

static void first_ready(void *ctx)
{
    struct ws_server *s = ctx;
    accept_waiting(s, s->sockets.fd[0]);
}

static void second_ready(void *ctx)
{
    struct ws_server *s = ctx;
    accept_waiting(s, s->sockets.fd[1]);
}

static enum status start_watching(struct ws_server *s, struct error *e)
{
    void (*const ready[])(void *) = {first_ready, second_ready};
    for (size_t i = 0; i < s->sockets.count && i < sizeof ready / sizeof *ready; i++) {
        s->watch[i] = loop_adopt_fd(s->loop, s->sockets.fd[i], ready[i], s, e);
        if (s->watch[i] == NULL)
            return STATUS_FULL;
    }
    return STATUS_OK;
}

static void watch_again(void *ctx)
{
    struct ws_server *s = ctx;
    if (start_watching(s, NULL) == STATUS_OK)
        return;
    stop_watching(s);
    loop_timer_set(&s->retry, RETRY_MS);
}

// Life

static enum status open_listener(struct ws_server *s, const char *address, struct error *e)
{
    if (listen_address_parse(address, &s->address, e) != STATUS_OK ||
        listening_open(&s->address, &s->sockets, e) != STATUS_OK)
        return STATUS_INVALID;
    bool named = s->options.hosts != NULL && s->options.hosts[0] != NULL;
    if (s->sockets.wildcard && !named && !s->options.any_host)
        return error_set(e, STATUS_INVALID, "HOSTS-MISSING",
                         "a listener on every address needs the names it is reached by");
    if (s->loop->server == NULL)
        snprintf(s->loop->subprotocol, sizeof s->loop->subprotocol, "server");
    if (s->loop->server == NULL)
        s->loop->server = loop_create_vhost(s->loop, s->loop->subprotocol, server_callback, true, NULL);
    if (s->loop->server == NULL)
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the listener cannot be created");
    struct buf url = {0};
    buf_add_text(&url, "ws://");
    if (s->options.own_page)
        address_write_authority(s->address.host, s->sockets.port, &url);
    else
        address_write(s->address.host, s->sockets.port, &url);
    s->url = mem_text(buf_span(&url));
    buf_free(&url);
    return start_watching(s, e);
}

struct ws_server *ws_server_listen(struct loop *l, const char *address, const struct ws_server_options *options,
                                   void (*accepted)(void *ctx, struct transport *t), void *ctx, struct error *e)
{
    struct ws_server *s = mem_alloc(sizeof *s);
    s->loop = l;
    if (options != NULL)
        s->options = *options;
    if (s->options.max_connections == 0)
        s->options.max_connections = MAX_CONNECTIONS;
    if (s->options.handshake_ms == 0)
        s->options.handshake_ms = HANDSHAKE_MS;
    s->accepted = accepted;
    s->ctx = ctx;
    s->addresses = hash_map_create();
    s->handshakes = LOOP_TIMER(l, handshakes_due, s);
    s->retry = LOOP_TIMER(l, watch_again, s);
    if (open_listener(s, address, e) == STATUS_OK)
        return s;
    ws_server_destroy(s);
    return NULL;
}

void ws_server_stop(struct ws_server *s)
{
    stop_watching(s);
    loop_timer_cancel(&s->retry);
    listening_close(&s->sockets);
}

void ws_server_destroy(struct ws_server *s)
{
    if (s == NULL)
        return;
    ws_server_stop(s);
    s->options.refused = NULL;
    while (s->handshaking.oldest != NULL)
        turn_out(incoming_of(s->handshaking.oldest));
    loop_timer_cancel(&s->handshakes);
    s->destroyed = true;
    release(s);
}

const char *ws_server_url(const struct ws_server *s)
{
    return s->url;
}

uint16_t ws_server_port(const struct ws_server *s)
{
    return s->sockets.port;
}

struct ws_server_stats ws_server_stats(const struct ws_server *s)
{
    return s->stats;
}
