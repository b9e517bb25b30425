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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beyond_a_limit_is_not_parsed),
        cmocka_unit_test(what_is_no_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
