// A listener and a requester that meet through a relay, to try our relay client against the reference's communication
// server.
//
//   relay-peer RELAY-URL
//
// Registers, is requested three times, exchanges texts and bytes, closes, and waits until the spares are pinged once.
// Prints JSON lines; exit code 0 when all of it happened.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/relay_client.h"
#include "net/relay_message.h"

enum { ROUNDS = 3, PING_SOON_MS = 27000, SPARES = 2 };

struct program {
    struct loop *loop;
    struct ws_client *dialler;
    struct relay_client *relay;
    const char *url;
    struct public_key key;
    struct secret secret;
    struct transport *listener, *requester;
    int round;
    bool failed;
};

static void say(const char *event, const char *detail)
{
    printf("{\"event\":\"%s\",\"detail\":\"%s\"}\n", event, detail);
    fflush(stdout);
}

static void fail(struct program *p, const char *why)
{
    say("failed", why);
    p->failed = true;
    loop_stop(p->loop);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void request(struct program *p);

static void requester_message(void *ctx, bool text, struct span payload)
{
    struct program *p = ctx;
    if (!text || !span_eq(payload, SPAN("{\"command\":\"communication_ready\"}")))
        fail(p, "the listener's first message did not arrive as it was sent");
    p->requester->ops->send(p->requester, false, SPAN("\0\1\2"));
}

static void requester_closed(void *ctx, int code, struct span reason)
{
    struct program *p = ctx;
    p->requester = NULL;
    if (code != 1000 || !span_eq(reason, SPAN("Close called: enough")))
        fail(p, "the listener's reason did not arrive");
    else if (++p->round < ROUNDS)
        request(p);
    say("round", "done");
}

static const struct transport_events requester_events = {requester_message, requester_closed, nothing, nothing};

static void listener_message(void *ctx, bool text, struct span payload)
{
    struct program *p = ctx;
    if (text || payload.len != 3)
        fail(p, "the requester's bytes did not arrive as they were sent");
    p->listener->ops->close(p->listener, "Close called: enough");
}

static void listener_closed(void *ctx, int code, struct span reason)
{
    (void)ctx, (void)code, (void)reason;
}

static const struct transport_events listener_events = {listener_message, listener_closed, nothing, nothing};

static void accepted(void *ctx, struct transport *t, struct span first)
{
    struct program *p = ctx;
    struct relay_message m;
    if (relay_message_parse(first, &m, NULL) != STATUS_OK || m.command != RELAY_COMMUNICATION_REQUEST)
        fail(p, "the request did not arrive");
    relay_message_free(&m);
    p->listener = t;
    transport_use(t, &listener_events, p);
    t->ops->send(t, true, SPAN("{\"command\":\"communication_ready\"}"));
}

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct program *p = ctx;
    if (t == NULL) {
        fail(p, why->message);
        return;
    }
    struct buf text = {0}, key = {.data = (char *)p->key.b, .len = BOX_KEY};
    p->requester = t;
    transport_use(t, &requester_events, p);
    relay_message_write(&(struct relay_message){.command = RELAY_COMMUNICATION_REQUEST, .first = key, .second = key},
                        &text);
    t->ops->send(t, true, buf_span(&text));
    buf_free(&text);
}

static void request(struct program *p)
{
    ws_client_connect(p->dialler, p->url, 0, 0, dialled, p, NULL);
}

static void state(void *ctx, enum relay_state now, const struct error *why)
{
    struct program *p = ctx;
    say(now == RELAY_LISTENING ? "listening" : "connecting", why != NULL ? why->message : "");
    if (why != NULL)
        fail(p, why->message);
    else if (now == RELAY_LISTENING && p->round == 0 && p->requester == NULL)
        request(p);
}

static const struct relay_client_events relay_events = {accepted, state};

// After the first ping was due the spares must still be there.
static void look(void *ctx)
{
    struct program *p = ctx;
    if (p->round != ROUNDS || relay_client_spares(p->relay) != SPARES)
        fail(p, "not all rounds were run, or spares are missing");
    loop_stop(p->loop);
}

int main(int argc, char **argv)
{
    struct program p = {.url = argc > 1 ? argv[1] : ""};
    struct error e = {0};
    crypto_init();
    p.loop = loop_create(NULL, &e);
    if (p.loop == NULL)
        return 1;
    p.dialler = ws_client_create(p.loop, NULL, NULL);
    box_keypair(&p.key, &p.secret);
    p.relay = relay_client_start(p.loop, p.dialler, p.url, &p.key, &p.secret, &relay_events, &p, &e);
    if (p.relay == NULL) {
        fprintf(stderr, "usage: relay-peer RELAY-URL\n");
        return 2;
    }
    struct loop_timer *timer = loop_timer_create(p.loop, look, &p);
    loop_timer_set(timer, PING_SOON_MS);
    loop_run(p.loop);
    loop_timer_destroy(timer);
    relay_client_stop(p.relay);
    ws_client_destroy(p.dialler);
    loop_destroy(p.loop);
    secret_destroy(&p.secret);
    return p.failed ? 1 : 0;
}
