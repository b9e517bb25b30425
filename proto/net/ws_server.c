#include "net/ws_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "crypto/sha256.h"
#include "net/listening.h"
#include "net/ws.h"

enum { MAX_CONNECTIONS = 256, HANDSHAKE_MS = 10000, ACCEPTS_PER_TURN = 16, RETRY_MS = 100, HEADER_MAX = 512 };

struct incoming { // one socket, from accept to its end
    struct ws ws; // open once it was upgraded
    struct ws_server *server;
    struct incoming *older, *newer; // among those in their handshake
    uint64_t deadline;              // of the handshake
    size_t *from_address;           // how many its address has; NULL without that limit
    struct hash address;
    bool upgraded;
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
    struct hash_map *addresses; // address → number of its sockets
    struct incoming *oldest, *newest;
    struct loop_timer handshakes;
    struct loop_timer retry; // after the process ran out of descriptors
    struct ws_server_stats stats;
    bool destroyed; // waits for its last socket
};

static void release(struct ws_server *s)
{
    if (!s->destroyed || s->stats.connections != 0)
        return;
    size_t cursor = 0;
    void *count;
    while (hash_map_next(s->addresses, &cursor, NULL, &count))
        free(count);
    hash_map_destroy(s->addresses);
    free(s->url);
    free(s);
}

static void tell_refused(const struct incoming *c, const char *reason)
{
    if (c->server->options.refused != NULL)
        c->server->options.refused(c->server->ctx, c->peer, reason);
}

// Handshakes in their order of arrival, which is the order of their deadlines.

static void handshake_begins(struct ws_server *s, struct incoming *c)
{
    c->deadline = loop_now(s->loop) + s->options.handshake_ms;
    c->older = s->newest;
    if (s->newest != NULL)
        s->newest->newer = c;
    s->newest = c;
    if (s->oldest != NULL)
        return;
    s->oldest = c;
    loop_timer_set(&s->handshakes, s->options.handshake_ms);
}

static void handshake_ends(struct ws_server *s, struct incoming *c)
{
    if (c->deadline == 0)
        return;
    c->deadline = 0;
    *(c->older != NULL ? &c->older->newer : &s->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &s->newest) = c->older;
    if (s->oldest == NULL)
        loop_timer_cancel(&s->handshakes);
}

static void handshakes_due(void *ctx)
{
    struct ws_server *s = ctx;
    uint64_t now = loop_now(s->loop);
    while (s->oldest != NULL && s->oldest->deadline <= now) {
        struct incoming *c = s->oldest;
        handshake_ends(s, c);
        s->stats.refused_request++;
        LOG(LOG_INFO, "listener.handshake-timeout", LOG_TEXT("peer", c->peer));
        tell_refused(c, "timeout");
        ws_kill(c->ws.wsi);
    }
    if (s->oldest != NULL)
        loop_timer_set(&s->handshakes, s->oldest->deadline - now);
}

// Requests

static int answer(struct lws *wsi, const char *status, const char *type, struct span body)
{
    struct buf b = {0};
    memset(buf_reserve(&b, LWS_PRE), 0, LWS_PRE);
    b.len = LWS_PRE;
    buf_printf(&b,
               "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade, close\r\n\r\n",
               status, type, body.len);
    buf_add_span(&b, body);
    lws_write(wsi, (unsigned char *)b.data + LWS_PRE, b.len - LWS_PRE, LWS_WRITE_HTTP);
    buf_free(&b);
    return -1; // closes after what was written
}

static int answer_plain_http(struct ws_server *s, struct lws *wsi, const char *path)
{
    struct buf body = {0};
    const char *type = "text/plain";
    int n;
    if (path != NULL && s->options.http != NULL && s->options.http(s->ctx, path, &body, &type))
        n = answer(wsi, "200 OK", type, buf_span(&body));
    else
        n = answer(wsi, "426 Upgrade Required", "text/plain", SPAN("This is a WebSocket endpoint.\n"));
    buf_free(&body);
    return n;
}

static bool in_list(struct span s, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (s.len == strlen(list[i]) && strncasecmp(s.ptr, list[i], s.len) == 0)
            return true;
    }
    return false;
}

// The host of HOST[:PORT] is one of this machine's own names.
static bool is_own_name(struct span authority)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]", NULL};
    const char *bracket = memchr(authority.ptr, ']', authority.len);
    const char *from = bracket != NULL ? bracket : authority.ptr;
    const char *colon = memchr(from, ':', authority.len - (size_t)(from - authority.ptr));
    if (colon != NULL)
        authority.len = (size_t)(colon - authority.ptr);
    return in_list(authority, own);
}

static struct span without_port(struct span authority)
{
    size_t n = authority.len;
    while (n > 0 && authority.ptr[n - 1] >= '0' && authority.ptr[n - 1] <= '9')
        n--;
    if (n > 0 && n < authority.len && authority.ptr[n - 1] == ':')
        authority.len = n - 1;
    if (authority.len > 2 && authority.ptr[0] == '[' && authority.ptr[authority.len - 1] == ']')
        return (struct span){authority.ptr + 1, authority.len - 2};
    return authority;
}

static bool host_allowed(const struct ws_server *s, struct lws *wsi)
{
    char host[HEADER_MAX];
    if (s->options.any_host)
        return true;
    int n = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    if (n <= 0)
        return false;
    struct span authority = {host, (size_t)n}, name = without_port(authority);
    const char *const listened[] = {s->address.host, NULL};
    return is_own_name(authority) || in_list(name, s->options.hosts) ||
           (!s->sockets.wildcard && in_list(name, listened));
}

static bool origin_allowed(const struct ws_server *s, struct lws *wsi)
{
    char origin[HEADER_MAX];
    if (s->options.any_origin || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return true;
    int n = lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);
    if (n <= 0)
        return false;
    struct span o = {origin, (size_t)n};
    if (span_starts_with(o, SPAN("http://")) && is_own_name(span_from(o, 7)))
        return true;
    if (span_starts_with(o, SPAN("https://")) && is_own_name(span_from(o, 8)))
        return true;
    return span_starts_with(o, SPAN("file://")) || in_list(o, s->options.origins);
}

static int refuse_upgrade(struct incoming *c, struct lws *wsi, const char *why)
{
    c->server->stats.refused_request++;
    LOG(LOG_WARN, "listener.upgrade-refused", LOG_TEXT("peer", c->peer), LOG_TEXT("why", why));
    tell_refused(c, why);
    return answer(wsi, "403 Forbidden", "text/plain", SPAN("This connection is not allowed.\n"));
}

// The header is read again: after an unknown upgrade libwebsockets passes a dangling pointer to it.
static int confirm_upgrade(struct incoming *c, struct lws *wsi)
{
    char upgrade[16];
    if (lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    if (strcasecmp(upgrade, "websocket") != 0)
        return refuse_upgrade(c, wsi, "upgrade");
    if (!host_allowed(c->server, wsi))
        return refuse_upgrade(c, wsi, "host");
    if (!origin_allowed(c->server, wsi))
        return refuse_upgrade(c, wsi, "origin");
    return 0;
}

static int upgraded(struct incoming *c, struct lws *wsi)
{
    struct ws_server *s = c->server;
    handshake_ends(s, c);
    if (s->destroyed)
        return -1;
    c->upgraded = true;
    s->stats.accepted++;
    ws_open(&c->ws, s->loop, wsi, c->peer, s->options.message_limit);
    s->accepted(s->ctx, &c->ws.base);
    return 0;
}

static void gone(struct incoming *c)
{
    struct ws_server *s = c->server;
    if (s->loop->newborn == c)
        s->loop->newborn = NULL;
    handshake_ends(s, c);
    if (c->upgraded)
        ws_release(&c->ws);
    if (c->from_address != NULL && --*c->from_address == 0) {
        hash_map_remove(s->addresses, &c->address);
        free(c->from_address);
    }
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
        return answer_plain_http(c->server, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return upgraded(c, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        gone(c);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: // what an HTTP CONNECT turns into
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

static struct hash address_key(const struct sockaddr_storage *sa)
{
    if (sa->ss_family == AF_INET6) // a household's or a host's network: the first 64 bits
        return sha256((struct span){(const char *)&((const struct sockaddr_in6 *)sa)->sin6_addr, 8});
    return sha256((struct span){(const char *)&((const struct sockaddr_in *)sa)->sin_addr, 4});
}

static bool count_address(struct ws_server *s, struct incoming *c, const struct sockaddr_storage *sa)
{
    if (s->options.max_per_address == 0)
        return true;
    c->address = address_key(sa);
    size_t *count = hash_map_get(s->addresses, &c->address);
    if (count != NULL && *count >= s->options.max_per_address)
        return false;
    if (count == NULL) {
        count = mem_alloc(sizeof *count);
        hash_map_set(s->addresses, &c->address, count);
    }
    ++*count;
    c->from_address = count;
    return true;
}

static void name_peer(struct incoming *c, const struct sockaddr_storage *sa, socklen_t len)
{
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "0";
    getnameinfo((const struct sockaddr *)sa, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(c->peer, sizeof c->peer, sa->ss_family == AF_INET6 ? "[%s]:%.5s" : "%s:%.5s", host, port);
}

static void admit(struct ws_server *s, int fd, const struct sockaddr_storage *sa, socklen_t len)
{
    struct incoming *c = mem_alloc(sizeof *c);
    c->server = s;
    name_peer(c, sa, len);
    if (s->stats.connections >= s->options.max_connections || !count_address(s, c, sa)) {
        s->stats.refused_limit++;
        tell_refused(c, "limit");
        close(fd);
        free(c);
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
        struct sockaddr_storage sa;
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
    for (size_t i = 0; i < s->sockets.count; i++) {
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
    if (s->sockets.wildcard && s->options.hosts == NULL && !s->options.any_host)
        return error_set(e, STATUS_INVALID, "HOSTS-MISSING",
                         "a listener on every address needs the names it is reached by");
    if (s->loop->server == NULL)
        s->loop->server = loop_create_vhost(s->loop, "server", server_callback, true, NULL);
    if (s->loop->server == NULL)
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the listener cannot be created");
    struct buf url = {0};
    buf_add_text(&url, "ws://");
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
    while (s->oldest != NULL) {
        struct incoming *c = s->oldest;
        handshake_ends(s, c);
        ws_kill(c->ws.wsi);
    }
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
