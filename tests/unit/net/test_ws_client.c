#include "testing.h"

#include "net/ws_frame.h"
#include "tls_stub.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void expect_failure(struct pair *p, const char *url, const char *code)
{
    pair_dial(p, url);
    run_until(p->loop, &p->failed);
    if (strcmp(p->why.code, code) != 0)
        fail_msg("%s: %s: %s", url, p->why.code, p->why.message);
}

static void expect_failure_at(struct pair *p, uint16_t port, const char *code)
{
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", port);
    expect_failure(p, url, code);
}

static void stub_end(struct stub *s)
{
    stub_stop(s);
    buf_free(&s->request);
}

static void localhost_falls_back_to_ipv4(void **state)
{
    (void)state;
    static const char *const only[] = {"127.0.0.1:0", "[::1]:0"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        struct error e = {0};
        char url[64];
        pair_listen(&p, NULL);
        ws_server_destroy(p.server);
        p.server = ws_server_listen(p.loop, only[i], NULL, pair_accepted, &p, &e);
        assert_non_null(p.server);
        snprintf(url, sizeof url, "ws://localhost:%u", ws_server_port(p.server));
        pair_dial(&p, url);
        run_until(p.loop, &p.connected);
        assert_string_equal(p.near.transport->url, url);
        pair_close(&p);
    }
}

static void redirects_are_refused(void **state)
{
    (void)state;
    struct pair p;
    struct stub s = {.answer = SPAN("HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\n\r\n")};
    pair_listen(&p, NULL);
    stub_start(&s);
    expect_failure_at(&p, s.port, "NOT-A-NODE");
    assert_non_null(strstr(p.why.message, "301"));
    stub_end(&s);
    pair_close(&p);
}

static void the_request_is_plain(void **state)
{
    (void)state;
    struct pair p;
    struct stub s = {.answer = SPAN("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")};
    char url[64], host[64];
    pair_listen(&p, NULL);
    stub_start(&s);
    snprintf(url, sizeof url, "ws://localhost:%u/path?query", s.port);
    snprintf(host, sizeof host, "Host: localhost:%u\r\n", s.port);
    expect_failure(&p, url, "NOT-A-NODE");
    stub_stop(&s);
    const char *request = buf_cstr(&s.request);
    assert_non_null(strstr(request, "GET /path?query HTTP/1.1\r\n"));
    assert_non_null(strcasestr(request, host));
    assert_null(strcasestr(request, "Origin:"));
    assert_null(strcasestr(request, "Sec-WebSocket-Extensions"));
    assert_null(strcasestr(request, "Sec-WebSocket-Protocol"));
    buf_free(&s.request);
    pair_close(&p);
}

static void what_is_no_node_is_told_apart(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    struct stub http = {.answer = SPAN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")};
    stub_start(&http);
    expect_failure_at(&p, http.port, "NOT-A-NODE");
    assert_non_null(strstr(p.why.message, "status 200"));
    stub_end(&http);
    struct stub ssh = {.answer = SPAN("SSH-2.0-OpenSSH_9.2\r\n"), .hang_up = true};
    stub_start(&ssh);
    expect_failure_at(&p, ssh.port, "NOT-A-NODE");
    uint16_t closed_port = ssh.port;
    stub_end(&ssh);
    expect_failure_at(&p, closed_port, "UNREACHABLE");
    pair_close(&p);
}

static void a_silent_socket_times_out(void **state)
{
    (void)state;
    struct pair p;
    struct stub s = {0};
    char url[64];
    struct error e = {0};
    pair_listen(&p, NULL);
    stub_start(&s);
    snprintf(url, sizeof url, "ws://localhost:%u", s.port);
    uint64_t begun = loop_now(p.loop);
    expect_failure(&p, url, "TIMEOUT");
    uint64_t took = loop_now(p.loop) - begun;
    assert_in_range(took, 4900, 9000);
    assert_non_null(strstr(p.why.message, "silent"));
    assert_null(ws_client_connect(p.client, "http://localhost", 0, 0, NULL, NULL, &e));
    assert_string_equal(e.code, "BAD-URL");
    stub_end(&s);
    pair_close(&p);
}

static void an_attempt_can_be_cancelled(void **state)
{
    (void)state;
    struct pair p;
    struct error e = {0};
    pair_open(&p, NULL);
    struct ws_connect *a = ws_client_connect(p.client, ws_server_url(p.server), 0, 0, NULL, NULL, &e);
    ws_connect_cancel(a); // before its first step
    a = ws_client_connect(p.client, ws_server_url(p.server), 0, 0, NULL, NULL, &e);
    run_for(p.loop, 0); // its socket is on the way
    ws_connect_cancel(a);
    run_for(p.loop, 20);
    pair_close(&p);
}

static void names_are_resolved_on_the_pool(void **state)
{
    (void)state;
    struct pair p;
    char url[64];
    pair_listen(&p, NULL);
    struct pool *pool = pool_create(1, loop_mailbox(p.loop));
    ws_client_destroy(p.client);
    p.client = ws_client_create(p.loop, pool, NULL);
    expect_failure(&p, "ws://no-such-host.invalid:1", "UNREACHABLE");
    snprintf(url, sizeof url, "ws://localhost.:%u", ws_server_port(p.server)); // not the name we know ourselves
    pair_dial(&p, url);
    while (!p.connected && !p.failed)
        run_for(p.loop, 5);
    struct error e = {0};
    assert_non_null(ws_client_connect(p.client, "ws://never.invalid:1", 0, 0, NULL, NULL, &e));
    ws_client_destroy(p.client); // while it is looked up
    p.client = NULL;
    pool_destroy(pool);
    pair_close(&p);
}

static sem_t may_look_up;
static struct error guarded_why, plain_why;

static void hold_thread(void *arg)
{
    (void)arg;
    sem_wait(&may_look_up);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void note_why(void *ctx, struct transport *t, const struct error *why)
{
    assert_null(t);
    *(struct error *)ctx = *why;
}

static bool may_try(void *ctx, const char *address, uint16_t port)
{
    (void)ctx, (void)address, (void)port;
    return true;
}

// The only thread for names is busy: an attempt that somebody counts is under way as long as its name is.
static void a_counted_attempt_lasts_as_long_as_its_name(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    struct pool *pool = pool_create(1, loop_mailbox(p.loop));
    ws_client_destroy(p.client);
    p.client = ws_client_create(p.loop, pool, NULL);
    sem_init(&may_look_up, 0, 0);
    assert_int_equal(pool_submit(pool, hold_thread, nothing, NULL), STATUS_OK);
    struct ws_connect *a = ws_client_connect(p.client, "ws://a.invalid:1", 20, 0, note_why, &guarded_why, NULL);
    ws_connect_guard(a, may_try);
    assert_non_null(ws_client_connect(p.client, "ws://b.invalid:1", 20, 0, note_why, &plain_why, NULL));
    while (plain_why.status == STATUS_OK)
        run_for(p.loop, 5);
    run_for(p.loop, 100);
    assert_string_equal(plain_why.code, "TIMEOUT");
    assert_int_equal(guarded_why.status, STATUS_OK);
    sem_post(&may_look_up);
    while (guarded_why.status == STATUS_OK)
        run_for(p.loop, 5);
    ws_client_destroy(p.client);
    p.client = NULL;
    pool_destroy(pool);
    sem_destroy(&may_look_up);
    pair_close(&p);
}

static void try_tls(const char *certified, bool with_ca, const char *code)
{
    char folder[] = "/tmp/tandem-tls-XXXXXX", ca[64], url[64], command[64];
    struct pair p;
    assert_non_null(mkdtemp(folder));
    struct tls_stub *s = tls_stub_start(folder, certified);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    snprintf(url, sizeof url, "wss://localhost:%u", tls_stub_port(s));
    pair_listen(&p, NULL);
    ws_client_destroy(p.client);
    p.client = ws_client_create(p.loop, NULL, with_ca ? ca : NULL);
    if (code != NULL) {
        expect_failure(&p, url, code);
        print_message("%s\n", p.why.message);
    } else {
        pair_dial(&p, url);
        run_until(p.loop, &p.connected);
        p.near.transport->ops->send(p.near.transport, true, SPAN("over TLS"));
        run_until(p.loop, &p.near.got);
        assert_string_equal(buf_cstr(&p.near.last), "over TLS");
        p.near.transport->ops->close(p.near.transport, "done");
        run_until(p.loop, &p.near.closed);
    }
    tls_stub_stop(s);
    pair_close(&p);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void certificates_are_checked(void **state)
{
    (void)state;
    try_tls("localhost", true, NULL);
    try_tls("localhost", false, "TLS-FAILED");
    try_tls("other.example", true, "TLS-FAILED");
}

// RFC 6455 5.7.
static void frames_are_those_of_the_standard(void **state)
{
    (void)state;
    static const uint8_t mask[] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t got[32];
    ws_frame_write(got, true, SPAN("Hello"), mask);
    assert_memory_equal(got, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", ws_frame_head_size(5, true) + 5);
    ws_frame_write(got, true, SPAN("Hello"), NULL);
    assert_memory_equal(got, "\x81\x05Hello", ws_frame_head_size(5, false) + 5);
    ws_frame_write(got, false, SPAN("some 19 bytes of it"), mask);
    assert_memory_equal(got, "\x82\x93", 2);
    for (size_t i = 0; i < 19; i++)
        assert_int_equal(got[6 + i] ^ mask[i % 4], "some 19 bytes of it"[i]);
    assert_int_equal(ws_frame_head_size(125, false), 2);
    assert_int_equal(ws_frame_head_size(126, false), 4);
    assert_int_equal(ws_frame_head_size(65535, false), 4);
    assert_int_equal(ws_frame_head_size(65536, true), WS_FRAME_HEAD_MAX);
}

static size_t writes;

// Stands before the library's: libwebsockets calls it.
ssize_t send(int fd, const void *data, size_t len, int flags)
{
    writes++;
    return sendto(fd, data, len, flags, NULL, 0);
}

// What comes while others wait goes with them.
static void many_small_messages_are_few_writes(void **state)
{
    (void)state;
    enum { MANY = 1000, FEW = 20 };
    for (int server = 0; server < 2; server++) {
        struct pair p;
        pair_open(&p, NULL);
        struct peer *says = server ? &p.far : &p.near, *hears = server ? &p.near : &p.far;
        writes = 0;
        for (size_t i = 0; i < MANY; i++) {
            char text[32];
            snprintf(text, sizeof text, "message %zu", i);
            says->transport->ops->send(says->transport, true, span_of(text));
        }
        while (hears->messages < MANY) {
            hears->got = false;
            run_until(p.loop, &hears->got);
        }
        assert_in_range(writes, 1, FEW);
        assert_string_equal(buf_cstr(&hears->last), "message 999");
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_falls_back_to_ipv4),
        cmocka_unit_test(redirects_are_refused),
        cmocka_unit_test(the_request_is_plain),
        cmocka_unit_test(what_is_no_node_is_told_apart),
        cmocka_unit_test(a_silent_socket_times_out),
        cmocka_unit_test(an_attempt_can_be_cancelled),
        cmocka_unit_test(names_are_resolved_on_the_pool),
        cmocka_unit_test(a_counted_attempt_lasts_as_long_as_its_name),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(frames_are_those_of_the_standard),
        cmocka_unit_test(many_small_messages_are_few_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
