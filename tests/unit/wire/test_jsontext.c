#include "tests/unit/cmocka_all.h"
#include "wire/jsontext.h"

static const struct jsontext_limits limits = {.bytes = 64, .depth = 3, .values = 8};

static const char *code_of(const char *text)
{
    static struct error e;
    json_t *json = jsontext_parse(span_of(text), limits, &e);
    const char *code = json != NULL ? "" : e.code;
    json_decref(json);
    return code;
}

static void what_is_beyond_a_limit_is_not_parsed(void **state)
{
    (void)state;
    assert_string_equal(code_of("[[[1,2,3,4]]]"), "");
    assert_string_equal(code_of("[[[[1]]]]"), "JSON-TOO-BIG");
    assert_string_equal(code_of("[1,2,3,4,5,6,7,8,9]"), "JSON-TOO-BIG");
    assert_string_equal(code_of("\"0123456789012345678901234567890123456789012345678901234567890123\""),
                        "JSON-TOO-BIG");
    assert_string_equal(code_of("[[[\"[[[[,,,,,,,,,,\"]]]"), "");
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    assert_string_equal(code_of(""), "BAD-JSON");
    assert_string_equal(code_of("{"), "BAD-JSON");
    assert_string_equal(code_of("\"\xff\""), "BAD-JSON");
}

static void strings_are_written_as_the_reference_writes_them(void **state)
{
    (void)state;
    static const struct {
        struct span text;
        const char *json;
    } cases[] = {
        {SPAN(""), "\"\""},
        {SPAN("plain \xc3\xa4 / \x7f"), "\"plain \xc3\xa4 / \x7f\""},
        {SPAN("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {SPAN("a\0b\x1f"
              "c"),
         "\"a\\u0000b\\u001fc\""},
        {SPAN("\xed\xa0\xbdx\xed\xbf\xbf"), "\"\\ud83dx\\udfff\""}, // halves that found no other half
        {SPAN("\xed\x9f\xbf"), "\"\xed\x9f\xbf\""},                 // the last before them
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        jsontext_add_string(cases[i].text, &out);
        assert_string_equal(buf_cstr(&out), cases[i].json);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_written_as_the_reference_writes_them),
        cmocka_unit_test(what_is_beyond_a_limit_is_not_parsed),
        cmocka_unit_test(what_is_no_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
