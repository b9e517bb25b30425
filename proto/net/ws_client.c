// The addresses of a name are tried one behind the other. What a failure says is kept only if it says more than the one
// before (weight). libwebsockets may destroy a socket within any of its calls, so what follows from a failure runs from
// the timer step.
#include "net/ws_client.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/address.h"
#include "net/resolve.h"
#include "net/ws.h"

struct outgoing { // one socket on its way, then open
    struct ws ws;
    struct ws_connect *attempt; // NULL once it succeeded or was given up
    bool connected;             // TCP
    bool requested;             // the upgrade request went out, so TLS stands
    bool opened;
    unsigned http_status; // of an answer, or 0
    int certificate;      // X509_V_…
};

struct ws_connect {
    struct ws_client *client;
    uint64_t id;
    struct ws_connect *previous, *next; // of the client
    struct ws_url url;
    char *text; // the URL as given
    struct resolution *resolution;
    struct addresses addresses;
    size_t tried;
    struct outgoing *socket; // the one being tried
    struct loop_timer step;  // the next address is due, or the last one's time is over
    uint64_t deadline;
    size_t message_limit;
    struct error why; // the most telling failure so far
    ws_client_done done;
    bool (*may_try)(void *ctx, const char *address, uint16_t port);
    void *ctx;
};

struct ws_client {
    struct loop *loop;
    struct pool *pool;
    char *ca_file;
    struct lws_vhost *tls; // made with the first wss connection: it costs 2 MB
    struct ws_connect *attempts;
};

// The most telling failure is kept: that nothing listens says less than that something silent or strange does.
static int weight(const struct error *e)
{
    if (e->status == STATUS_OK)
        return 0;
    if (strcmp(e->code, "UNREACHABLE") == 0)
        return 1;
    return strcmp(e->code, "TIMEOUT") == 0 ? 2 : 3;
}

static void note_failure(struct ws_connect *a, const struct error *why)
{
    if (weight(why) >= weight(&a->why))
        a->why = *why;
}

static void explain(const struct outgoing *o, const struct ws_connect *a, struct error *why)
{
    if (!o->connected)
        error_set(why, STATUS_IO, "UNREACHABLE", "nothing listens at %s", a->text);
    else if (a->url.tls && !o->requested && o->certificate != X509_V_OK)
        error_set(why, STATUS_REFUSED, "TLS-FAILED", "the certificate of %s is not valid: %s", a->text,
                  X509_verify_cert_error_string(o->certificate));
    else if (a->url.tls && !o->requested)
        error_set(why, STATUS_REFUSED, "TLS-FAILED", "%s does not answer with TLS", a->text);
    else if (o->http_status != 0)
        error_set(why, STATUS_REFUSED, "NOT-A-NODE", "%s answers as an HTTP server (status %u), not as a node", a->text,
                  o->http_status);
    else
        error_set(why, STATUS_REFUSED, "NOT-A-NODE", "%s does not answer as a WebSocket", a->text);
}

static void explain_timeout(const struct ws_connect *a, struct error *why)
{
    const char *did = a->socket == NULL      ? "cannot be looked up in time"
                      : a->socket->connected ? "accepts connections but stays silent"
                                             : "does not answer";
    error_set(why, STATUS_TIMEOUT, "TIMEOUT", "%s %s", a->text, did);
}

static void release(struct ws_connect *a)
{
    *(a->previous != NULL ? &a->previous->next : &a->client->attempts) = a->next;
    if (a->next != NULL)
        a->next->previous = a->previous;
    loop_timer_cancel(&a->step);
    resolve_cancel(a->resolution);
    free(a->text);
    free(a);
}

static void finish(struct ws_connect *a, struct transport *t)
{
    struct error why = a->why;
    ws_client_done done = a->done;
    void *ctx = a->ctx;
    release(a);
    done(ctx, t, t != NULL ? NULL : &why);
}

// The socket failed; what follows runs from the loop, not from within libwebsockets' callback.
static void socket_failed(struct outgoing *o)
{
    struct ws_connect *a = o->attempt;
    struct error why;
    if (a == NULL)
        return;
    explain(o, a, &why);
    note_failure(a, &why);
    o->attempt = NULL;
    a->socket = NULL;
    loop_timer_set(&a->step, 0);
}

static int socket_opened(struct outgoing *o, struct lws *wsi)
{
    struct ws_connect *a = o->attempt;
    if (a == NULL)
        return -1;
    o->opened = true;
    o->attempt = NULL;
    o->ws.masks = true;
    ws_open(&o->ws, a->client->loop, wsi, a->text, a->message_limit);
    o->ws.base.id = a->id;
    finish(a, &o->ws.base);
    return 0;
}

static void socket_gone(struct outgoing *o, struct lws *wsi)
{
    struct loop *l = lws_context_user(lws_get_context(wsi));
    if (l->newborn == o)
        l->newborn = NULL;
    socket_failed(o);
    if (o->opened)
        ws_release(&o->ws);
    free(o);
}

static int client_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct outgoing *o = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_WSI_CREATE: // for a client: TCP is connected
        o->connected = true;
        return 0;
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        if (len == 0) // not verified so far; user is the verification's context
            o->certificate = X509_STORE_CTX_get_error(user);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        o->requested = true;
        return 0;
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        o->http_status = lws_http_client_http_response(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        socket_failed(o);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        return socket_opened(o, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        socket_gone(o, wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLIENT_CLOSED:
        return o->opened ? ws_event(&o->ws, reason, in, len) : 0;
    default:
        return 0;
    }
}

static struct lws_vhost *vhost_for(struct ws_client *c, bool tls)
{
    struct loop *l = c->loop;
    if (!tls) {
        if (l->client == NULL)
            l->client = loop_create_vhost(l, "client", client_callback, false, NULL);
        return l->client;
    }
    if (c->tls == NULL) {
        struct lws_context_creation_info info = {.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
                                                 .client_ssl_ca_filepath = c->ca_file};
        c->tls = loop_create_vhost(l, "client", client_callback, false, &info);
        if (c->tls != NULL && lws_init_vhost_client_ssl(&info, c->tls) != 0)
            c->tls = NULL;
    }
    return c->tls;
}

static void write_host_header(const struct ws_url *u, struct buf *out)
{
    enum { PORT_HTTP = 80, PORT_HTTPS = 443 };
    if (u->port != (u->tls ? PORT_HTTPS : PORT_HTTP))
        address_write(u->host, u->port, out);
    else
        buf_printf(out, strchr(u->host, ':') != NULL ? "[%s]" : "%s", u->host);
}

static void try_address(struct ws_connect *a, const char *address, struct lws_vhost *vhost)
{
    static const lws_retry_bo_t no_pings;
    struct loop *l = a->client->loop;
    struct outgoing *o = mem_alloc(sizeof *o);
    struct buf host = {0};
    o->attempt = a;
    a->socket = o;
    write_host_header(&a->url, &host);
    struct lws_client_connect_info info = {
        .context = l->context,
        .vhost = vhost,
        .address = address,
        .port = a->url.port,
        .path = a->url.path,
        .host = buf_cstr(&host),
        .local_protocol_name = "client",
        .alpn = "http/1.1",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (a->url.tls ? LCCSCF_USE_SSL : 0),
        .ietf_version_or_minus_one = -1,
        .retry_and_idle_policy = &no_pings,
        .opaque_user_data = o,
    };
    l->newborn = o;
    struct lws *wsi = lws_client_connect_via_info(&info);
    if (wsi != NULL) {
        o->ws.wsi = wsi;
    } else if (l->newborn != NULL) { // it never was a socket of libwebsockets
        socket_failed(o);
        free(o);
    }
    l->newborn = NULL;
    buf_free(&host);
}

static void give_up_socket(struct ws_connect *a)
{
    if (a->socket == NULL)
        return;
    a->socket->attempt = NULL;
    ws_kill(a->socket->ws.wsi);
    a->socket = NULL;
}

// Each address still to be tried gets an equal share of the time left.
static void try_next(struct ws_connect *a)
{
    uint64_t now = loop_now(a->client->loop);
    struct lws_vhost *vhost = vhost_for(a->client, a->url.tls);
    if (vhost == NULL) {
        error_set(&a->why, STATUS_IO, "TLS-FAILED", "TLS cannot be used; is the file of authorities readable?");
        finish(a, NULL);
        return;
    }
    if (a->tried == a->addresses.count || now >= a->deadline) {
        finish(a, NULL);
        return;
    }
    loop_timer_set(&a->step, (a->deadline - now) / (a->addresses.count - a->tried));
    try_address(a, a->addresses.text[a->tried++], vhost);
}

static void step(void *ctx)
{
    struct ws_connect *a = ctx;
    struct error why;
    bool waiting = a->socket != NULL || a->resolution != NULL;
    if (waiting) {
        explain_timeout(a, &why);
        note_failure(a, &why);
    }
    if (a->resolution != NULL && a->may_try != NULL)
        return; // it keeps its turn as long as it keeps a thread
    give_up_socket(a);
    try_next(a);
}

static void drop_guarded(struct ws_connect *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->addresses.count; i++) {
        if (a->may_try(a->ctx, a->addresses.text[i], a->url.port))
            memmove(a->addresses.text[kept++], a->addresses.text[i], sizeof a->addresses.text[0]);
    }
    if (kept == 0)
        error_set(&a->why, STATUS_REFUSED, "UNREACHABLE", "%s leads to where this peer may not lead us", a->url.host);
    a->addresses.count = kept;
}

static void resolved(void *ctx, const struct addresses *found, const char *reason)
{
    struct ws_connect *a = ctx;
    a->resolution = NULL;
    a->addresses = *found;
    if (found->count != 0 && a->may_try != NULL)
        drop_guarded(a);
    if (found->count == 0)
        error_set(&a->why, STATUS_NOT_FOUND, "UNREACHABLE", "%s cannot be resolved: %s", a->url.host, reason);
    try_next(a);
}

static void start(struct ws_connect *a, uint64_t timeout_ms)
{
    a->deadline = loop_now(a->client->loop) + timeout_ms;
    a->step = LOOP_TIMER(a->client->loop, step, a);
    if (resolve_known(a->url.host, &a->addresses)) {
        loop_timer_set(&a->step, 0);
        return;
    }
    a->resolution = resolve_start(a->client->pool, a->url.host, resolved, a);
    if (a->resolution == NULL)
        error_set(&a->why, STATUS_FULL, "UNREACHABLE", "%s cannot be resolved now", a->url.host);
    loop_timer_set(&a->step, a->resolution != NULL ? timeout_ms : 0);
}

struct ws_connect *ws_client_connect(struct ws_client *c, const char *url, uint64_t timeout_ms, size_t message_limit,
                                     ws_client_done done, void *ctx, struct error *e)
{
    struct ws_url parsed;
    if (ws_url_parse(url, &parsed, e) != STATUS_OK)
        return NULL;
    struct ws_connect *a = mem_alloc(sizeof *a);
    a->client = c;
    a->id = transport_new_id();
    a->url = parsed;
    a->text = mem_text(span_of(url));
    a->message_limit = message_limit;
    a->done = done;
    a->ctx = ctx;
    a->next = c->attempts;
    if (a->next != NULL)
        a->next->previous = a;
    c->attempts = a;
    start(a, timeout_ms != 0 ? timeout_ms : WS_CLIENT_TIMEOUT_MS);
    return a;
}

void ws_connect_guard(struct ws_connect *a, bool (*may_try)(void *ctx, const char *address, uint16_t port))
{
    a->may_try = may_try;
}

uint64_t ws_connect_id(const struct ws_connect *a)
{
    return a->id;
}

void ws_connect_cancel(struct ws_connect *a)
{
    give_up_socket(a);
    release(a);
}

struct ws_client *ws_client_create(struct loop *l, struct pool *pool, const char *ca_file)
{
    struct ws_client *c = mem_alloc(sizeof *c);
    c->loop = l;
    c->pool = pool;
    c->ca_file = ca_file != NULL ? mem_text(span_of(ca_file)) : NULL;
    return c;
}

void ws_client_destroy(struct ws_client *c)
{
    if (c == NULL)
        return;
    while (c->attempts != NULL)
        ws_connect_cancel(c->attempts);
    free(c->ca_file);
    free(c);
}
