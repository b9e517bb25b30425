// Requests that are passed on as they came: what is read of them, which have no outline, and that whatever has one is a
// request, too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/jsonrpc.h"

#define REQUEST(method, params) "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":" params "}"

static bool any(void *ctx, const struct ipc_method *m)
{
    (void)ctx;
    return m->site == IPC_NODE;
}

// What an outline passes on is what the request has, but for "node".
static bool passes(struct span text)
{
    struct outline o;
    if (!outline_read(text, any, NULL, &o))
        return false;
    struct jsonrpc_message m;
    struct buf passed = {0};
    assert_int_equal(jsonrpc_parse(text, &m, NULL), STATUS_OK);
    assert_int_equal(m.kind, JSONRPC_REQUEST);
    assert_string_equal(m.method, o.method->name);
    assert_true(json_equal(m.id, o.id));
    buf_add_char(&passed, '{');
    outline_pass(&o, &passed);
    buf_add_char(&passed, '}');
    json_t *again = json_loadb(passed.data, passed.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    json_object_del(m.params, "node");
    assert_true(json_equal(again, m.params));
    json_decref(again);
    buf_free(&passed);
    jsonrpc_release(&m);
    outline_release(&o);
    return true;
}

static void what_says_where_it_goes_is_read(void **state)
{
    (void)state;
    struct outline o;
    struct buf passed = {0};
    struct span text =
        SPAN(REQUEST("chat.send", "{ \"to\" : \"ann\", \"node\":\"archive\",\"text\": \"a \\\"b\\\" \\u00e4\","
                                  "\"attachments\":[{\"hash\":\"x\"}], \"as\":\"me\"}"));
    assert_true(outline_read(text, any, NULL, &o));
    assert_string_equal(o.method->name, "chat.send");
    assert_int_equal(json_integer_value(o.id), 7);
    assert_string_equal(json_string_value(o.given[P_to]), "ann");
    assert_string_equal(json_string_value(o.given[P_node]), "archive");
    assert_string_equal(json_string_value(o.given[P_as]), "me");
    assert_null(o.given[P_text]); // may be long
    outline_pass(&o, &passed);
    assert_string_equal(buf_cstr(&passed), "\"to\" : \"ann\",\"text\": \"a \\\"b\\\" \\u00e4\","
                                           "\"attachments\":[{\"hash\":\"x\"}],\"as\":\"me\"");
    buf_free(&passed);
    outline_release(&o);
}

static void others_have_no_outline(void **state)
{
    static const char *const texts[] = {
        REQUEST("status", "{}"), // nobody wants it
        REQUEST("nothing", "{}"),
        REQUEST("chat.send", "[]"),
        REQUEST("chat.send", "{\"to\":\"ann\",\"to\":\"bob\"}"),
        REQUEST("chat.send", "{\"nobody\":1}"),
        REQUEST("chat.send", "{\"t\\u006f\":\"ann\"}"),
        REQUEST("chat.send", "{\"to\":\"ann\"}}"),
        REQUEST("chat.send", "{}to{}"),
        REQUEST("chat.send", "{\"node\":\"nowhere\"}"),
        REQUEST("chat.send", "{\"node\":7}"),
        REQUEST("chat.send", "{\"to\":\"\"}"),
        REQUEST("chat.send", "{\"text\":\"\\ud83d\\ude00\"}"), // is for who can put it together
        REQUEST("chat.send", "{\"text\":\"\\x\"}"),
        REQUEST("chat.send", "{\"text\":\"a\tb\"}"),
        REQUEST("chat.send", "{\"text\":\"\xc3\x28\"}"),
        REQUEST("chat.send", "{\"text\":}"),
        REQUEST("chat.send", "{\"attachments\":[1}"),
        REQUEST("chat.send", "{\"attachments\":[{\"a\":1,\"a\":2}]}"),
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"chat.send\",\"params\":{}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"chat.send\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"chat.send\",\"params\":{},\"until\":1}",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(passes(span_of(texts[i])));
}

static void whatever_has_an_outline_is_a_request(void **state)
{
    static const char *const texts[] = {
        REQUEST(
            "chat.send",
            "{\"to\":\"ann\",\"node\":\"sparse\",\"text\":\"hello \xc3\xa4 \\n\",\"attachments\":[{\"a\":[1,2.5]}]}"),
        REQUEST("topic.create", "{\"persons\":[\"ann\",\"bob\"],\"name\":\"x\",\"history\":true,\"everyone\":false}"),
        REQUEST("chat.list", "{\"with\":\"ann\",\"limit\":20,\"before\":\""
                             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                             "\"}"),
    };
    static const char bytes[] = "\"\\{}[]:,u0d8\x01\x80\xc3 nt1e-.";
    unsigned random = 1;
    size_t passed = 0;
    (void)state;
    for (size_t n = 0; n < 60000; n++) {
        char text[400];
        const char *from = texts[n % 3];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (size_t k = 0; k < 1 + n % 2; k++) {
            random = random * 1103515245u + 12345u;
            text[(random >> 8) % len] = bytes[(random >> 20) % (sizeof bytes - 1)];
        }
        passed += passes((struct span){text, len});
    }
    assert_true(passed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_says_where_it_goes_is_read),
        cmocka_unit_test(others_have_no_outline),
        cmocka_unit_test(whatever_has_an_outline_is_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
