// Random traffic on many sockets at once: the relay's books stay right and nothing is told twice. The sockets are made
// up; the seed is printed, and TANDEM_SEED=N runs one again.
#include "relay_testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/relay_message.h"

enum { SOCKETS = 24, LISTENERS = 3, STEPS = 30000 };

struct socket {            // the far end of one of the relay's sockets
    struct transport base; // first
    bool open, closing, paused, spare, ping, spliced;
    struct keys *keys; // whom it registers as
    size_t queued;
};

struct scene {
    struct bench bench;
    struct keys keys[LISTENERS];
    struct socket sockets[SOCKETS];
    unsigned random;
    unsigned registered, handovers;
};

static struct scene scene;

static unsigned draw(unsigned below)
{
    scene.random = scene.random * 1664525u + 1013904223u;
    return (scene.random >> 8) % below;
}

static void feed(struct socket *s, struct span text)
{
    if (s->open && !s->closing && !s->paused)
        s->base.events->message(s->base.ctx, true, text);
}

static void feed_message(struct socket *s, const struct relay_message *m)
{
    struct buf b = {0};
    relay_message_write(m, &b);
    feed(s, buf_span(&b));
    buf_free(&b);
}

static void answer_challenge(struct socket *s, const struct relay_message *m)
{
    struct relay_message answer = {.command = RELAY_AUTHENTICATION_RESPONSE};
    struct public_key relay;
    assert_true(relay_key(&m->first, &relay));
    assert_int_equal(relay_answer(&m->second, &relay, &s->keys->secret, &answer.first, NULL), STATUS_OK);
    if (draw(10) == 0)
        answer.first.data[50] ^= 1;
    feed_message(s, &answer);
    relay_message_free(&answer);
}

static void op_send(struct transport *t, bool text, struct span payload)
{
    struct socket *s = (struct socket *)t;
    struct relay_message m = {0};
    assert_true(s->open && !s->closing);
    s->queued += payload.len;
    if (s->spliced || !text || relay_message_parse(payload, &m, NULL) != STATUS_OK)
        return;
    scene.registered += m.command == RELAY_AUTHENTICATION_SUCCESS;
    s->spare |= m.command == RELAY_AUTHENTICATION_SUCCESS;
    s->ping |= m.command == RELAY_PING;
    if (m.command == RELAY_CONNECTION_HANDOVER) {
        assert_true(s->spare);
        s->spare = false;
        s->spliced = true;
        scene.handovers++;
    }
    if (m.command == RELAY_AUTHENTICATION_REQUEST)
        answer_challenge(s, &m);
    relay_message_free(&m);
}

static void op_close(struct transport *t, const char *reason)
{
    struct socket *s = (struct socket *)t;
    assert_true(s->open && !s->closing);
    assert_true(strlen(reason) <= 123);
    s->closing = true;
}

static void op_pause(struct transport *t, bool paused)
{
    ((struct socket *)t)->paused = paused;
}

static size_t op_queued(const struct transport *t)
{
    return ((const struct socket *)t)->queued;
}

static void op_wake_at(struct transport *t, uint64_t ms)
{
    (void)t, (void)ms;
}

static const struct transport_ops ops = {op_send, op_close, op_pause, op_queued, op_wake_at};

static void open_socket(struct socket *s)
{
    if (s->open)
        return;
    *s = (struct socket){.base = {.ops = &ops, .url = "made up"}, .open = true, .keys = &scene.keys[draw(LISTENERS)]};
    relay_accept(scene.bench.relay, &s->base);
}

static void end_socket(struct socket *s)
{
    if (!s->open)
        return;
    s->open = false;
    s->base.events->closed(s->base.ctx, draw(2) ? 1000 : 1006, draw(2) ? SPAN("some reason") : (struct span){"", 0});
}

static void request_somebody(struct socket *s)
{
    char *text = request_text(&scene.bench.alice, &scene.keys[draw(LISTENERS)]);
    feed(s, span_of(text));
    free(text);
}

static void say_anything(struct socket *s)
{
    static const char *const texts[] = {"hello",
                                        "{}",
                                        "{\"command\":\"ping\"}",
                                        "{\"command\":\"comm_pong\"}",
                                        "",
                                        "{\"command\":\"register\",\"publicKey\":\"00\"}"};
    feed(s, span_of(texts[draw(sizeof texts / sizeof texts[0])]));
}

static void register_socket(struct socket *s)
{
    if (!s->open)
        return;
    char *text = register_text(s->keys);
    feed(s, span_of(text));
    free(text);
}

static void pong(struct socket *s)
{
    if (s->ping)
        feed(s, SPAN("{\"command\":\"pong\"}"));
    s->ping = false;
}

static void drain(struct socket *s)
{
    if (!s->open || s->closing)
        return;
    s->queued = 0;
    s->base.events->drained(s->base.ctx);
}

static void a_lot(struct socket *s)
{
    static char bytes[70000];
    feed(s, (struct span){bytes, sizeof bytes});
}

static void step(void)
{
    static void (*const actions[])(struct socket *) = {
        open_socket,      open_socket,  register_socket, register_socket, pong,
        request_somebody, say_anything, end_socket,      drain,           a_lot};
    actions[draw(sizeof actions / sizeof actions[0])](&scene.sockets[draw(SOCKETS)]);
    for (int i = 0; i < SOCKETS; i++) {
        if (scene.sockets[i].closing && draw(3) == 0)
            end_socket(&scene.sockets[i]);
    }
}

static void check_books(void)
{
    struct relay_stats st = relay_stats(scene.bench.relay);
    size_t spares = 0;
    for (int i = 0; i < SOCKETS; i++)
        spares += scene.sockets[i].open && !scene.sockets[i].closing && scene.sockets[i].spare;
    assert_int_equal(st.spares, spares);
    assert_int_equal(st.registrations, scene.registered);
    assert_int_equal(st.handovers, scene.handovers);
    assert_true(st.keys <= LISTENERS && st.splices <= SOCKETS / 2);
}

static void the_books_stay_right(void **state)
{
    (void)state;
    const char *given = getenv("TANDEM_SEED");
    scene.random = given != NULL ? (unsigned)atoi(given) : (unsigned)time(NULL);
    print_message("seed %u\n", scene.random);
    bench_open(&scene.bench, &(struct relay_options){.ping_interval_ms = 5, .pong_timeout_ms = 20, .first_ms = 200});
    for (int i = 0; i < LISTENERS; i++)
        box_keypair(&scene.keys[i].public_key, &scene.keys[i].secret);
    for (int i = 0; i < STEPS; i++) {
        step();
        check_books();
        if (i % 50 == 0)
            run_for(scene.bench.loop, 5); // deadlines pass
    }
    for (int i = 0; i < SOCKETS; i++)
        end_socket(&scene.sockets[i]);
    struct relay_stats st = relay_stats(scene.bench.relay);
    assert_int_equal(st.spares + st.splices + st.keys, 0);
    print_message("%u handovers, %u timeouts\n", (unsigned)st.handovers, (unsigned)st.timeouts);
    assert_true(st.handovers > 50 && st.timeouts > 5);
    bench_close(&scene.bench);
    for (int i = 0; i < LISTENERS; i++)
        secret_destroy(&scene.keys[i].secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_books_stay_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
