#include "testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void send_text(struct peer *p, struct span s)
{
    p->transport->ops->send(p->transport, true, s);
}

static void messages_keep_their_kind_and_content(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 4096, 65535, 65536, 70000, 1 << 20};
    struct pair p;
    pair_open(&p, NULL);
    p.far.echo = true;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i / 2];
        bool text = i % 2;
        char *bytes = malloc(n + 1);
        for (size_t k = 0; k < n; k++)
            bytes[k] = text ? (char)('a' + k % 26) : (char)(k * 31);
        p.near.got = false;
        p.near.transport->ops->send(p.near.transport, text, (struct span){bytes, n});
        run_until(p.loop, &p.near.got);
        assert_int_equal(p.near.last_text, text);
        assert_int_equal(p.near.last.len, n);
        if (n != 0)
            assert_memory_equal(p.near.last.data, bytes, n);
        free(bytes);
    }
    assert_int_equal(p.near.transport->messages_sent, p.near.transport->messages_received);
    assert_int_equal(p.near.transport->bytes_sent, p.near.transport->bytes_received);
    pair_close(&p);
}

static void closing_tells_the_other_side_why(void **state)
{
    (void)state;
    for (int server = 0; server < 2; server++) {
        struct pair p;
        pair_open(&p, NULL);
        struct peer *closes = server ? &p.far : &p.near, *hears = server ? &p.near : &p.far;
        send_text(closes, SPAN("first"));
        closes->transport->ops->close(closes->transport, "Close called: my reason");
        send_text(closes, SPAN("lost"));
        run_until(p.loop, &hears->closed);
        assert_int_equal(hears->messages, 1); // what was queued came first
        assert_int_equal(hears->code, 1000);
        assert_string_equal(buf_cstr(&hears->reason), "Close called: my reason");
        run_until(p.loop, &closes->closed);
        assert_int_equal(closes->code, 1000);
        pair_close(&p);
    }
}

static void long_reasons_are_cut_between_characters(void **state)
{
    (void)state;
    struct pair p;
    char reason[200] = {0};
    for (int i = 0; i < 66; i++)
        memcpy(reason + 3 * i, "\u20ac", 3);
    memmove(reason + 1, reason, 198);
    reason[0] = 'x';
    pair_open(&p, NULL);
    p.near.transport->ops->close(p.near.transport, reason);
    run_until(p.loop, &p.far.closed);
    assert_int_equal(p.far.reason.len, 121);
    pair_close(&p);
}

static void what_is_open_is_told_when_the_loop_ends(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, NULL);
    ws_client_destroy(p.client);
    ws_server_destroy(p.server);
    loop_destroy(p.loop);
    assert_true(p.near.closed && p.far.closed);
    assert_int_equal(p.near.code, 1006);
    peer_free(&p.near);
    peer_free(&p.far);
}

static void too_big_messages_close_with_1009(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, &(struct ws_server_options){.message_limit = 1000});
    char bytes[1001] = {0};
    p.near.transport->ops->send(p.near.transport, false, (struct span){bytes, 1000});
    run_until(p.loop, &p.far.got);
    p.near.transport->ops->send(p.near.transport, false, (struct span){bytes, 1001});
    run_until(p.loop, &p.near.closed);
    assert_int_equal(p.near.code, 1009);
    assert_true(p.far.closed);
    assert_int_equal(p.far.messages, 1);
    pair_close(&p);
}

static void a_paused_receiver_holds_the_sender_back(void **state)
{
    (void)state;
    enum { COUNT = 400, SIZE = 65536 };
    struct pair p;
    pair_open(&p, NULL);
    char *bytes = calloc(1, SIZE);
    p.far.transport->ops->pause(p.far.transport, true);
    for (int i = 0; i < COUNT; i++)
        p.near.transport->ops->send(p.near.transport, false, (struct span){bytes, SIZE});
    run_for(p.loop, 200);
    assert_true(p.far.messages < COUNT);
    assert_true(p.near.transport->ops->queued(p.near.transport) > 0);
    assert_false(p.near.drained);
    p.far.transport->ops->pause(p.far.transport, false);
    run_until(p.loop, &p.near.drained);
    assert_true(p.near.transport->ops->queued(p.near.transport) < 8192);
    while (p.far.messages < COUNT)
        run_for(p.loop, 10);
    free(bytes);
    pair_close(&p);
}

static void a_transport_wakes_its_user(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, NULL);
    const struct transport_ops *ops = p.near.transport->ops;
    ops->wake_at(p.near.transport, loop_now(p.loop) + 10);
    ops->wake_at(p.near.transport, 0);
    run_for(p.loop, 30);
    assert_false(p.near.timed);
    ops->wake_at(p.near.transport, loop_now(p.loop) + 5);
    run_until(p.loop, &p.near.timed);
    pair_close(&p);
}

static void a_silent_peer_cannot_prevent_closing(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, NULL);
    char *bytes = calloc(1, 8 << 20);
    p.far.transport->ops->pause(p.far.transport, true);
    p.near.transport->ops->send(p.near.transport, false, (struct span){bytes, 8 << 20});
    p.near.transport->ops->close(p.near.transport, "bye");
    run_until(p.loop, &p.near.closed);
    free(bytes);
    pair_close(&p);
}

// Raw clients

static struct buf ask(struct pair *p, struct span request, struct span later)
{
    struct raw r = {.port = ws_server_port(p->server), .send = {request, later}};
    raw_run(p->loop, &r);
    return r.received;
}

static void expect_answer(struct pair *p, const char *request, const char *beginning)
{
    struct buf got = ask(p, span_of(request), (struct span){0});
    if (!span_starts_with(buf_span(&got), span_of(beginning)))
        fail_msg("%s\n-> %s", request, got.data);
    buf_free(&got);
}

static void plain_http_is_told_to_upgrade(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    expect_answer(&p, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 426 ");
    expect_answer(&p, "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 426 ");
    expect_answer(&p, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 426 ");
    expect_answer(&p, "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "");
    expect_answer(&p, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "");
    pair_close(&p);
}

static bool healthy(void *ctx, const char *path, struct buf *body, const char **type)
{
    (void)ctx;
    *type = "text/x-test";
    buf_add_text(body, "fine\n");
    return strcmp(path, "/healthz") == 0;
}

static void a_listener_may_answer_http(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.http = healthy});
    struct buf got = ask(&p, SPAN("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), (struct span){0});
    assert_non_null(strstr(got.data, "200 OK"));
    assert_non_null(strstr(got.data, "text/x-test"));
    assert_non_null(strstr(got.data, "\r\n\r\nfine\n"));
    buf_free(&got);
    expect_answer(&p, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 426 ");
    pair_close(&p);
}

#define CLOSE_FRAME "\x88\x80\0\0\0\0"

static void only_own_pages_and_names_get_in(void **state)
{
    (void)state;
    static const char *const origins[] = {"https://app.example.org", NULL}, *const hosts[] = {"node.lan", NULL};
    static const struct {
        const char *host, *more;
        bool in;
    } cases[] = {
        {"127.0.0.1", "", true},
        {"localhost:1", "", true},
        {"[::1]:8765", "", true},
        {"NODE.lan:1", "", true},
        {"evil.example", "", false},
        {"localhost.evil.example", "", false},
        {"127.0.0.1", "Origin: http://localhost:3000\r\n", true},
        {"127.0.0.1", "Origin: https://[::1]\r\n", true},
        {"127.0.0.1", "Origin: file://\r\n", true},
        {"127.0.0.1", "Origin: https://app.example.org\r\n", true},
        {"127.0.0.1", "Origin: null\r\n", false},
        {"127.0.0.1", "Origin: https://evil.example\r\n", false},
        {"127.0.0.1", "Origin: http://localhost.evil.example\r\n", false},
    };
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.origins = origins, .hosts = hosts});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf request = {0};
        buf_printf(&request,
                   "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                   cases[i].host, cases[i].more);
        struct buf got = ask(&p, buf_span(&request), SPAN(CLOSE_FRAME));
        if (!span_starts_with(buf_span(&got), cases[i].in ? SPAN("HTTP/1.1 101 ") : SPAN("HTTP/1.1 403 ")))
            fail_msg("%s%s -> %s", cases[i].host, cases[i].more, got.data);
        buf_free(&got);
        buf_free(&request);
    }
    pair_close(&p);
}

struct page_case {
    const char *path, *host, *origin; // origin NULL: a GET; "": an upgrade without one
    const char *answer;
};

static void expect_of_page(struct pair *p, const struct page_case *c)
{
    struct buf request = {0};
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\n", c->path, c->host);
    if (c->origin != NULL)
        buf_add_text(&request, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    if (c->origin != NULL && c->origin[0] != '\0')
        buf_printf(&request, "Origin: http://%s\r\n", c->origin);
    buf_add_text(&request, "\r\n");
    struct buf got = ask(p, buf_span(&request), c->origin != NULL ? SPAN(CLOSE_FRAME) : (struct span){0});
    if (!span_starts_with(buf_span(&got), span_of(c->answer)))
        fail_msg("%s -> %s", buf_cstr(&request), got.data);
    assert_int_equal(strstr(got.data, "X-More: yes\r\n") != NULL, strstr(c->answer, "101") == NULL);
    buf_free(&got);
    buf_free(&request);
}

// Under the very name it is reached by.
static void a_page_of_its_own_gets_in_alone(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.own_page = true, .headers = "X-More: yes\r\n", .http = healthy});
    const char *own = ws_server_url(p.server) + strlen("ws://");
    const struct page_case cases[] = {
        {"/healthz", own, NULL, "HTTP/1.1 200 "},
        {"/other", own, NULL, "HTTP/1.1 404 "},
        {"/healthz", "127.0.0.1", NULL, "HTTP/1.1 403 "},
        {"/healthz", "localhost:1", NULL, "HTTP/1.1 403 "},
        {"/", own, own, "HTTP/1.1 101 "},
        {"/", own, "", "HTTP/1.1 403 "},
        {"/", own, "localhost", "HTTP/1.1 403 "},
        {"/", "localhost", own, "HTTP/1.1 403 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_of_page(&p, &cases[i]);
    pair_close(&p);
}

// Pages of files, and sandboxed frames of any page, call their origin null.
static void nameless_origins_get_in_only_when_listed(void **state)
{
    (void)state;
    static const char *const origins[] = {"null", NULL};
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.origins = origins});
    struct buf got = ask(&p,
                         SPAN("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                              "Origin: null\r\n\r\n"),
                         SPAN(CLOSE_FRAME));
    assert_true(span_starts_with(buf_span(&got), SPAN("HTTP/1.1 101 ")));
    buf_free(&got);
    pair_close(&p);
}

static void other_upgrades_and_extensions_are_refused(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    expect_answer(&p,
                  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                  "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
                  "HTTP/1.1 403 ");
    expect_answer(&p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "");
    expect_answer(&p, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
                  "HTTP/1.0 403 ");
    struct buf got = ask(&p, SPAN(UPGRADE("1", "Sec-WebSocket-Extensions: permessage-deflate\r\n")), SPAN(CLOSE_FRAME));
    assert_non_null(strstr(got.data, "101"));
    assert_null(strstr(got.data, "permessage-deflate"));
    buf_free(&got);
    pair_close(&p);
}

static const char *last_refusal;
static void remember_refusal(void *ctx, const char *peer, const char *reason)
{
    (void)ctx, (void)peer;
    last_refusal = reason;
}

#define REQUEST(line, more) line "\r\nHost: localhost\r\n" more "\r\n"
#define WEBSOCKET "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// Of libwebsockets' own.
#define PAGE "HTTP/1.0 403 "

// Each is told and counted once, also where libwebsockets ends it: then without a word, or with a page of its own.
static void whoever_is_turned_away_is_told_of(void **state)
{
    (void)state;
    static const struct {
        const char *request, *answer, *why;
    } cases[] = {
        {REQUEST("GET / HTTP/1.1", WEBSOCKET KEY "Origin: http://a\r\n"), "HTTP/1.1 403 ", "origin"},
        {REQUEST("GET / HTTP/1.1", WEBSOCKET), "", "upgrade"}, // without a key
        {REQUEST("GET / HTTP/1.1", "Upgrade: websocket\r\n" KEY), "", "upgrade"},
        {REQUEST("GET / HTTP/1.1", "Upgrade: foo\r\nConnection: Upgrade\r\n"), PAGE, "upgrade"},
        {REQUEST("GET /%zz HTTP/1.1", ""), PAGE, "request"},
        {REQUEST("GET http://localhost/ HTTP/1.1", ""), PAGE, "request"},
        {REQUEST("GET nowhere HTTP/1.1", ""), PAGE, "request"},
        {REQUEST("BREW / HTTP/1.1", ""), PAGE, "request"},
        {REQUEST("CONNECT a:1 HTTP/1.1", ""), "", "request"},
        {REQUEST("PRI * HTTP/2.0", "\r\nSM\r\n"), PAGE, "request"},
        {"\x16\x03\x01\x02\xfc\x03\x03\r\n\r\n", PAGE, "request"}, // TLS
        {"GET\r\n\r\n", PAGE, "request"},
        {REQUEST("GET /../../%00 HTTP/1.1", ""), "HTTP/1.1 426 ", NULL}, // is told, and not turned away
        {REQUEST("OPTIONS / HTTP/1.1", ""), "HTTP/1.1 426 ", NULL},
    };
    struct pair p;
    uint64_t refused = 0;
    pair_listen(&p, &(struct ws_server_options){.refused = remember_refusal});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        last_refusal = NULL;
        refused += cases[i].why != NULL;
        struct buf got = ask(&p, span_of(cases[i].request), (struct span){0});
        if (!span_starts_with(buf_span(&got), span_of(cases[i].answer)) ||
            (got.len == 0) != (cases[i].answer[0] == '\0'))
            fail_msg("%s -> %s", cases[i].request, got.data);
        while (ws_server_stats(p.server).connections != 0)
            run_for(p.loop, 1);
        if ((last_refusal == NULL) != (cases[i].why == NULL))
            fail_msg("%s: %s", cases[i].request, last_refusal);
        if (last_refusal != NULL)
            assert_string_equal(last_refusal, cases[i].why);
        assert_int_equal(ws_server_stats(p.server).refused_request, refused);
        buf_free(&got);
    }
    pair_close(&p);
}

static void who_goes_in_the_middle_was_not_refused(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.refused = remember_refusal});
    last_refusal = NULL;
    struct raw r = {.port = ws_server_port(p.server), .send = {SPAN("GET / HT")}, .hang_up = true};
    raw_run(p.loop, &r);
    while (ws_server_stats(p.server).connections != 0)
        run_for(p.loop, 1);
    assert_null(last_refusal);
    assert_int_equal(ws_server_stats(p.server).refused_request, 0);
    buf_free(&r.received);
    pair_close(&p);
}

// Frames are masked with zeros.
static void continuation_frames_become_one_message(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    struct raw r = {.port = ws_server_port(p.server),
                    .in_turn = true,
                    .send = {SPAN(UPGRADE("1", "")),
                             SPAN("\x01\x83\0\0\0\0abc"
                                  "\x89\x82\0\0\0\0hi" // a ping between the fragments
                                  "\x00\x80\0\0\0\0"
                                  "\x80\x83\0\0\0\0def"),
                             SPAN("\x88\x82\0\0\0\0\x03\xe8")}};
    raw_run(p.loop, &r);
    assert_int_equal(p.far.messages, 1);
    assert_true(p.far.last_text);
    assert_string_equal(buf_cstr(&p.far.last), "abcdef");
    assert_int_equal(p.far.code, 1000);
    assert_non_null(memmem(r.received.data, r.received.len, "\x8a\x02hi", 4)); // the pong
    assert_non_null(memmem(r.received.data, r.received.len, "\x88\x02\x03\xe8", 4));
    buf_free(&r.received);
    pair_close(&p);
}

static void breaches_of_the_protocol_close(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct span frames;
        int code; // in the close frame
    } cases[] = {
        {"text that is not UTF-8", {"\x81\x82\0\0\0\0\xc3\x28", 8}, 1007},
        {"text that ends within a character", {"\x81\x81\0\0\0\0\xe2", 7}, 1007},
        {"reserved bits", {"\xc1\x80\0\0\0\0", 6}, 1002},
        {"unknown opcode", {"\x83\x80\0\0\0\0", 6}, 1002},
        {"continuation of nothing", {"\x80\x80\0\0\0\0", 6}, 1002},
        {"fragmented ping", {"\x09\x80\0\0\0\0", 6}, 1002},
        {"a frame of 2^40 bytes", {"\x82\xff\0\0\1\0\0\0\0\0\0\0\0\0x", 15}, 1009}, // its end is waited for
    };
    struct pair p;
    pair_listen(&p, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct raw r = {.port = ws_server_port(p.server),
                        .send = {SPAN(UPGRADE("1", "")), cases[i].frames, SPAN(CLOSE_FRAME)}};
        print_message("%s\n", cases[i].name);
        raw_run(p.loop, &r);
        run_until(p.loop, &p.far.closed);
        assert_int_equal(p.far.messages, 0);
        const unsigned char *body = (const unsigned char *)strstr(r.received.data, "\r\n\r\n") + 4;
        assert_int_equal(body[0], 0x88);
        assert_int_equal(body[2] << 8 | body[3], cases[i].code);
        buf_free(&r.received);
    }
    pair_close(&p);
}

static void a_lost_connection_is_1006(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, NULL);
    struct raw r = {
        .port = ws_server_port(p.server), .send = {SPAN(UPGRADE("1", "")), SPAN("\x81"), SPAN("")}, .hang_up = true};
    raw_run(p.loop, &r);
    run_until(p.loop, &p.far.closed);
    assert_int_equal(p.far.code, 1006);
    assert_int_equal(p.far.reason.len, 0);
    buf_free(&r.received);
    pair_close(&p);
}

// Upgrade requests and frames with bytes changed, left out and repeated. TANDEM_SEED=N runs a seed again.
static void damaged_input_does_no_harm(void **state)
{
    enum { CASES = 300, LEN = 400 };
    static const struct span good = SPAN(UPGRADE("1", "") "\x81\x85\0\0\0\0hello\x02\xfe\1\2\0\0\0\0");
    (void)state;
    struct pair p;
    const char *given = getenv("TANDEM_SEED");
    unsigned seed = given != NULL ? (unsigned)atoi(given) : (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    pair_listen(&p, NULL);
    for (int i = 0; i < CASES; i++) {
        char bytes[LEN];
        size_t n = 0;
        for (size_t k = 0; k < good.len && n < LEN; k++) {
            int what = rand() % 60;
            if (what == 0)
                k += (size_t)(rand() % 8); // leave out
            else if (what == 1)
                k -= k > 8 ? (size_t)(rand() % 8) : 0; // repeat
            bytes[n++] = what == 2 || k >= good.len ? (char)rand() : good.ptr[k];
        }
        struct raw r = {.port = ws_server_port(p.server), .send = {{bytes, n}, SPAN(""), SPAN("")}, .hang_up = true};
        raw_run(p.loop, &r);
        buf_free(&r.received);
    }
    pair_dial(&p, ws_server_url(p.server));
    run_until(p.loop, &p.connected); // still in service
    pair_close(&p);
}

static void slow_handshakes_are_cut_off(void **state)
{
    (void)state;
    struct pair p;
    pair_listen(&p, &(struct ws_server_options){.handshake_ms = 300});
    struct raw r = {.port = ws_server_port(p.server), .send = {SPAN("GET / HT"), SPAN("TP/1"), SPAN(".1\r\nHo")}};
    uint64_t begun = loop_now(p.loop);
    raw_run(p.loop, &r);
    uint64_t took = loop_now(p.loop) - begun;
    assert_true(took >= 290 && took < 5000);
    assert_int_equal(ws_server_stats(p.server).refused_request, 1);
    run_for(p.loop, 10);
    assert_int_equal(ws_server_stats(p.server).connections, 0);
    buf_free(&r.received);
    pair_close(&p);
}

static void dial_as(struct pair *p, const char *url, struct peer *as)
{
    pair_dial(p, url);
    run_until(p->loop, &p->connected);
    peer_use(as, p->near.transport);
    p->near = (struct peer){0};
}

static void connections_are_limited(void **state)
{
    (void)state;
    static const struct ws_server_options limits[] = {{.max_connections = 2}, {.max_per_address = 2}};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        struct peer first = {0}, second = {0}, third = {0};
        char url[64];
        pair_listen(&p, &limits[i]);
        snprintf(url, sizeof url, "ws://127.0.0.1:%u", ws_server_port(p.server));
        dial_as(&p, url, &first);
        dial_as(&p, url, &second);
        pair_dial(&p, url);
        run_until(p.loop, &p.failed);
        assert_int_equal(ws_server_stats(p.server).refused_limit, 1);
        first.transport->ops->close(first.transport, "make room");
        run_until(p.loop, &first.closed);
        bool full = true;
        while (full) {
            run_for(p.loop, 5);
            full = ws_server_stats(p.server).connections == 2;
        }
        dial_as(&p, url, &third);
        pair_close(&p);
        assert_int_equal(first.closings + second.closings + third.closings, 3);
        peer_free(&first);
        peer_free(&second);
        peer_free(&third);
    }
}

static int connect_from(const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    inet_pton(AF_INET, address, &from.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

// Six may wait: a crowd from one address displaces its own, and neither another address nor who is trusted.
static void a_crowd_displaces_its_own(void **state)
{
    (void)state;
    static const struct ws_server_options options = {
        .max_connections = 8, .max_waiting = 6, .refused = remember_refusal};
    struct pair p;
    struct peer trusted = {0};
    char url[64];
    int crowd[20];
    pair_listen(&p, &options);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", ws_server_port(p.server));
    dial_as(&p, url, &trusted);
    p.far.transport->trusted = true;
    int other = connect_from("127.0.0.2", ws_server_port(p.server));
    for (int i = 0; i < 20; i++) {
        crowd[i] = connect_from("127.0.0.1", ws_server_port(p.server));
        run_for(p.loop, 5);
    }
    run_for(p.loop, 50);
    for (int i = 0; i < 20; i++)
        assert_int_equal(is_closed(crowd[i]), i < 15);
    assert_false(is_closed(other));
    assert_false(trusted.closed);
    assert_string_equal(last_refusal, "crowded");
    assert_int_equal(ws_server_stats(p.server).connections, 7);
    for (int i = 0; i < 20; i++)
        close(crowd[i]);
    close(other);
    pair_close(&p);
    peer_free(&trusted);
}

// Of 8 one address has 4, the next one 2, and there is one for whoever comes then.
static void an_address_leaves_room_for_others(void **state)
{
    (void)state;
    static const struct ws_server_options options = {.max_connections = 8, .leave_room = true};
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    static const int shares[] = {4, 2, 1};
    struct pair p;
    int crowd[3][8];
    pair_listen(&p, &options);
    for (int a = 0; a < 3; a++) {
        int open = 0;
        for (int i = 0; i < 8; i++)
            crowd[a][i] = connect_from(addresses[a], ws_server_port(p.server));
        run_for(p.loop, 50);
        for (int i = 0; i < 8; i++)
            open += !is_closed(crowd[a][i]);
        assert_int_equal(open, shares[a]);
    }
    for (int i = 0; i < 24; i++)
        close(crowd[i / 8][i % 8]);
    pair_close(&p);
}

static void a_taken_port_is_named(void **state)
{
    (void)state;
    struct pair p;
    struct error e = {0};
    char address[32];
    pair_listen(&p, NULL);
    static const char *const forms[] = {"localhost:%u", "127.0.0.1:%u", "[::1]:%u"};
    for (int i = 0; i < 3; i++) {
        snprintf(address, sizeof address, forms[i], ws_server_port(p.server));
        assert_null(ws_server_listen(p.loop, address, NULL, NULL, NULL, &e));
        assert_string_equal(e.code, "PORT-TAKEN");
    }
    pair_close(&p);
}

static void a_port_taken_on_one_family_only_is_taken(void **state)
{
    (void)state;
    struct pair p;
    struct error e = {0};
    char address[32];
    pair_listen(&p, NULL);
    struct ws_server *v6 = ws_server_listen(p.loop, "[::1]:0", NULL, NULL, NULL, &e);
    assert_non_null(v6);
    snprintf(address, sizeof address, "localhost:%u", ws_server_port(v6));
    assert_null(ws_server_listen(p.loop, address, NULL, NULL, NULL, &e));
    assert_string_equal(e.code, "PORT-TAKEN");
    ws_server_destroy(v6);
    pair_close(&p);
}

static void a_wildcard_listener_needs_names(void **state)
{
    (void)state;
    struct pair p;
    struct error e = {0};
    pair_listen(&p, NULL);
    const char *const none[] = {NULL};
    assert_null(ws_server_listen(p.loop, "0.0.0.0:0", NULL, NULL, NULL, &e));
    assert_string_equal(e.code, "HOSTS-MISSING");
    error_clear(&e);
    assert_null(ws_server_listen(p.loop, "[::]:0", &(struct ws_server_options){.hosts = none}, NULL, NULL, &e));
    assert_string_equal(e.code, "HOSTS-MISSING");
    assert_null(ws_server_listen(p.loop, "192.0.2.1:0", NULL, NULL, NULL, &e));
    assert_string_equal(e.code, "BAD-ADDRESS");
    pair_close(&p);
}

static void accepted_transports_outlive_their_listener(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, NULL);
    ws_server_destroy(p.server);
    p.server = NULL;
    send_text(&p.near, SPAN("still there"));
    run_until(p.loop, &p.far.got);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_keep_their_kind_and_content),
        cmocka_unit_test(closing_tells_the_other_side_why),
        cmocka_unit_test(long_reasons_are_cut_between_characters),
        cmocka_unit_test(what_is_open_is_told_when_the_loop_ends),
        cmocka_unit_test(too_big_messages_close_with_1009),
        cmocka_unit_test(a_paused_receiver_holds_the_sender_back),
        cmocka_unit_test(a_transport_wakes_its_user),
        cmocka_unit_test(a_silent_peer_cannot_prevent_closing),
        cmocka_unit_test(plain_http_is_told_to_upgrade),
        cmocka_unit_test(a_listener_may_answer_http),
        cmocka_unit_test(only_own_pages_and_names_get_in),
        cmocka_unit_test(a_page_of_its_own_gets_in_alone),
        cmocka_unit_test(nameless_origins_get_in_only_when_listed),
        cmocka_unit_test(other_upgrades_and_extensions_are_refused),
        cmocka_unit_test(whoever_is_turned_away_is_told_of),
        cmocka_unit_test(who_goes_in_the_middle_was_not_refused),
        cmocka_unit_test(continuation_frames_become_one_message),
        cmocka_unit_test(breaches_of_the_protocol_close),
        cmocka_unit_test(a_lost_connection_is_1006),
        cmocka_unit_test(damaged_input_does_no_harm),
        cmocka_unit_test(slow_handshakes_are_cut_off),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(a_crowd_displaces_its_own),
        cmocka_unit_test(an_address_leaves_room_for_others),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(a_port_taken_on_one_family_only_is_taken),
        cmocka_unit_test(a_wildcard_listener_needs_names),
        cmocka_unit_test(accepted_transports_outlive_their_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
