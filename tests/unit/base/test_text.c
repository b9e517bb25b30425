#include "base/text.h"
#include "tests/unit/cmocka_all.h"

static void utf8_is_checked_strictly(void **state)
{
    (void)state;
    assert_true(utf8_valid(SPAN("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x91\x8B")));
    assert_false(utf8_valid(SPAN("\xC0\x80")));         // overlong
    assert_false(utf8_valid(SPAN("\xED\xA0\x80")));     // surrogate
    assert_false(utf8_valid(SPAN("\xF4\x90\x80\x80"))); // above U+10FFFF
    assert_false(utf8_valid(SPAN("\xE2\x82")));         // cut
}

static void repair_replaces_maximal_parts(void **state)
{
    (void)state;
    struct buf b = {0};
    utf8_repair(SPAN("a\xF0\x9F\x91z\xFF"), &b); // one U+FFFD for the cut sequence, one for the stray byte
    assert_string_equal(buf_cstr(&b), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
    buf_free(&b);
}

static void order_is_that_of_utf16(void **state)
{
    (void)state;
    assert_true(utf16_compare(SPAN("a"), SPAN("b")) < 0);
    assert_true(utf16_compare(SPAN("a"), SPAN("ab")) < 0);
    assert_int_equal(utf16_compare(SPAN("ab"), SPAN("ab")), 0);
    assert_true(utf16_compare(SPAN("\xF0\x90\x80\x80"), SPAN("\xEE\x80\x80")) < 0); // U+10000 before U+E000
    assert_true(utf16_compare(SPAN("\xED\x9F\xBF"), SPAN("\xF0\x90\x80\x80")) < 0); // U+D7FF before U+10000
    assert_int_equal(utf16_length(SPAN("a\xE2\x82\xAC\xF0\x9F\x91\x8B")), 4);
}

static void controls_are_shown_not_obeyed(void **state)
{
    (void)state;
    struct buf b = {0};
    text_escape_controls(SPAN("a\x1B[2J\xC2\x9B\xE2\x80\xAE"
                              "b\xFF"),
                         &b);
    assert_string_equal(buf_cstr(&b), "a\\x1b[2J\\x9b\\u{202e}b\\xff");
    buf_clear(&b);
    text_escape_in_json(SPAN("{\"a\":\"\\u001b[2J\x7F\xC2\x9B\xE2\x80\xAE\xC3\xBC\"}"), &b);
    assert_string_equal(buf_cstr(&b), "{\"a\":\"\\u001b[2J\\u007f\\u009b\\u202e\xC3\xBC\"}");
    buf_free(&b);
}

static void base64_round_trips_and_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf coded = {0};
        struct buf plain = {0};
        base64_encode(texts[i], strlen(texts[i]), &coded);
        assert_true(base64_decode(buf_span(&coded), &plain));
        assert_true(span_eq_text(buf_span(&plain), texts[i]));
        buf_free(&coded);
        buf_free(&plain);
    }
    struct buf b = {0};
    assert_false(base64_decode(SPAN("Zg="), &b));
    assert_false(base64_decode(SPAN("Z===="), &b));
    assert_false(base64_decode(SPAN("Zg==Zg=="), &b));
    assert_false(base64_decode(SPAN("Z!=="), &b));
    assert_true(base64_decode(SPAN("-_+/"), &b));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_checked_strictly),       cmocka_unit_test(repair_replaces_maximal_parts),
        cmocka_unit_test(order_is_that_of_utf16),         cmocka_unit_test(controls_are_shown_not_obeyed),
        cmocka_unit_test(base64_round_trips_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
