#include "relay_testing.h"

#include <stdlib.h>
#include <string.h>

struct reachable { // bob, through a relay client
    struct bench bench;
    struct relay_client *client;
    struct user accepted;
    char *first;
    bool listening, was_accepted, failed, stop_when_failed;
    struct error why;
};

static void on_accepted(void *ctx, struct transport *t, struct span first)
{
    struct reachable *r = ctx;
    assert_true(t->relayed);
    r->first = mem_text(first);
    user_take(&r->accepted, r->bench.loop, t);
    r->was_accepted = true;
}

static void on_state(void *ctx, enum relay_state state, const struct error *why)
{
    struct reachable *r = ctx;
    r->listening = state == RELAY_LISTENING;
    if (why == NULL)
        return;
    r->why = *why;
    r->failed = true;
    if (!r->stop_when_failed)
        return;
    relay_client_stop(r->client);
    r->client = NULL;
}

static const struct relay_client_events events = {on_accepted, on_state};

static void start(struct reachable *r, const char *url)
{
    struct error e = {0};
    r->client = relay_client_start(r->bench.loop, r->bench.client, url, &r->bench.bob.public_key, &r->bench.bob.secret,
                                   &events, r, &e);
    assert_non_null(r->client);
}

static void wait_for_spares(struct reachable *r, size_t n)
{
    for (int i = 0; i < 1000 && relay_client_spares(r->client) != n; i++)
        run_for(r->bench.loop, 5);
    assert_int_equal(relay_client_spares(r->client), n);
}

static void two_spares_are_kept(void **state)
{
    (void)state;
    struct reachable r = {0};
    struct user requester;
    bench_open(&r.bench, NULL);
    start(&r, relay_url(r.bench.relay));
    assert_int_equal(relay_client_state(r.client), RELAY_CONNECTING);
    run_until(r.bench.loop, &r.listening);
    wait_for_spares(&r, 2);
    for (int i = 0; i < 3; i++) {
        char *request = request_text(&r.bench.alice, &r.bench.bob);
        user_dial(&r.bench, &requester);
        user_send(&requester, request);
        run_until(r.bench.loop, &r.was_accepted);
        assert_string_equal(r.first, request);
        user_send(&r.accepted, "{\"command\":\"communication_ready\"}");
        user_expect(&requester, "{\"command\":\"communication_ready\"}");
        user_send(&requester, "more");
        user_expect(&r.accepted, "more");
        wait_for_spares(&r, 2); // replaced at once
        user_free(&requester);
        user_free(&r.accepted);
        r.accepted = (struct user){0};
        r.was_accepted = false;
        free(request);
        free(r.first);
    }
    assert_int_equal(relay_stats(r.bench.relay).registrations, 5);
    relay_client_stop(r.client);
    run_for(r.bench.loop, 50);
    assert_int_equal(relay_stats(r.bench.relay).connections, 0);
    bench_close(&r.bench);
}

// 32 are replaced at once, then 8 a second: 50 take 2 s at least.
static void handovers_without_end_are_paced(void **state)
{
    enum { MANY = 50, LEAST_MS = 1800 };
    (void)state;
    struct reachable r = {0};
    bench_open(&r.bench, NULL);
    start(&r, relay_url(r.bench.relay));
    char *request = request_text(&r.bench.alice, &r.bench.bob);
    wait_for_spares(&r, 2);
    uint64_t begun = loop_now(r.bench.loop);
    for (int i = 0; i < MANY; i++) {
        struct user requester = {0};
        for (int k = 0; k < 1000 && relay_client_spares(r.client) == 0; k++)
            run_for(r.bench.loop, 5);
        user_dial(&r.bench, &requester);
        user_send(&requester, request);
        run_until(r.bench.loop, &r.was_accepted);
        user_free(&requester);
        user_free(&r.accepted);
        r.accepted = (struct user){0};
        r.was_accepted = false;
        free(r.first);
    }
    assert_true(loop_now(r.bench.loop) - begun >= LEAST_MS);
    wait_for_spares(&r, 2); // it stays reachable
    relay_client_stop(r.client);
    free(request);
    bench_close(&r.bench);
}

static void stopping_leaves_accepted_connections_alone(void **state)
{
    (void)state;
    struct reachable r = {0};
    struct user requester;
    bench_open(&r.bench, NULL);
    start(&r, relay_url(r.bench.relay));
    wait_for_spares(&r, 2);
    char *request = request_text(&r.bench.alice, &r.bench.bob);
    user_dial(&r.bench, &requester);
    user_send(&requester, request);
    run_until(r.bench.loop, &r.was_accepted);
    relay_client_stop(r.client);
    user_send(&requester, "still here");
    user_expect(&r.accepted, "still here");
    user_free(&requester);
    user_free(&r.accepted);
    free(request);
    free(r.first);
    bench_close(&r.bench);
}

static void pings_are_answered(void **state)
{
    (void)state;
    struct reachable r = {0};
    bench_open(&r.bench, &(struct relay_options){.ping_interval_ms = 100, .pong_timeout_ms = 2000});
    start(&r, relay_url(r.bench.relay));
    wait_for_spares(&r, 2);
    run_for(r.bench.loop, 1000);
    assert_int_equal(relay_stats(r.bench.relay).timeouts, 0);
    assert_int_equal(relay_client_spares(r.client), 2);
    relay_client_stop(r.client);
    bench_close(&r.bench);
}

static void a_lost_relay_is_reported(void **state)
{
    (void)state;
    struct reachable r = {0};
    bench_open(&r.bench, NULL);
    start(&r, relay_url(r.bench.relay));
    wait_for_spares(&r, 2);
    relay_destroy(r.bench.relay);
    r.bench.relay = NULL;
    run_until(r.bench.loop, &r.failed);
    while (r.listening)
        run_for(r.bench.loop, 5);
    assert_string_equal(r.why.code, "RELAY-LOST");
    relay_client_stop(r.client);
    bench_close(&r.bench);
}

static void an_unreachable_relay_is_reported(void **state)
{
    (void)state;
    struct reachable r = {.stop_when_failed = true};
    struct error e = {0};
    bench_open(&r.bench, NULL);
    char *url = mem_text(span_of(relay_url(r.bench.relay)));
    relay_destroy(r.bench.relay);
    r.bench.relay = NULL;
    start(&r, url);
    run_until(r.bench.loop, &r.failed);
    assert_string_equal(r.why.code, "UNREACHABLE");
    assert_null(r.client); // stopped from its own event
    assert_null(relay_client_start(r.bench.loop, r.bench.client, "relay", &r.bench.bob.public_key, &r.bench.bob.secret,
                                   &events, &r, &e));
    assert_string_equal(e.code, "BAD-URL");
    free(url);
    bench_close(&r.bench);
}

// A relay that does not follow the protocol

struct fake {
    struct ws_server *server;
    struct loop *loop;
    struct user user;
    bool accepted;
};

static void fake_accepted(void *ctx, struct transport *t)
{
    struct fake *f = ctx;
    if (f->accepted)
        return; // one is enough
    f->accepted = true;
    user_take(&f->user, f->loop, t);
}

static void fake_open(struct fake *f, struct reachable *r)
{
    struct error e = {0};
    bench_open(&r->bench, NULL);
    *f = (struct fake){.loop = r->bench.loop};
    f->server = ws_server_listen(r->bench.loop, "127.0.0.1:0", NULL, fake_accepted, f, &e);
    assert_non_null(f->server);
    start(r, ws_server_url(f->server));
    run_until(r->bench.loop, &f->accepted);
    char *wanted = register_text(&r->bench.bob);
    f->user.loop = r->bench.loop;
    user_expect(&f->user, wanted);
    free(wanted);
}

static void fake_close(struct fake *f, struct reachable *r)
{
    relay_client_stop(r->client);
    user_free(&f->user);
    ws_server_destroy(f->server);
    bench_close(&r->bench);
}

static void unexpected_answers_close(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *reason;
    } cases[] = {
        {"{\"command\":\"ping\"}", "Close called: Error: Received unexpected type 'ping'. Expected type "
                                   "'authentication_request'."},
        {"nonsense", "Close called: Error: Received a malformed message from the relay."},
        {"{\"command\":\"authentication_request\",\"publicKey\":\"aa\",\"challenge\":\"bb\"}",
         "Close called: Error: Data is not a public key"},
        {"{\"command\":\"authentication_request\","
         "\"publicKey\":\"e1d48595357df888c1fb11a32c7bffa47b08617a6d721192adaab2f0410c0223\",\"challenge\":\"bb\"}",
         "Close called: Error: bad nonce size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reachable r = {0};
        struct fake f;
        fake_open(&f, &r);
        user_send(&f.user, cases[i].answer);
        user_expect_close(&f.user, cases[i].reason);
        assert_true(r.failed);
        fake_close(&f, &r);
    }
}

static void a_relay_that_stops_pinging_is_left(void **state)
{
    (void)state;
    struct reachable r = {0};
    struct fake f;
    struct keys relay;
    struct buf sealed = {0}, text = {0};
    struct secret shared;
    char zeros[64] = {0}, hex[2 * 104 + 1], key[65];
    fake_open(&f, &r);
    box_keypair(&relay.public_key, &relay.secret);
    assert_int_equal(box_shared_key(&r.bench.bob.public_key, &relay.secret, &shared, NULL), STATUS_OK);
    box_seal(&shared, (struct span){zeros, sizeof zeros}, &sealed);
    hex_encode(sealed.data, sealed.len, hex);
    hex_encode(relay.public_key.b, sizeof relay.public_key.b, key);
    buf_printf(&text, "{\"command\":\"authentication_request\",\"publicKey\":\"%s\",\"challenge\":\"%s\"}", key, hex);
    user_send(&f.user, buf_cstr(&text));
    assert_non_null(strstr(user_next(&f.user), "authentication_response"));
    user_send(&f.user, "{\"command\":\"authentication_success\",\"pingInterval\":500}");
    run_until(r.bench.loop, &r.listening);
    uint64_t begun = loop_now(r.bench.loop);
    user_send(&f.user, "{\"command\":\"ping\"}");
    user_expect(&f.user, "{\"command\":\"pong\"}");
    user_expect_close(&f.user, "Terminate called: Pong: Connection timed out");
    assert_in_range(loop_now(r.bench.loop) - begun, 4400, 9000);
    buf_free(&sealed);
    buf_free(&text);
    secret_destroy(&shared);
    secret_destroy(&relay.secret);
    fake_close(&f, &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_spares_are_kept),
        cmocka_unit_test(handovers_without_end_are_paced),
        cmocka_unit_test(stopping_leaves_accepted_connections_alone),
        cmocka_unit_test(pings_are_answered),
        cmocka_unit_test(a_lost_relay_is_reported),
        cmocka_unit_test(an_unreachable_relay_is_reported),
        cmocka_unit_test(unexpected_answers_close),
        cmocka_unit_test(a_relay_that_stops_pinging_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
