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

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct span s = SPAN("a\xC3\xA4\xE2\x82\xAC");
    static const size_t lengths[] = {0, 1, 1, 3, 3, 3, 6, 6};
    for (size_t max = 0; max < sizeof lengths / sizeof *lengths; max++)
        assert_int_equal(utf8_beginning(s, max).len, lengths[max]);
    assert_int_equal(utf8_beginning(SPAN("\x80\x80\x80"), 2).len, 0);
}

static void of_an_unfinished_text_the_last_character_waits(void **state)
{
    (void)state;
    struct span s = SPAN("\xE2\x82\xAC\xC3\xA4z");
    static const size_t lengths[] = {0, 0, 0, 0, 3, 3, 6};
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++)
        assert_int_equal(utf8_certain((struct span){s.ptr, n}).len, lengths[n]);
    assert_int_equal(utf8_certain(SPAN("a\x80\x80\x80\x80")).len, 1); // no UTF-8: looks no further back
    assert_int_equal(utf8_certain(SPAN("abc\x80")).len, 4);
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
        text_add_json(cases[i].text, &out);
        assert_string_equal(buf_cstr(&out), cases[i].json);
        buf_free(&out);
    }
}

static void plain_text_stays_in_its_line(void **state)
{
    (void)state;
    static const char *const odd[] = {"a\n",          "\x1b",         "\x7f",         "\xC2\x85",
                                      "\xE2\x80\xAE", "\xE2\x81\xA6", "\xEF\xBB\xBF", "\xff"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(text_is_plain(span_of(odd[i])));
    assert_true(text_is_plain(SPAN("")) && text_is_plain(SPAN("\xC3\xBC \xF0\x9F\x98\x80 ok@x")));
    assert_false(text_is_plain((struct span){"a\0b", 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_written_as_the_reference_writes_them),
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(repair_replaces_maximal_parts),
        cmocka_unit_test(order_is_that_of_utf16),
        cmocka_unit_test(controls_are_shown_not_obeyed),
        cmocka_unit_test(plain_text_stays_in_its_line),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(of_an_unfinished_text_the_last_character_waits),
        cmocka_unit_test(base64_round_trips_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
