#include "data/jsonform.h"
#include "data/microdata.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

static enum status add(struct fixture *f, const char *text, struct error *e)
{
    return recipes_add(f->recipes, fixture_value(f->a, text), e);
}

static void count_usable(struct span expected, struct span microdata, void *arg)
{
    struct fixture *f = arg;
    struct value *v;
    struct span name;
    struct error e = {0};
    const struct recipe *recipe;
    assert_int_equal(microdata_read(f->recipes, f->a, microdata, MICRODATA_OBJECT, SPAN("Recipe"), &v, &e), STATUS_OK);
    assert_true(value_get_string(v, "name", &name) && span_eq(name, expected));
    assert_int_equal(recipes_get(f->recipes, name, &recipe, &e), STATUS_OK);
    struct recipes *empty = recipes_create(false);
    enum status s = recipes_check(empty, v, &e);
    assert_true(s == STATUS_OK || strcmp(e.code, "OR-ADDR1") == 0);
    recipes_destroy(empty);
}

static void every_builtin_recipe_is_usable(void **state)
{
    recipes_each_builtin(false, count_usable, *state);
    recipes_each_builtin(true, count_usable, *state);
}

static void the_core_does_not_know_the_models(void **state)
{
    (void)state;
    struct recipes *core = recipes_create(false);
    assert_non_null(recipes_find(core, SPAN("Person")));
    assert_null(recipes_find(core, SPAN("ChatMessage")));
    recipes_destroy(core);
}

// The recipe of recipes is needed before any text can be read; its text must say the same.
static void check_recipe_of_recipes(struct span expected, struct span microdata, void *arg)
{
    (void)expected;
    struct fixture *f = arg;
    struct value *v;
    struct span name;
    assert_int_equal(microdata_read(f->recipes, f->a, microdata, MICRODATA_OBJECT, (struct span){0}, &v, NULL),
                     STATUS_OK);
    if (!value_get_string(v, "name", &name) || !span_eq_text(name, "Recipe"))
        return;
    const struct recipe *built_in = recipes_find(f->recipes, name);
    value_set_member(f->a, v, SPAN("name"), value_text(f->a, "RecipeAgain"));
    assert_int_equal(recipes_add(f->recipes, v, NULL), STATUS_OK);
    const struct recipe *again = recipes_find(f->recipes, SPAN("RecipeAgain"));
    assert_int_equal(built_in->rule_count, again->rule_count);
    for (size_t i = 0; i < again->rule_count; i++) {
        const struct rule *x = &built_in->rules[i];
        const struct rule *y = &again->rules[i];
        assert_true(span_eq(x->itemprop, y->itemprop) && span_eq(x->open_tag, y->open_tag));
        assert_true(x->optional == y->optional && x->is_id == y->is_id && x->type.kind == y->type.kind);
    }
    const struct value_type *x = built_in->rules[2].type.item;
    const struct value_type *y = again->rules[2].type.item;
    assert_int_equal(x->rule_count, y->rule_count);
    for (size_t i = 0; i < x->rule_count; i++) {
        assert_true(span_eq(x->rules[i].open_tag, y->rules[i].open_tag));
        assert_true(x->rules[i].type.kind == y->rules[i].type.kind && x->rules[i].optional == y->rules[i].optional);
    }
}

static void the_recipe_of_recipes_is_as_recorded(void **state)
{
    recipes_each_builtin(false, check_recipe_of_recipes, *state);
}

static void a_name_is_registered_once(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    const char *recipe = "{\"$type$\":\"Recipe\",\"name\":\"Once\",\"rule\":[{\"itemprop\":\"a\"}]}";
    assert_int_equal(add(f, recipe, &e), STATUS_OK);
    assert_int_equal(add(f, recipe, &e), STATUS_EXISTS);
    assert_string_equal(e.code, "OR-ADDR1");
}

static void inheritance_is_resolved_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    const struct recipe *recipe;
    assert_int_equal(add(f,
                         "{\"$type$\":\"Recipe\",\"name\":\"Heir\",\"rule\":[{\"itemprop\":\"x\",\"inheritFrom\":"
                         "{\"rule\":\"Ancestor.list\",\"extract\":\"CollectionItemType\"}}]}",
                         &e),
                     STATUS_OK);
    assert_int_equal(add(f,
                         "{\"$type$\":\"Recipe\",\"name\":\"Ancestor\",\"rule\":[{\"itemprop\":\"list\",\"optional\":"
                         "true,\"itemtype\":{\"type\":\"set\",\"item\":{\"type\":\"integer\"}}}]}",
                         &e),
                     STATUS_OK);
    assert_int_equal(recipes_get(f->recipes, SPAN("Heir"), &recipe, &e), STATUS_OK);
    assert_int_equal(recipe->rules[0].type.kind, TYPE_INTEGER);
    assert_true(recipe->rules[0].optional);
    assert_true(span_eq_text(recipe->rules[0].open_tag, "<span itemprop=\"x\">"));
}

static void inheritance_that_does_not_end_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    const struct recipe *recipe;
    assert_int_equal(add(f,
                         "{\"$type$\":\"Recipe\",\"name\":\"Ouroboros\",\"rule\":[{\"itemprop\":\"a\",\"inheritFrom\":"
                         "\"Ouroboros.a\"}]}",
                         &e),
                     STATUS_OK);
    assert_int_equal(recipes_get(f->recipes, SPAN("Ouroboros"), &recipe, &e), STATUS_INVALID);
    assert_string_equal(e.code, "OR-GR01");
    assert_null(recipes_find(f->recipes, SPAN("Ouroboros")));
}

static void deep_types_are_refused(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct arena *a = f->a;
    struct value *type = value_object(a, (struct span){0});
    value_set_member(a, type, SPAN("type"), value_text(a, "string"));
    for (int i = 0; i < RECIPE_MAX_DEPTH; i++) {
        struct value *outer = value_object(a, (struct span){0});
        value_set_member(a, outer, SPAN("type"), value_text(a, "array"));
        value_set_member(a, outer, SPAN("item"), type);
        type = outer;
    }
    struct value *recipe =
        fixture_value(f->a, "{\"$type$\":\"Recipe\",\"name\":\"Deep\",\"rule\":[{\"itemprop\":\"a\"}]}");
    value_set_member(a, value_get(recipe, SPAN("rule"))->list.items[0], SPAN("itemtype"), type);
    assert_int_equal(recipes_add(f->recipes, recipe, &e), STATUS_TOO_BIG);
    assert_string_equal(e.code, "RECIPE-TOO-DEEP");
}

static void expressions_are_searched_and_bounded(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    assert_int_equal(add(f,
                         "{\"$type$\":\"Recipe\",\"name\":\"Slow\",\"rule\":[{\"itemprop\":\"a\",\"itemtype\":"
                         "{\"type\":\"string\",\"regexp\":\"^(a+)+$\"}},{\"itemprop\":\"b\",\"itemtype\":{\"type\":"
                         "\"string\",\"regexp\":\"x(?<broken\"}}]}",
                         &e),
                     STATUS_OK);
    const struct recipe *recipe = recipes_find(f->recipes, SPAN("Slow"));
    const struct regexp *slow = recipe->rules[0].type.regexp;
    assert_true(regexp_matches(slow, SPAN("aaaa")));
    assert_false(regexp_matches(slow, SPAN("aaab")));
    assert_false(regexp_matches(slow, SPAN("aaa\n")));
    assert_true(regexp_matches(slow, SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    assert_null(recipe->rules[1].type.regexp);
    assert_true(regexp_matches(NULL, SPAN("anything")));
}

static void crdt_settings_are_kept(void **state)
{
    struct fixture *f = *state;
    const struct recipe *recipe = recipes_find(f->recipes, SPAN("ChannelInfo"));
    assert_non_null(recipe);
    assert_int_equal(recipe->crdt_count, 1);
    assert_true(span_eq_text(recipe->crdt[0].path, "head#referenceToObj"));
    assert_true(span_eq_text(recipe->crdt[0].algorithm, "LinkedListCrdtAlgorithm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_builtin_recipe_is_usable),
        FIXTURE_TEST(the_core_does_not_know_the_models),
        FIXTURE_TEST(the_recipe_of_recipes_is_as_recorded),
        FIXTURE_TEST(a_name_is_registered_once),
        FIXTURE_TEST(inheritance_is_resolved_in_any_order),
        FIXTURE_TEST(inheritance_that_does_not_end_is_refused),
        FIXTURE_TEST(deep_types_are_refused),
        FIXTURE_TEST(expressions_are_searched_and_bounded),
        FIXTURE_TEST(crdt_settings_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
