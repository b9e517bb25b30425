#include "testing.h"
#include "tls_stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_falls_back_to_ipv4),   cmocka_unit_test(redirects_are_refused),
        cmocka_unit_test(the_request_is_plain),           cmocka_unit_test(what_is_no_node_is_told_apart),
        cmocka_unit_test(a_silent_socket_times_out),      cmocka_unit_test(an_attempt_can_be_cancelled),
        cmocka_unit_test(names_are_resolved_on_the_pool), cmocka_unit_test(certificates_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
