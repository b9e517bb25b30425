// A spare is a socket of the relay until it is handed over: then it leaves the list and becomes the user's. Everything
// that tells the user comes last in its function, because the user may stop the client from there.
#include "net/relay_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "net/relay_message.h"

enum { SPARES = 2, RETRY_MS = 10000, RETRY_JITTER_MS = 2000, REGISTER_MS = 10000 };
enum { HANDOVERS = 32, HANDOVER_MS = 125 }; // so many are replaced at once, and one more each
enum { PONG_GRACE_MS = 4000, INTERVAL_MIN_MS = 500, INTERVAL_MAX_MS = 3600000 };

enum spare_state { SPARE_REGISTERING, SPARE_AUTHENTICATING, SPARE_WAITING, SPARE_HANDED_OVER };

struct spare {                   // one open socket to the relay
    struct relay_client *client; // NULL once it does not count any more
    struct spare *previous, *next;
    struct transport *transport;
    enum spare_state state;
    uint64_t ping_interval;
};

struct relay_client {
    struct loop *loop;
    struct ws_client *ws;
    char *url;
    const struct public_key *key;
    const struct secret *secret;
    const struct relay_client_events *events;
    void *ctx;
    struct ws_connect *dialling;
    struct spare *spares; // being registered, waiting, or just handed over
    struct loop_timer *retry;
    bool retry_pending;
    uint64_t replaced; // until then handovers count
    enum relay_state state;
    struct error why;
};

static void fill(struct relay_client *c);

static size_t count_waiting(const struct relay_client *c)
{
    size_t n = 0;
    for (const struct spare *s = c->spares; s != NULL; s = s->next)
        n += s->state == SPARE_WAITING;
    return n;
}

static bool is_registering(const struct relay_client *c)
{
    for (const struct spare *s = c->spares; s != NULL; s = s->next) {
        if (s->state < SPARE_WAITING)
            return true;
    }
    return c->dialling != NULL;
}

// May end with the client stopped by its user: call it last.
static void report(struct relay_client *c, bool failed)
{
    enum relay_state now = count_waiting(c) != 0 ? RELAY_LISTENING : RELAY_CONNECTING;
    if (now == c->state && !failed)
        return;
    if (now != c->state)
        LOG(LOG_INFO, "relay.state", LOG_TEXT("url", c->url),
            LOG_TEXT("state", now == RELAY_LISTENING ? "listening" : "connecting"));
    c->state = now;
    if (c->events->state != NULL)
        c->events->state(c->ctx, now, c->why.status != STATUS_OK ? &c->why : NULL);
}

static void retry_later(struct relay_client *c)
{
    uint16_t random;
    if (c->retry_pending)
        return;
    random_bytes(&random, sizeof random);
    c->retry_pending = true;
    loop_timer_set(c->retry, RETRY_MS + random % RETRY_JITTER_MS);
}

static void retry(void *ctx)
{
    struct relay_client *c = ctx;
    c->retry_pending = false;
    fill(c);
}

// The spare stops counting; its transport may still be closing.
static void leave(struct relay_client *c, struct spare *s)
{
    s->client = NULL;
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        c->spares = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
}

static void spare_failed(struct spare *s, const char *reason)
{
    struct relay_client *c = s->client;
    if (c == NULL)
        return;
    leave(c, s);
    error_set(&c->why, STATUS_CLOSED, "RELAY-LOST", "%s: %s", c->url, reason);
    LOG(LOG_INFO, "relay.lost", LOG_TEXT("code", c->why.code), LOG_TEXT("why", c->why.message));
    retry_later(c);
    report(c, true);
}

static void abandon(struct spare *s, const char *close_reason)
{
    struct transport *t = s->transport;
    spare_failed(s, close_reason);
    transport_wake_at(t, 0);
    transport_close(t, close_reason);
}

static void abandon_error(struct spare *s, const char *what)
{
    struct buf b = {0};
    buf_printf(&b, "Close called: Error: %s", what);
    abandon(s, buf_cstr(&b));
    buf_free(&b);
}

static void send_message(struct spare *s, const struct relay_message *m)
{
    struct buf text = {0};
    relay_message_write(m, &text);
    transport_send(s->transport, true, buf_span(&text));
    buf_free(&text);
}

static void wake_in(struct spare *s, uint64_t ms)
{
    transport_wake_at(s->transport, ms != 0 ? loop_now(s->client->loop) + ms : 0);
}

static void challenged(struct spare *s, const struct relay_message *m)
{
    struct relay_message answer = {.command = RELAY_AUTHENTICATION_RESPONSE};
    struct public_key relay;
    struct error e = {0};
    if (!relay_key(&m->first, &relay))
        error_set(&e, STATUS_INVALID, "CYENC-ENSPUB", "Data is not a public key");
    else
        relay_answer(&m->second, &relay, s->client->secret, &answer.first, &e);
    if (e.status != STATUS_OK) {
        abandon_error(s, e.message);
        return;
    }
    send_message(s, &answer);
    relay_message_free(&answer);
    s->state = SPARE_AUTHENTICATING;
}

static void registered(struct spare *s, const struct relay_message *m)
{
    struct relay_client *c = s->client;
    uint64_t interval = m->ping_interval;
    interval = interval < INTERVAL_MIN_MS ? INTERVAL_MIN_MS : interval;
    s->ping_interval = interval > INTERVAL_MAX_MS ? INTERVAL_MAX_MS : interval;
    s->state = SPARE_WAITING;
    wake_in(s, s->ping_interval + PONG_GRACE_MS);
    error_clear(&c->why);
    if (!c->retry_pending)
        fill(c);
    report(c, false);
}

static void hand_over(struct spare *s, struct span request)
{
    struct relay_client *c = s->client;
    struct transport *t = s->transport;
    leave(c, s);
    free(s);
    transport_wake_at(t, 0);
    t->relayed = true;
    c->events->accepted(c->ctx, t, request);
}

// At once, unless there are handovers without end: each costs a socket until it is over.
static void replace(struct relay_client *c)
{
    enum { AHEAD_MS = HANDOVERS * HANDOVER_MS };
    uint64_t now = loop_now(c->loop);
    c->replaced = (c->replaced > now ? c->replaced : now) + HANDOVER_MS;
    if (c->replaced <= now + AHEAD_MS) {
        fill(c);
        return;
    }
    if (!c->retry_pending)
        loop_timer_set(c->retry, c->replaced - now - AHEAD_MS);
    c->retry_pending = true;
}

static void handed_over(struct spare *s)
{
    s->state = SPARE_HANDED_OVER;
    wake_in(s, REGISTER_MS);
    replace(s->client);
    report(s->client, false);
}

static void pinged(struct spare *s)
{
    send_message(s, &(struct relay_message){.command = RELAY_PONG});
    wake_in(s, s->ping_interval + PONG_GRACE_MS);
}

static void unexpected(struct spare *s, enum relay_command got, enum relay_command wanted)
{
    struct buf b = {0};
    buf_printf(&b, "Received unexpected type '%s'. Expected type '%s'.", relay_command_name(got),
               relay_command_name(wanted));
    abandon_error(s, buf_cstr(&b));
    buf_free(&b);
}

static void handle(struct spare *s, const struct relay_message *m, struct span text)
{
    static const enum relay_command wanted[] = {
        [SPARE_REGISTERING] = RELAY_AUTHENTICATION_REQUEST,
        [SPARE_AUTHENTICATING] = RELAY_AUTHENTICATION_SUCCESS,
        [SPARE_HANDED_OVER] = RELAY_COMMUNICATION_REQUEST,
    };
    if (s->state == SPARE_WAITING) {
        if (m->command == RELAY_PING)
            pinged(s);
        else if (m->command == RELAY_CONNECTION_HANDOVER)
            handed_over(s);
        else
            unexpected(s, m->command, RELAY_CONNECTION_HANDOVER);
    } else if (m->command != wanted[s->state]) {
        unexpected(s, m->command, wanted[s->state]);
    } else if (s->state == SPARE_REGISTERING) {
        challenged(s, m);
    } else if (s->state == SPARE_AUTHENTICATING) {
        registered(s, m);
    } else {
        hand_over(s, text);
    }
}

static void on_message(void *ctx, bool text, struct span payload)
{
    struct spare *s = ctx;
    struct relay_message m = {0};
    if (s->client == NULL)
        return;
    if (!text || payload.len > RELAY_MESSAGE_MAX || relay_message_parse(payload, &m, NULL) != STATUS_OK)
        abandon_error(s, "Received a malformed message from the relay.");
    else
        handle(s, &m, payload);
    relay_message_free(&m);
}

static void on_closed(void *ctx, int code, struct span reason)
{
    struct spare *s = ctx;
    char *text = mem_text(reason);
    (void)code;
    spare_failed(s, text[0] != '\0' ? text : "the connection was lost");
    free(text);
    free(s);
}

static void on_drained(void *ctx)
{
    (void)ctx; // a spare sends little
}

static void on_time(void *ctx)
{
    struct spare *s = ctx;
    if (s->client != NULL)
        abandon(s, s->state == SPARE_WAITING ? "Terminate called: Pong: Connection timed out"
                                             : "Close called: Error: The relay did not answer in time.");
}

static const struct transport_events spare_events = {on_message, on_closed, on_drained, on_time};

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct relay_client *c = ctx;
    c->dialling = NULL;
    if (t == NULL) {
        c->why = *why;
        LOG(LOG_WARN, "relay.unreachable", LOG_TEXT("url", c->url), LOG_TEXT("why", why->message));
        retry_later(c);
        report(c, true);
        return;
    }
    struct spare *s = mem_alloc(sizeof *s);
    s->client = c;
    s->transport = t;
    s->next = c->spares;
    if (s->next != NULL)
        s->next->previous = s;
    c->spares = s;
    transport_use(t, &spare_events, s);
    wake_in(s, REGISTER_MS);
    struct relay_message m = {.command = RELAY_REGISTER};
    buf_add(&m.first, c->key->b, sizeof c->key->b);
    send_message(s, &m);
    relay_message_free(&m);
}

// Opens the next spare socket, if one is missing and none is on its way.
static void fill(struct relay_client *c)
{
    if (is_registering(c) || count_waiting(c) >= SPARES)
        return;
    c->dialling = ws_client_connect(c->ws, c->url, 0, 0, dialled, c, NULL);
}

struct relay_client *relay_client_start(struct loop *l, struct ws_client *ws, const char *url,
                                        const struct public_key *key, const struct secret *secret,
                                        const struct relay_client_events *events, void *ctx, struct error *e)
{
    struct ws_url checked;
    if (ws_url_parse(url, &checked, e) != STATUS_OK)
        return NULL;
    struct relay_client *c = mem_alloc(sizeof *c);
    c->loop = l;
    c->ws = ws;
    c->url = mem_text(span_of(url));
    c->key = key;
    c->secret = secret;
    c->events = events;
    c->ctx = ctx;
    c->state = RELAY_CONNECTING;
    c->retry = loop_timer_create(l, retry, c);
    fill(c);
    return c;
}

void relay_client_stop(struct relay_client *c)
{
    if (c == NULL)
        return;
    if (c->dialling != NULL)
        ws_connect_cancel(c->dialling);
    while (c->spares != NULL) {
        struct spare *s = c->spares;
        leave(c, s);
        transport_wake_at(s->transport, 0);
        transport_close(s->transport, "Close called.");
    }
    loop_timer_destroy(c->retry);
    free(c->url);
    free(c);
}

enum relay_state relay_client_state(const struct relay_client *c)
{
    return c->state;
}

const char *relay_client_url(const struct relay_client *c)
{
    return c->url;
}

size_t relay_client_spares(const struct relay_client *c)
{
    return count_waiting(c);
}
