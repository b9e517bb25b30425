#include "data/jsonform.h"
#include "data/microdata.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

#include <time.h>

#define ALL                                                                                                            \
    "{\"$type$\":\"Recipe\",\"name\":\"All\",\"rule\":["                                                               \
    "{\"itemprop\":\"s\",\"optional\":true},"                                                                          \
    "{\"itemprop\":\"b\",\"optional\":true,\"itemtype\":{\"type\":\"bag\",\"item\":{\"type\":\"string\"}}},"           \
    "{\"itemprop\":\"t\",\"optional\":true,\"itemtype\":{\"type\":\"set\",\"item\":{\"type\":\"string\"}}},"           \
    "{\"itemprop\":\"m\",\"optional\":true,\"itemtype\":{\"type\":\"map\",\"key\":{\"type\":\"string\"},"              \
    "\"value\":{\"type\":\"integer\"}}},"                                                                              \
    "{\"itemprop\":\"j\",\"optional\":true,\"itemtype\":{\"type\":\"stringifiable\"}},"                                \
    "{\"itemprop\":\"f\",\"optional\":true,\"itemtype\":{\"type\":\"boolean\"}},"                                      \
    "{\"itemprop\":\"n\",\"optional\":true,\"itemtype\":{\"type\":\"integer\"}}]}"
#define OPEN "<div itemscope itemtype=\"//refin.io/All\">"

static int set_up(void **state)
{
    fixture_begin(state);
    struct fixture *f = *state;
    assert_int_equal(recipes_add(f->recipes, fixture_value(f->a, ALL), NULL), STATUS_OK);
    return 0;
}

static enum status read_text(struct fixture *f, struct span text, struct value **v)
{
    return microdata_read(f->recipes, f->a, text, MICRODATA_OBJECT, (struct span){0}, v, &f->e);
}

static void expect_refusal(struct fixture *f, const char *text, const char *code)
{
    struct value *v;
    assert_int_not_equal(read_text(f, span_of(text), &v), STATUS_OK);
    assert_string_equal(f->e.code, code);
}

static struct span write_value(struct fixture *f, const struct value *v)
{
    struct buf out = {0};
    assert_int_equal(microdata_write(f->recipes, v, MICRODATA_OBJECT, &out, &f->e), STATUS_OK);
    struct span copy = arena_copy(f->a, buf_span(&out));
    buf_free(&out);
    return copy;
}

static void text_is_escaped_and_surrogates_replaced(void **state)
{
    struct fixture *f = *state;
    struct value *v = fixture_value(f->a, "{\"$type$\":\"All\",\"s\":{\"$utf16\":[60,38,62,34,55296,10]}}");
    assert_string_equal(write_value(f, v).ptr, OPEN "<span itemprop=\"s\">&lt;&amp;&gt;\"\xEF\xBF\xBD\n</span></div>");
}

static void only_canonical_texts_are_read(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, OPEN "<span itemprop=\"s\">a & b</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"s\">a > b</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"s\">&quot;</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"f\">True</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"n\">1.5</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"n\">01</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"n\">null</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"j\">{\"b\":1,\"a\":2}</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"j\">[1, 2]</span></div>", "NOT-CANONICAL");
    expect_refusal(f, OPEN "<span itemprop=\"j\">[1</span></div>", "BAD-JSON");
    expect_refusal(f, OPEN "<span itemprop=\"s\">\xFF</span></div>", "BAD-TEXT");
    expect_refusal(f, OPEN "<span itemprop=\"s\">\xED\xA0\x80</span></div>", "BAD-TEXT");
    expect_refusal(f, OPEN "<span itemprop=\"s\">", "US-SSFMC1");
    expect_refusal(f, OPEN "<ul itemprop=\"b\"><li>a</ul></div>", "M2IH-FET1");
}

static void a_key_of_a_map_cannot_repeat(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, OPEN "<dl itemprop=\"m\"><dt>b</dt><dd>1</dd><dt>a</dt><dd>2</dd><dt>b</dt><dd>3</dd></dl></div>",
                   "NOT-CANONICAL");
}

static void bags_and_sets_are_read_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct value *v;
    struct span text = SPAN(OPEN "<ul itemprop=\"b\"><li>b</li><li>a</li><li>b</li></ul>"
                                 "<ul itemprop=\"t\"><li>y</li><li>x</li><li>y</li><li>z</li><li>x</li></ul></div>");
    assert_int_equal(read_text(f, text, &v), STATUS_OK);
    assert_true(value_eq(v, fixture_value(f->a, "{\"$type$\":\"All\",\"b\":[\"b\",\"a\",\"b\"],"
                                                "\"t\":{\"$set\":[\"z\",\"x\",\"y\"]}}")));
    assert_true(span_eq_text(value_get(v, SPAN("t"))->list.items[0]->string, "y"));
    assert_string_equal(write_value(f, v).ptr, OPEN "<ul itemprop=\"b\"><li>a</li><li>b</li><li>b</li></ul>"
                                                    "<ul itemprop=\"t\"><li>x</li><li>y</li><li>z</li></ul></div>");
}

static void repeated_items_of_a_set_are_written_once(void **state)
{
    struct fixture *f = *state;
    struct value *v = fixture_value(f->a, "{\"$type$\":\"All\",\"t\":{\"$set\":[\"b\",\"a\",\"b\"]}}");
    assert_string_equal(write_value(f, v).ptr, OPEN "<ul itemprop=\"t\"><li>a</li><li>b</li></ul></div>");
}

static void a_failed_write_leaves_the_buffer_alone(void **state)
{
    struct fixture *f = *state;
    struct buf out = {0};
    buf_add_text(&out, "before");
    struct value *v = fixture_value(f->a, "{\"$type$\":\"All\",\"s\":\"good\",\"n\":1.5}");
    assert_int_equal(microdata_write(f->recipes, v, MICRODATA_OBJECT, &out, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "O2M-RTYC1");
    v = fixture_value(f->a, "{\"$type$\":\"All\"}");
    value_set_member(f->a, v, SPAN("s"), value_text(f->a, "\xC3("));
    assert_int_equal(microdata_write(f->recipes, v, MICRODATA_OBJECT, &out, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "BAD-TEXT");
    assert_string_equal(buf_cstr(&out), "before");
    buf_free(&out);
}

static void the_kind_of_a_file_is_recognized(void **state)
{
    (void)state;
    struct span type;
    enum microdata_form form;
    assert_true(microdata_sniff(SPAN(OPEN "whatever"), &type, &form));
    assert_true(span_eq_text(type, "All") && form == MICRODATA_OBJECT);
    assert_true(
        microdata_sniff(SPAN("<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/X\">"), &type, &form));
    assert_true(span_eq_text(type, "X") && form == MICRODATA_ID_OBJECT);
    assert_false(microdata_sniff(SPAN("<div itemscope itemtype=\"//refin.io/\">"), &type, &form));
    assert_false(microdata_sniff(SPAN("<div itemscope itemtype=\"//refin.io/X\""), &type, &form));
    assert_false(microdata_sniff(SPAN("text"), &type, &form));
    assert_false(microdata_sniff((struct span){0}, &type, &form));
}

// Time of reading and writing a set of count items in an unfavourable order, of which some are distinct.
static double seconds_for(struct fixture *f, int count, int distinct)
{
    struct arena *a = arena_create();
    struct buf text = {0};
    struct buf again = {0};
    struct value *v;
    struct timespec start;
    struct timespec end;
    buf_add_text(&text, OPEN "<ul itemprop=\"t\">");
    for (int i = 0; i < count; i++)
        buf_printf(&text, "<li>common prefix of every item %d</li>", i * 7919 % distinct);
    buf_add_text(&text, "</ul></div>");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    assert_int_equal(microdata_read(f->recipes, a, buf_span(&text), MICRODATA_OBJECT, SPAN("All"), &v, NULL),
                     STATUS_OK);
    assert_int_equal(microdata_write(f->recipes, v, MICRODATA_OBJECT, &again, NULL), STATUS_OK);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    buf_free(&text);
    buf_free(&again);
    arena_destroy(a);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void big_sets_take_no_quadratic_time(void **state)
{
    struct fixture *f = *state;
    assert_true(seconds_for(f, 200000, 200000) < 20); // quadratic would take minutes
    assert_true(seconds_for(f, 200000, 1) < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_and_surrogates_replaced),
        cmocka_unit_test(only_canonical_texts_are_read),
        cmocka_unit_test(a_key_of_a_map_cannot_repeat),
        cmocka_unit_test(bags_and_sets_are_read_in_any_order),
        cmocka_unit_test(repeated_items_of_a_set_are_written_once),
        cmocka_unit_test(a_failed_write_leaves_the_buffer_alone),
        cmocka_unit_test(the_kind_of_a_file_is_recognized),
        cmocka_unit_test(big_sets_take_no_quadratic_time),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_end);
}
