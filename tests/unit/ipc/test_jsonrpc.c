// Every way a message can be no JSON-RPC 2.0, and the round trip of those that are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/jsonrpc.h"

static const struct {
    const char *text;
    const char *code;
    bool id; // an error answer can carry the id
} bad[] = {
    {"", "BAD-JSON", false},
    {"GET / HTTP/1.1\r\n", "BAD-JSON", false},
    {"{\"jsonrpc\":\"2.0\"", "BAD-JSON", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"status\"}", "BAD-JSON", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}", "BAD-TEXT", false},
    {"[]", "BAD-REQUEST", false},
    {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}]", "BAD-REQUEST", false},
    {"{}", "BAD-REQUEST", false},
    {"{\"id\":1,\"method\":\"status\"}", "BAD-REQUEST", true},
    {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", "BAD-REQUEST", true},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"status\"}", "BAD-REQUEST", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"status\"}", "BAD-REQUEST", false},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", "BAD-REQUEST", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":[]}", "BAD-REQUEST", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":1}", "BAD-REQUEST", true},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}", "BAD-REQUEST", true},
};

static void malformed_messages_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jsonrpc_message m;
        struct error e = {0};
        assert_int_equal(jsonrpc_parse(span_of(bad[i].text), &m, &e), STATUS_INVALID);
        assert_string_equal(e.code, bad[i].code);
        assert_int_equal(m.id != NULL, bad[i].id);
        jsonrpc_release(&m);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct buf b = {0};
    struct jsonrpc_message m;
    struct error e = {0};
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, '[');
    assert_int_equal(jsonrpc_parse(buf_span(&b), &m, &e), STATUS_INVALID);
    jsonrpc_release(&m);
    buf_free(&b);
}

static void round_trip(json_t *message, enum jsonrpc_kind kind, struct jsonrpc_message *m)
{
    struct error e = {0};
    char *text = json_dumps(message, 0);
    assert_int_equal(jsonrpc_parse(span_of(text), m, &e), STATUS_OK);
    assert_int_equal(m->kind, kind);
    free(text);
    json_decref(message);
}

static void messages_survive(void **state)
{
    (void)state;
    struct jsonrpc_message m;
    round_trip(jsonrpc_request(7, "status", NULL), JSONRPC_REQUEST, &m);
    assert_string_equal(m.method, "status");
    assert_int_equal(json_integer_value(m.id), 7);
    assert_true(json_is_object(m.params));
    jsonrpc_release(&m);

    json_t *id = json_string("a");
    round_trip(jsonrpc_answer(id, json_pack("{s:i}", "n", 1)), JSONRPC_ANSWER, &m);
    assert_string_equal(json_string_value(m.id), "a");
    assert_int_equal(json_integer_value(json_object_get(m.result, "n")), 1);
    jsonrpc_release(&m);

    struct error e = {0};
    error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "late");
    round_trip(jsonrpc_failure(id, &e), JSONRPC_ANSWER, &m);
    assert_null(m.result);
    assert_int_equal(json_integer_value(json_object_get(m.error, "code")), 500);
    jsonrpc_release(&m);
    round_trip(jsonrpc_answer(id, json_pack("{s:s#}", "text", "a\0b", 3)), JSONRPC_ANSWER, &m);
    assert_int_equal(json_string_length(json_object_get(m.result, "text")), 3);
    jsonrpc_release(&m);
    json_decref(id);

    round_trip(jsonrpc_event("chat.sent", NULL), JSONRPC_EVENT, &m);
    assert_string_equal(m.method, "chat.sent");
    jsonrpc_release(&m);
}

static void secrets_are_wiped_where_they_lie(void **state)
{
    (void)state;
    static const char zeros[3];
    json_t *params = json_pack("{s:s#, s:s}", "secret", "k\0y", 3, "name", "kept");
    const char *bytes = json_string_value(json_object_get(params, "secret"));
    jsonrpc_wipe(params, "secret");
    jsonrpc_wipe(params, "missing");
    assert_memory_equal(bytes, zeros, sizeof zeros);
    assert_string_equal(json_string_value(json_object_get(params, "name")), "kept");
    json_decref(params);
}

static void a_method_is_not_cut(void **state)
{
    (void)state;
    struct jsonrpc_message m;
    struct error e = {0};
    const char *text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\\u0000x\"}";
    assert_int_equal(jsonrpc_parse(span_of(text), &m, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
    assert_int_equal(json_integer_value(m.id), 1);
    jsonrpc_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_messages_are_named),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_method_is_not_cut),
        cmocka_unit_test(messages_survive),
        cmocka_unit_test(secrets_are_wiped_where_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
