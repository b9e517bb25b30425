#include "relay_testing.h"

#include <stdlib.h>
#include <string.h>

#define HANDOVER "{\"command\":\"connection_handover\"}"
#define PING "{\"command\":\"ping\"}"
#define PONG "{\"command\":\"pong\"}"
#define NOBODY "Close called: No listening connection for the specified publicKey."

struct splice {
    struct user requester, listener;
};

static void open_splice(struct bench *b, struct splice *s)
{
    char *request = request_text(&b->alice, &b->bob);
    user_dial(b, &s->listener);
    user_register(&s->listener, &b->bob);
    user_dial(b, &s->requester);
    user_send(&s->requester, request);
    user_expect(&s->listener, HANDOVER);
    user_expect(&s->listener, request);
    free(request);
}

static void free_splice(struct splice *s)
{
    user_free(&s->requester);
    user_free(&s->listener);
}

static void messages_are_mirrored_as_they_are(void **state)
{
    (void)state;
    struct bench b;
    struct splice s;
    bench_open(&b, NULL);
    open_splice(&b, &s);
    user_send(&s.listener, "{\"command\":\"communication_ready\"}");
    user_expect(&s.requester, "{\"command\":\"communication_ready\"}");
    assert_true(s.requester.text[0]);
    user_send_bytes(&s.requester, SPAN("\0\xff binary"));
    user_next(&s.listener);
    assert_false(s.listener.text[s.listener.read - 1]);
    assert_memory_equal(s.listener.messages[s.listener.read - 1].data, "\0\xff binary", 9);
    char *big = calloc(1, 200001);
    memset(big, 'b', 200000);
    user_send(&s.requester, big);
    user_expect(&s.listener, big);
    user_send(&s.listener, "");
    user_expect(&s.requester, "");
    user_send(&s.listener, "{\"command\":\"register\"}"); // no longer the relay's business
    user_expect(&s.requester, "{\"command\":\"register\"}");
    struct relay_stats st = relay_stats(b.relay);
    assert_int_equal(st.splices, 1);
    assert_int_equal(st.spares, 0);
    assert_int_equal(st.keys, 0);
    assert_int_equal(st.messages, 5);
    free(big);
    free_splice(&s);
    assert_int_equal(relay_stats(b.relay).splices, 0);
    bench_close(&b);
}

static void closing_reaches_the_other_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bench b;
        struct splice s;
        bench_open(&b, NULL);
        open_splice(&b, &s);
        struct user *closes = i ? &s.listener : &s.requester, *other = i ? &s.requester : &s.listener;
        user_send(closes, "last words");
        closes->transport->ops->close(closes->transport, "my own reason");
        user_expect(other, "last words");
        user_expect_close(other, "my own reason");
        free_splice(&s);
        bench_close(&b);
    }
}

static void the_newest_spare_is_taken_first(void **state)
{
    (void)state;
    struct bench b;
    struct user first, second, requester, another, third;
    bench_open(&b, NULL);
    char *request = request_text(&b.alice, &b.bob);
    user_dial(&b, &first);
    user_register(&first, &b.bob);
    user_dial(&b, &second);
    user_register(&second, &b.bob);
    user_dial(&b, &requester);
    user_send(&requester, request);
    user_expect(&second, HANDOVER);
    user_dial(&b, &another);
    user_send(&another, request);
    user_expect(&first, HANDOVER);
    user_dial(&b, &third);
    user_send(&third, request);
    user_expect_close(&third, NOBODY);
    assert_int_equal(relay_stats(b.relay).unanswered, 1);
    free(request);
    struct user *const all[] = {&first, &second, &requester, &another, &third};
    for (int i = 0; i < 5; i++)
        user_free(all[i]);
    bench_close(&b);
}

static void a_closed_spare_is_forgotten(void **state)
{
    (void)state;
    struct bench b;
    struct user spares[3], requester;
    bench_open(&b, NULL);
    char *request = request_text(&b.alice, &b.bob);
    for (int i = 0; i < 3; i++) {
        user_dial(&b, &spares[i]);
        user_register(&spares[i], &b.bob);
    }
    user_free(&spares[1]);
    user_free(&spares[2]);
    assert_int_equal(relay_stats(b.relay).spares, 1);
    user_dial(&b, &requester);
    user_send(&requester, request);
    user_expect(&spares[0], HANDOVER);
    user_free(&requester);
    user_free(&spares[0]);
    free(request);
    bench_close(&b);
}

static void spares_are_pinged(void **state)
{
    (void)state;
    struct bench b;
    struct user spare;
    bench_open(&b, &(struct relay_options){.ping_interval_ms = 100, .pong_timeout_ms = 1000});
    user_dial(&b, &spare);
    uint64_t begun = loop_now(b.loop);
    user_register(&spare, &b.bob);
    for (int i = 0; i < 3; i++) {
        user_expect(&spare, PING);
        user_send(&spare, " {\"x\":1, \"command\" : \"pong\"}");
    }
    assert_true(loop_now(b.loop) - begun >= 300);
    user_expect(&spare, PING);
    user_expect_close(&spare, "Terminate called: Ping: Connection timed out");
    assert_int_equal(relay_stats(b.relay).timeouts, 1);
    user_free(&spare);
    bench_close(&b);
}

static void a_request_waits_for_an_outstanding_pong(void **state)
{
    (void)state;
    struct bench b;
    struct user spare, requester;
    bench_open(&b, &(struct relay_options){.ping_interval_ms = 50, .pong_timeout_ms = 5000});
    char *request = request_text(&b.alice, &b.bob);
    user_dial(&b, &spare);
    user_register(&spare, &b.bob);
    user_expect(&spare, PING);
    user_dial(&b, &requester);
    user_send(&requester, request);
    user_send(&requester, "early"); // is not lost
    run_for(b.loop, 50);
    assert_int_equal(spare.count, spare.read);
    user_send(&spare, PONG);
    user_expect(&spare, HANDOVER);
    user_expect(&spare, request);
    user_expect(&spare, "early");
    free(request);
    user_free(&requester);
    user_free(&spare);
    bench_close(&b);
}

static void a_missing_pong_sends_the_requester_to_the_next_spare(void **state)
{
    (void)state;
    struct bench b;
    struct user good, silent, requester, late;
    bench_open(&b, &(struct relay_options){.ping_interval_ms = 200, .pong_timeout_ms = 1000});
    char *request = request_text(&b.alice, &b.bob);
    user_dial(&b, &good);
    user_register(&good, &b.bob);
    good.pongs = true;
    user_dial(&b, &silent);
    user_register(&silent, &b.bob);
    user_expect(&silent, PING);
    user_dial(&b, &requester);
    user_send(&requester, request);
    user_expect_close(&silent, "Terminate called: Ping: Connection timed out");
    user_expect(&good, HANDOVER);
    user_dial(&b, &late);
    user_send(&late, request);
    user_expect_close(&late, NOBODY);
    free(request);
    user_free(&late);
    user_free(&requester);
    user_free(&silent);
    user_free(&good);
    bench_close(&b);
}

static void a_parked_requester_may_leave(void **state)
{
    (void)state;
    struct bench b;
    struct user spare, requester, second;
    bench_open(&b, &(struct relay_options){.ping_interval_ms = 50, .pong_timeout_ms = 5000});
    char *request = request_text(&b.alice, &b.bob);
    user_dial(&b, &spare);
    user_register(&spare, &b.bob);
    user_expect(&spare, PING);
    user_dial(&b, &requester);
    user_send(&requester, request);
    run_for(b.loop, 20);
    user_dial(&b, &second);
    user_send(&second, request); // the only spare is spoken for
    user_expect_close(&second, NOBODY);
    requester.transport->ops->close(requester.transport, "no patience");
    user_send(&spare, PONG);
    user_free(&requester);
    user_free(&second);
    free(request);
    user_free(&spare);
    bench_close(&b);
}

static void strange_messages_on_a_spare_fill_its_queue(void **state)
{
    (void)state;
    struct bench b;
    struct user spare;
    bench_open(&b, NULL);
    user_dial(&b, &spare);
    user_register(&spare, &b.bob);
    for (int i = 0; i < 10; i++)
        user_send(&spare, "{\"command\":\"register\"}");
    run_for(b.loop, 50);
    assert_false(spare.closed);
    user_send_bytes(&spare, SPAN("x"));
    user_expect_close(&spare, "Close called: Queue is full, it reached its maximum length of 10");
    user_free(&spare);
    bench_close(&b);
}

static void spares_per_key_are_limited(void **state)
{
    (void)state;
    struct bench b;
    struct user spares[3];
    bench_open(&b, &(struct relay_options){.max_spares_per_key = 2});
    for (int i = 0; i < 3; i++) {
        user_dial(&b, &spares[i]);
        user_register(&spares[i], &b.bob);
    }
    user_expect_close(&spares[0], "Close called: Too many listening connections for this publicKey.");
    assert_int_equal(relay_stats(b.relay).spares, 2);
    assert_int_equal(relay_stats(b.relay).refused_limit, 1);
    for (int i = 0; i < 3; i++)
        user_free(&spares[i]);
    bench_close(&b);
}

static void silence_is_limited(void **state)
{
    (void)state;
    struct bench b;
    struct user silent, half;
    struct buf sealed = {0};
    struct public_key relay;
    bench_open(&b, &(struct relay_options){.first_ms = 1000});
    user_dial(&b, &silent);
    user_dial(&b, &half);
    user_challenge(&half, &b.bob, &sealed, &relay);
    user_expect_close(&silent, "Close called: Nothing was asked for in time.");
    user_expect_close(&half, "Close called: Nothing was asked for in time.");
    buf_free(&sealed);
    user_free(&silent);
    user_free(&half);
    bench_close(&b);
}

static void a_slow_receiver_pauses_its_sender(void **state)
{
    (void)state;
    enum { COUNT = 800, SIZE = 65536 };
    struct bench b;
    struct splice s;
    bench_open(&b, NULL);
    open_splice(&b, &s);
    char *bytes = calloc(1, SIZE);
    s.listener.transport->ops->pause(s.listener.transport, true);
    for (int i = 0; i < COUNT; i++)
        user_send_bytes(&s.requester, (struct span){bytes, SIZE});
    uint64_t mirrored = 0;
    do { // until it stands still
        mirrored = relay_stats(b.relay).bytes;
        run_for(b.loop, 500);
    } while (relay_stats(b.relay).bytes != mirrored);
    assert_true(mirrored < (uint64_t)COUNT * SIZE / 2);
    assert_true(s.requester.transport->ops->queued(s.requester.transport) > COUNT * SIZE / 4);
    s.listener.transport->ops->pause(s.listener.transport, false);
    while (s.listener.count < COUNT + 2)
        run_for(b.loop, 20);
    assert_int_equal(relay_stats(b.relay).messages, COUNT);
    free(bytes);
    s.listener.read = s.listener.count;
    free_splice(&s);
    bench_close(&b);
}

static void note(void *ctx)
{
    *(bool *)ctx = true;
}

static void draining_ends_spares_first_and_splices_in_time(void **state)
{
    (void)state;
    struct bench b;
    struct splice s;
    struct user spare;
    bool drained = false;
    bench_open(&b, NULL);
    open_splice(&b, &s);
    user_dial(&b, &spare);
    user_register(&spare, &b.bob);
    relay_drain(b.relay, 300, note, &drained);
    user_expect_close(&spare, "Close called.");
    user_send(&s.requester, "still");
    user_expect(&s.listener, "still");
    assert_false(drained);
    user_expect_close(&s.listener, "Close called.");
    user_expect_close(&s.requester, "Close called.");
    run_until(b.loop, &drained);
    user_free(&spare);
    free_splice(&s);
    bench_close(&b);
}

static void metrics_are_told(void **state)
{
    (void)state;
    struct bench b;
    struct user spare;
    bench_open(&b, NULL);
    user_dial(&b, &spare);
    user_register(&spare, &b.bob);
    uint16_t port = (uint16_t)atoi(strrchr(relay_url(b.relay), ':') + 1);
    struct raw r = {.port = port, .send = {SPAN("GET /metrics HTTP/1.1\r\nHost: relay.example\r\n\r\n")}};
    raw_run(b.loop, &r);
    assert_non_null(strstr(r.received.data, "\ntandem_relay_spares 1\n"));
    assert_non_null(strstr(r.received.data, "\ntandem_relay_registrations_total 1\n"));
    buf_free(&r.received);
    struct raw h = {.port = port, .send = {SPAN("GET /healthz HTTP/1.0\r\n\r\n")}};
    raw_run(b.loop, &h);
    assert_non_null(strstr(h.received.data, "\r\n\r\nok\n"));
    buf_free(&h.received);
    user_free(&spare);
    bench_close(&b);
}

static void many_idle_connections_are_held(void **state)
{
    enum { COUNT = 600, NEVER_MS = 3600000 }; // they answer no ping, and a busy machine takes its time
    (void)state;
    struct bench b;
    bench_open(&b, &(struct relay_options){.ping_interval_ms = NEVER_MS, .first_ms = NEVER_MS});
    struct user *users = calloc(COUNT, sizeof *users);
    for (int i = 0; i < COUNT; i++) {
        struct keys k;
        box_keypair(&k.public_key, &k.secret);
        user_dial(&b, &users[i]);
        user_register(&users[i], &k);
        secret_destroy(&k.secret);
    }
    struct relay_stats st = relay_stats(b.relay);
    assert_int_equal(st.spares, COUNT);
    assert_int_equal(st.keys, COUNT);
    for (int i = 0; i < COUNT; i++)
        user_free(&users[i]);
    assert_int_equal(relay_stats(b.relay).spares, 0);
    free(users);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_mirrored_as_they_are),
        cmocka_unit_test(closing_reaches_the_other_end),
        cmocka_unit_test(the_newest_spare_is_taken_first),
        cmocka_unit_test(a_closed_spare_is_forgotten),
        cmocka_unit_test(spares_are_pinged),
        cmocka_unit_test(a_request_waits_for_an_outstanding_pong),
        cmocka_unit_test(a_missing_pong_sends_the_requester_to_the_next_spare),
        cmocka_unit_test(a_parked_requester_may_leave),
        cmocka_unit_test(strange_messages_on_a_spare_fill_its_queue),
        cmocka_unit_test(spares_per_key_are_limited),
        cmocka_unit_test(silence_is_limited),
        cmocka_unit_test(a_slow_receiver_pauses_its_sender),
        cmocka_unit_test(draining_ends_spares_first_and_splices_in_time),
        cmocka_unit_test(metrics_are_told),
        cmocka_unit_test(many_idle_connections_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
