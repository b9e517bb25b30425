#include "data/stringify.h"
#include "tests/unit/cmocka_all.h"

struct fixture {
    struct arena *arena;
    struct buf out;
};

static int set_up(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    f->arena = arena_create();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_destroy(f->arena);
    buf_free(&f->out);
    free(f);
    return 0;
}

static void expect_text(struct fixture *f, const char *json, const char *wanted)
{
    struct value *v;
    struct error e = {0};
    assert_int_equal(stringify_read(f->arena, span_of(json), &v, &e), STATUS_OK);
    buf_clear(&f->out);
    assert_int_equal(stringify_write(v, &f->out, NULL, &e), STATUS_OK);
    assert_string_equal(buf_cstr(&f->out), wanted);
}

static void text_is_made_deterministic(void **state)
{
    struct fixture *f = *state;
    expect_text(f, " { \"b\" : 1.0 , \"a\" : [ true , false , null ] } ", "{\"a\":[true,false,null],\"b\":1}");
    expect_text(f, "\"\\u00e4\\/\\n\\u0001\"", "\"\xC3\xA4/\\n\\u0001\"");
    expect_text(f, "\"\\ud83d\\ude00 \\ude00\\ud83d\"", "\"\xF0\x9F\x98\x80 \\ude00\\ud83d\"");
    expect_text(f, "[1e400,-0,1E2]", "[null,0,100]");
    expect_text(f, "{\"\xEE\x80\x80\":1,\"\xF0\x9F\x98\x80\":2}", "{\"\xF0\x9F\x98\x80\":2,\"\xEE\x80\x80\":1}");
}

static void of_equal_keys_the_last_one_wins(void **state)
{
    expect_text(*state, "{\"a\":1,\"b\":2,\"a\":3,\"a\":4}", "{\"a\":4,\"b\":2}");
}

static void malformed_texts_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "",        "{",         "[1,]",  "{\"a\"}",    "{\"a\":}", "{a:1}",  "'a'",   "01",
        "1.",      ".5",        "+1",    "-",          "1e",       "tru",    "nullx", "\"a",
        "\"\\x\"", "\"\\u12\"", "[1 2]", "{\"a\":1,}", "[1]]",     "\"\n\"", "\"\\",  "{\"a\":1 \"b\":2}",
        "NaN",     "undefined",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value *v;
        struct error e = {0};
        assert_int_equal(stringify_read(f->arena, span_of(bad[i]), &v, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-JSON");
    }
}

static void nesting_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct value *v;
    struct error e = {0};
    struct buf bomb = {0};
    for (int i = 0; i < STRINGIFY_MAX_DEPTH; i++)
        buf_add_char(&bomb, '[');
    for (int i = 0; i < STRINGIFY_MAX_DEPTH; i++)
        buf_add_char(&bomb, ']');
    assert_int_equal(stringify_read(f->arena, buf_span(&bomb), &v, &e), STATUS_OK);
    assert_int_equal(stringify_write(v, &f->out, NULL, &e), STATUS_OK);
    buf_clear(&bomb);
    for (int i = 0; i < 5000000; i++)
        buf_add_char(&bomb, '[');
    assert_int_equal(stringify_read(f->arena, buf_span(&bomb), &v, &e), STATUS_TOO_BIG);
    struct value *self = value_list(f->arena);
    value_add(f->arena, self, self);
    assert_int_equal(stringify_write(self, &f->out, NULL, &e), STATUS_TOO_BIG);
    assert_string_equal(e.code, "USS-STR1");
    buf_free(&bomb);
}

static void keys_that_need_escapes_are_refused(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct value *v = value_object(f->arena, (struct span){0});
    value_set_member(f->arena, v, SPAN("a\"b"), value_null(f->arena));
    buf_clear(&f->out);
    assert_int_equal(stringify_write(v, &f->out, NULL, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-KEY");
    assert_int_equal(f->out.len, 0);
}

static void dates_have_iso_texts(void **state)
{
    struct fixture *f = *state;
    static const struct {
        double ms;
        const char *text;
    } cases[] = {
        {0, "\"1970-01-01T00:00:00.000Z\""},
        {-1, "\"1969-12-31T23:59:59.999Z\""},
        {1700000000123.0, "\"2023-11-14T22:13:20.123Z\""},
        {951782400000.0, "\"2000-02-29T00:00:00.000Z\""},
        {8.64e15, "\"+275760-09-13T00:00:00.000Z\""},
        {-62198755200000.0, "\"-000001-01-01T00:00:00.000Z\""},
        {9e15, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value *v = value_make(f->arena, VALUE_DATE);
        v->number = cases[i].ms;
        buf_clear(&f->out);
        assert_int_equal(stringify_write(v, &f->out, NULL, NULL), STATUS_OK);
        assert_string_equal(buf_cstr(&f->out), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_made_deterministic),         cmocka_unit_test(of_equal_keys_the_last_one_wins),
        cmocka_unit_test(malformed_texts_are_refused),        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(keys_that_need_escapes_are_refused), cmocka_unit_test(dates_have_iso_texts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
