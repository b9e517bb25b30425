#include "data/value.h"
#include "tests/unit/cmocka_all.h"

static struct arena *arena_of(void **state)
{
    return *state;
}

static int set_up(void **state)
{
    *state = arena_create();
    return 0;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static void lists_grow_and_keep_their_order(void **state)
{
    struct arena *a = arena_of(state);
    struct value *list = value_list(a);
    for (int i = 0; i < 1000; i++)
        value_add(a, list, value_number(a, i));
    assert_int_equal(list->list.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(list->list.items[i]->number == i);
}

static void maps_replace_equal_keys_in_place(void **state)
{
    struct arena *a = arena_of(state);
    struct value *map = value_map(a);
    value_put(a, map, value_text(a, "a"), value_number(a, 1));
    value_put(a, map, value_text(a, "b"), value_number(a, 2));
    value_put(a, map, value_text(a, "a"), value_number(a, 3));
    assert_int_equal(map->map.count, 2);
    assert_true(map->map.pairs[0].value->number == 3);
    assert_true(value_map_get(map, SPAN("b"))->number == 2);
    assert_null(value_map_get(map, SPAN("c")));
}

static void members_are_set_found_and_removed(void **state)
{
    struct arena *a = arena_of(state);
    struct span text;
    double number;
    struct hash hash;
    struct value *o = value_object(a, SPAN("Person"));
    value_set_member(a, o, SPAN("email"), value_text(a, "a@b"));
    value_set_member(a, o, SPAN("age"), value_number(a, 7));
    value_set_member(a, o, SPAN("email"), value_text(a, "c@d"));
    assert_int_equal(o->object.count, 2);
    assert_true(value_get_string(o, "email", &text) && span_eq_text(text, "c@d"));
    assert_true(value_get_number(o, "age", &number) && number == 7);
    assert_false(value_get_string(o, "age", &text));
    assert_false(value_get_hash(o, "email", &hash));
    value_remove_member(o, SPAN("email"));
    value_remove_member(o, SPAN("email"));
    assert_int_equal(o->object.count, 1);
    assert_null(value_get(o, SPAN("email")));
    assert_null(value_get(NULL, SPAN("email")));
}

static void equality_ignores_the_order_of_sets_and_members_only(void **state)
{
    struct arena *a = arena_of(state);
    struct value *set[2] = {value_set(a), value_set(a)};
    struct value *list[2] = {value_list(a), value_list(a)};
    struct value *object[2] = {value_object(a, SPAN("T")), value_object(a, SPAN("T"))};
    static const char *const words[] = {"x", "y", "z"};
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < 3; i++) {
            const char *word = words[side == 0 ? i : 2 - i];
            value_add(a, set[side], value_text(a, word));
            value_add(a, list[side], value_text(a, word));
            value_set_member(a, object[side], span_of(word), value_text(a, word));
        }
    }
    assert_true(value_eq(set[0], set[1]));
    assert_false(value_eq(list[0], list[1]));
    assert_true(value_eq(object[0], object[1]));
    object[1]->object.type = SPAN("U");
    assert_false(value_eq(object[0], object[1]));
}

static void sets_with_other_multiplicities_differ(void **state)
{
    struct arena *a = arena_of(state);
    struct value *x = value_set(a);
    struct value *y = value_set(a);
    value_add(a, x, value_number(a, 1));
    value_add(a, x, value_number(a, 1));
    value_add(a, x, value_number(a, 2));
    value_add(a, y, value_number(a, 1));
    value_add(a, y, value_number(a, 2));
    value_add(a, y, value_number(a, 2));
    assert_false(value_eq(x, y));
}

static void copies_are_deep(void **state)
{
    struct arena *a = arena_of(state);
    struct arena *b = arena_create();
    struct value *o = value_object(a, SPAN("T"));
    struct value *map = value_map(a);
    value_put(a, map, value_text(a, "k"), value_bool(a, true));
    value_set_member(a, o, SPAN("map"), map);
    struct value *copy = value_copy(b, o);
    assert_true(value_eq(o, copy));
    value_put(a, map, value_text(a, "k"), value_bool(a, false));
    assert_false(value_eq(o, copy));
    value_set_member(b, copy, SPAN("more"), value_null(b));
    assert_int_equal(o->object.count, 1);
    arena_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_grow_and_keep_their_order),
        cmocka_unit_test(maps_replace_equal_keys_in_place),
        cmocka_unit_test(members_are_set_found_and_removed),
        cmocka_unit_test(equality_ignores_the_order_of_sets_and_members_only),
        cmocka_unit_test(sets_with_other_multiplicities_differ),
        cmocka_unit_test(copies_are_deep),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
