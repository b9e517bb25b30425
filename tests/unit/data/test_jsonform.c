#include "data/jsonform.h"
#include "tests/unit/cmocka_all.h"

static void forms_survive_reading_and_writing(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "null",
        "true",
        "\"text\"",
        "17",
        "-2.5",
        "[1,[],{}]",
        "{\"$type$\":\"Person\",\"email\":\"a@b\"}",
        "{\"$map\":[[\"a\",1],[2,{\"$set\":[]}]]}",
        "{\"$set\":[\"a\",\"b\"]}",
        "{\"$number\":\"NaN\"}",
        "{\"$number\":\"-0\"}",
        "{\"$number\":\"-Infinity\"}",
        "{\"$undefined\":true}",
        "{\"$date\":\"2023-11-14T22:13:20.123Z\"}",
        "{\"$regexp\":{\"source\":\"^a$\",\"flags\":\"\"}}",
        "{\"$utf16\":[97,55357]}",
        "{\"a\":{\"$undefined\":true}}",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct arena *a = arena_create();
        struct value *v;
        struct error e = {0};
        json_t *json = json_loads(forms[i], JSONFORM_FLAGS, NULL);
        assert_non_null(json);
        assert_int_equal(jsonform_read(a, json, &v, &e), STATUS_OK);
        json_t *again = jsonform_write(v);
        char *text = json_dumps(again, JSON_COMPACT | JSON_ENCODE_ANY);
        assert_string_equal(text, forms[i]);
        free(text);
        json_decref(again);
        json_decref(json);
        arena_destroy(a);
    }
}

static void integers_are_kept_exactly_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool exact;
    } cases[] = {
        {"9007199254740991", true},      {"9007199254740992", true},     {"-9007199254740992", true},
        {"9007199254740993", false},     {"-9007199254740993", false},   {"9007199254740994", true},
        {"1152921504606846976", true},   {"1152921504606846977", false}, {"9223372036854775807", false},
        {"[1,9007199254740993]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_create();
        struct value *v;
        struct error e = {0};
        json_t *json = json_loads(cases[i].text, JSON_DECODE_ANY, NULL);
        assert_int_equal(jsonform_read(a, json, &v, &e) == STATUS_OK, cases[i].exact);
        assert_string_equal(e.code, cases[i].exact ? "" : "BAD-INPUT");
        if (cases[i].exact)
            assert_int_equal((json_int_t)v->number, json_integer_value(json));
        json_decref(json);
        arena_destroy(a);
    }
}

static void surrogate_pairs_are_joined(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct value *v;
    json_t *json = json_loads("{\"$utf16\":[55357,56832]}", JSONFORM_FLAGS, NULL);
    assert_int_equal(jsonform_read(a, json, &v, NULL), STATUS_OK);
    assert_true(span_eq_text(v->string, "\xF0\x9F\x98\x80"));
    json_decref(json);
    arena_destroy(a);
}

static void wrong_forms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"$map\":1}",        "{\"$map\":[[1]]}",      "{\"$set\":\"a\"}",
        "{\"$number\":\"1\"}", "{\"$date\":\"today\"}", "{\"$regexp\":\"a\"}",
    };
    struct arena *a = arena_create();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value *v;
        struct error e = {0};
        json_t *json = json_loads(bad[i], JSONFORM_FLAGS, NULL);
        assert_int_equal(jsonform_read(a, json, &v, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-FORM");
        json_decref(json);
    }
    arena_destroy(a);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct value *v;
    struct error e = {0};
    json_t *json = json_array();
    for (int i = 0; i < 1000; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, json);
        json = outer;
    }
    assert_int_equal(jsonform_read(a, json, &v, &e), STATUS_TOO_BIG);
    json_decref(json);
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_survive_reading_and_writing),
        cmocka_unit_test(integers_are_kept_exactly_or_refused),
        cmocka_unit_test(surrogate_pairs_are_joined),
        cmocka_unit_test(wrong_forms_are_refused),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
