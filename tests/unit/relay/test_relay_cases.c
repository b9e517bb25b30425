// What the reference's communication server did with malformed, forbidden and unusual input (vectors/wire/errors.json,
// target "relay"), asked of our relay. Only the text a JavaScript engine adds to a syntax error may differ, and early
// data of a requester, which the reference loses, arrives.
#include "relay_testing.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "net/relay_message.h"

#define HANDOVER "{\"command\":\"connection_handover\"}"
#define SYNTAX_ERROR "Close called: Received message that does not conform to JSON: SyntaxError: "

static const char *reason_of(const json_t *record)
{
    const json_t *reason = json_object_get(json_object_get(record, "close"), "reason");
    assert_non_null(reason);
    return json_string_value(reason);
}

static void expect_reason(struct user *u, const json_t *record)
{
    const char *wanted = reason_of(record);
    bool engine = strncmp(wanted, SYNTAX_ERROR, strlen(SYNTAX_ERROR)) == 0;
    run_until(u->loop, &u->closed);
    if (engine)
        assert_memory_equal(buf_cstr(&u->reason), SYNTAX_ERROR, strlen(SYNTAX_ERROR));
    else
        assert_string_equal(buf_cstr(&u->reason), wanted);
    assert_int_equal(u->code, json_integer_value(json_object_get(json_object_get(record, "close"), "code")));
}

// One message, taken from the record's log, closes the socket.
static void one_message(struct bench *b, const json_t *record)
{
    struct user u;
    const json_t *out = json_array_get(json_object_get(record, "log"), 0);
    const char *text = json_string_value(json_object_get(out, "text"));
    user_dial(b, &u);
    if (text != NULL)
        user_send(&u, text);
    else
        user_send_bytes(&u, SPAN("\x01"));
    expect_reason(&u, record);
    assert_int_equal(u.count, 0);
    user_free(&u);
}

static void send_response(struct user *u, const struct buf *sealed)
{
    struct buf text = {0};
    relay_message_write(
        &(struct relay_message){.command = RELAY_AUTHENTICATION_RESPONSE, .first = {sealed->data, sealed->len, 0}},
        &text);
    user_send(u, buf_cstr(&text));
    buf_free(&text);
}

static void wrong_response(struct bench *b, const json_t *record)
{
    struct user u;
    struct buf sealed = {0}, wrong = {0};
    struct public_key relay;
    struct secret shared;
    char bytes[RELAY_CHALLENGE] = "wrong";
    user_dial(b, &u);
    user_challenge(&u, &b->bob, &sealed, &relay);
    assert_int_equal(box_shared_key(&relay, &b->bob.secret, &shared, NULL), STATUS_OK);
    box_seal(&shared, (struct span){bytes, sizeof bytes}, &wrong);
    send_response(&u, &wrong);
    expect_reason(&u, record);
    user_free(&u);
    buf_free(&sealed);
    buf_free(&wrong);
    secret_destroy(&shared);
}

static void response_not_inverted(struct bench *b, const json_t *record)
{
    struct user u;
    struct buf sealed = {0};
    struct public_key relay;
    user_dial(b, &u);
    user_challenge(&u, &b->bob, &sealed, &relay);
    send_response(&u, &sealed);
    expect_reason(&u, record);
    user_free(&u);
    buf_free(&sealed);
}

static void undecryptable_response(struct bench *b, const json_t *record)
{
    struct user u;
    struct buf sealed = {0};
    struct public_key relay;
    user_dial(b, &u);
    user_challenge(&u, &b->bob, &sealed, &relay);
    user_send(&u, "{\"command\":\"authentication_response\",\"response\":\"aabb\"}");
    expect_reason(&u, record);
    user_free(&u);
    buf_free(&sealed);
}

static void register_ok(struct bench *b, const json_t *record)
{
    struct user u;
    const json_t *success = json_object_get(record, "observed");
    char *wanted = json_dumps(success, JSON_COMPACT);
    user_dial(b, &u);
    user_register(&u, &b->bob);
    assert_string_equal(buf_cstr(&u.messages[u.read - 1]), wanted);
    run_for(b->loop, 100);
    assert_false(u.closed);
    user_free(&u);
    free(wanted);
}

static void uppercase_target(struct bench *b, const json_t *record)
{
    struct user listener, requester;
    char *request = request_text(&b->alice, &b->bob), *upper = mem_text(span_of(request));
    (void)record;
    for (char *c = strstr(upper, "target") + 18; *c != '"'; c++)
        *c = (char)(*c >= 'a' ? *c - 32 : *c);
    user_dial(b, &listener);
    user_register(&listener, &b->bob);
    user_dial(b, &requester);
    user_send(&requester, upper);
    user_expect(&listener, HANDOVER);
    user_expect(&listener, request); // in lower case
    user_free(&requester);
    user_free(&listener);
    free(request);
    free(upper);
}

static void last_spare_first(struct bench *b, const json_t *record)
{
    struct user first, second, requester;
    char *request = request_text(&b->alice, &b->bob);
    (void)record;
    user_dial(b, &first);
    user_register(&first, &b->bob);
    user_dial(b, &second);
    user_register(&second, &b->bob);
    user_dial(b, &requester);
    user_send(&requester, request);
    user_expect(&second, HANDOVER);
    user_expect(&second, request);
    run_for(b->loop, 50);
    assert_int_equal(first.count, first.read);
    user_free(&requester);
    user_free(&second);
    user_free(&first);
    free(request);
}

static void early_data(struct bench *b, const json_t *record)
{
    struct user listener, requester;
    char *request = request_text(&b->alice, &b->bob);
    user_dial(b, &listener);
    user_register(&listener, &b->bob);
    user_dial(b, &requester);
    user_send(&requester, request);
    user_send(&requester, "early");
    user_expect(&listener, HANDOVER);
    user_expect(&listener, request);
    user_expect(&listener, "early"); // better than the reference
    user_send(&requester, "later");
    user_expect(&listener, "later");
    user_send_bytes(&listener, SPAN("\x01\x02\x03"));
    user_next(&requester);
    listener.transport->ops->close(listener.transport, reason_of(record));
    expect_reason(&requester, record);
    user_free(&requester);
    user_free(&listener);
    free(request);
}

static void tcp_loss(struct bench *b, const json_t *record)
{
    struct user listener;
    char *request = request_text(&b->alice, &b->bob);
    user_dial(b, &listener);
    user_register(&listener, &b->bob);
    struct buf frames = {0};
    buf_add_text(&frames, "\x81\xfe"); // masked with zeros
    buf_add_char(&frames, (char)(strlen(request) >> 8));
    buf_add_char(&frames, (char)strlen(request));
    buf_add(&frames, "\0\0\0\0", 4);
    buf_add_text(&frames, request);
    struct raw raw = {.port = (uint16_t)atoi(strrchr(relay_url(b->relay), ':') + 1),
                      .send = {SPAN(UPGRADE("1", "")), buf_span(&frames), SPAN("x")},
                      .hang_up = true};
    raw_run(b->loop, &raw);
    user_expect(&listener, HANDOVER);
    user_expect(&listener, request);
    expect_reason(&listener, record);
    user_free(&listener);
    buf_free(&raw.received);
    buf_free(&frames);
    free(request);
}

static void second_register(struct bench *b, const json_t *record)
{
    struct user u;
    char *text = register_text(&b->bob);
    (void)record;
    user_dial(b, &u);
    user_register(&u, &b->bob);
    user_send(&u, text);
    run_for(b->loop, 100);
    assert_false(u.closed);
    user_free(&u);
    free(text);
}

static void no_pong(struct bench *b, const json_t *record)
{
    struct user u;
    bench_close(b);
    bench_open(b, &(struct relay_options){.ping_interval_ms = 100, .pong_timeout_ms = 50});
    user_dial(b, &u);
    user_register(&u, &b->bob);
    user_expect(&u, json_string_value(json_array_get(json_object_get(record, "observed"), 0)));
    expect_reason(&u, record);
    user_free(&u);
}

static const struct {
    const char *name;
    void (*replay)(struct bench *b, const json_t *record);
} cases[] = {
    {"relay: not JSON", one_message},
    {"relay: unknown command", one_message},
    {"relay: pong as first message", one_message},
    {"relay: binary", one_message},
    {"relay: register without key", one_message},
    {"relay: register short key", one_message},
    {"relay: register ok", register_ok},
    {"relay: wrong response", wrong_response},
    {"relay: response not inverted", response_not_inverted},
    {"relay: undecryptable response", undecryptable_response},
    {"relay: request for unregistered key", one_message},
    {"relay: request with malformed key", one_message},
    {"relay: request with uppercase target key", uppercase_target},
    {"relay: last registered spare is used first (LIFO)", last_spare_first},
    {"relay: early data from requester is lost before the splice", early_data},
    {"relay: abrupt TCP loss of one side", tcp_loss},
    {"relay: data before register answer etc. (second register on the same socket)", second_register},
    {"relay: no pong answered", no_pong},
};

enum { CASES = sizeof cases / sizeof cases[0] };

static void replay(const json_t *record)
{
    const char *name = json_string_value(json_object_get(record, "case"));
    struct bench b;
    for (size_t i = 0; i < CASES; i++) {
        if (strcmp(cases[i].name, name) != 0)
            continue;
        print_message("%s\n", name);
        bench_open(&b, NULL);
        cases[i].replay(&b, record);
        bench_close(&b);
        return;
    }
    fail_msg("no test for the case %s", name);
}

static void recorded_cases_end_as_recorded(void **state)
{
    (void)state;
    json_error_t why;
    size_t index, seen = 0;
    json_t *record, *records = json_load_file(TEST_VECTORS "/wire/errors.json", 0, &why);
    if (records == NULL)
        fail_msg("%s", why.text);
    json_array_foreach(records, index, record)
    {
        const char *target = json_string_value(json_object_get(record, "target"));
        if (target == NULL || strcmp(target, "relay") != 0)
            continue;
        replay(record);
        seen++;
    }
    assert_int_equal(seen, CASES);
    json_decref(records);
}

static void messages_that_are_none_are_told_apart(void **state)
{
    (void)state;
    struct relay_message m;
    struct error e;
    assert_int_equal(relay_message_parse(SPAN("x"), &m, &e), STATUS_INVALID);
    assert_string_equal(e.code, "NOT-JSON");
    assert_int_equal(relay_message_parse(SPAN("{\"command\":\"greet\"}"), &m, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-MESSAGE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_cases_end_as_recorded),
        cmocka_unit_test(messages_that_are_none_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
