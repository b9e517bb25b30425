// Random objects of random recipes: writing and reading are inverse, and the order of bags and sets does not matter.
//
// PROPERTY_SEED=n repeats a run; PROPERTY_CASES=n makes it longer.
#include <stdio.h>

#include "data/object.h"
#include "tests/unit/cmocka_all.h"

enum { CASES = 10000, VALUES_PER_RECIPE = 20, DEPTH = 4, RULES = 5 };

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % n;
}

static bool chance(uint32_t one_in)
{
    return random_below(one_in) == 0;
}

static struct value *random_string(struct arena *a)
{
    static const char *const pieces[] = {
        "a",    "b",    "!",   "=",  "<",     ">", "&",        "&lt;",         "&amp;",        " ",
        "\n",   "\r",   "\"",  "\\", "</li>", "0", "\xC3\xA4", "\xEE\x80\x80", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80",
        "\x01", "\x7F", "word"};
    struct buf text = {0};
    for (uint32_t n = random_below(chance(50) ? 300 : 6); n > 0; n--)
        buf_add_text(&text, pieces[random_below(sizeof pieces / sizeof *pieces)]);
    struct value *v = value_string(a, buf_span(&text));
    buf_free(&text);
    return v;
}

static double random_double(void)
{
    double n;
    uint64_t bits = (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
    if (chance(2))
        return (double)random_below(2000) - 1000;
    memcpy(&n, &bits, sizeof n);
    return n - n == 0 ? n : 0.1;
}

static struct value *random_integer(struct arena *a)
{
    static const double big[] = {9007199254740993.0, 1e21, -1e300, 1700000000000.0};
    return value_number(a, chance(8) ? big[random_below(4)] : (double)random_below(100) - 50);
}

static struct value *random_hash(struct arena *a)
{
    struct hash hash;
    for (size_t i = 0; i < sizeof hash.b; i++)
        hash.b[i] = (uint8_t)random_below(i == 0 ? 4 : 2);
    return value_hash(a, &hash);
}

static struct value *random_json(struct arena *a, int depth)
{
    static const char *const keys[] = {"", "a", "b", "10", "2", "\xEE\x80\x80", "\xF0\x9F\x98\x80", "<&>"};
    struct value *v;
    switch (random_below(depth > 0 ? 6 : 4)) {
    case 0:
        return random_string(a);
    case 1:
        return value_number(a, random_double());
    case 2:
        return value_bool(a, chance(2));
    case 3:
        return depth == DEPTH ? value_bool(a, true) : value_null(a);
    case 4:
        v = value_list(a);
        for (uint32_t n = random_below(4); n > 0; n--)
            value_add(a, v, random_json(a, depth - 1));
        return v;
    default:
        v = value_object(a, (struct span){0});
        for (uint32_t n = random_below(4); n > 0; n--)
            value_set_member(a, v, span_of(keys[random_below(8)]), random_json(a, depth - 1));
        return v;
    }
}

// A recipe: types as the Recipe object has them.

static struct value *random_rules(struct arena *a, int depth);

static struct value *named_type(struct arena *a, const char *name)
{
    struct value *type = value_object(a, (struct span){0});
    value_set_member(a, type, SPAN("type"), value_text(a, name));
    return type;
}

static struct value *random_scalar_type(struct arena *a, bool for_key)
{
    static const char *const names[] = {"string",          "integer",        "number",
                                        "boolean",         "referenceToId",  "referenceToBlob",
                                        "referenceToClob", "referenceToObj", "stringifiable"};
    struct value *type = named_type(a, names[random_below(for_key ? 8 : 9)]);
    struct span name = value_get(type, SPAN("type"))->string;
    if (span_eq_text(name, "referenceToId") || span_eq_text(name, "referenceToObj")) {
        struct value *allowed = value_list(a);
        value_add(a, allowed, value_text(a, "*"));
        value_set_member(a, type, SPAN("allowedTypes"), allowed);
    }
    return type;
}

static struct value *random_type(struct arena *a, int depth)
{
    static const char *const lists[] = {"bag", "array", "set"};
    struct value *type;
    uint32_t kind = depth > 0 ? random_below(8) : 0;
    if (kind < 3)
        return random_scalar_type(a, false);
    if (kind < 6) {
        type = named_type(a, lists[kind - 3]);
        value_set_member(a, type, SPAN("item"), random_type(a, depth - 1));
    } else if (kind == 6) {
        type = named_type(a, "map");
        value_set_member(a, type, SPAN("key"), random_scalar_type(a, true));
        value_set_member(a, type, SPAN("value"), random_type(a, depth - 1));
    } else {
        type = named_type(a, "object");
        value_set_member(a, type, SPAN("rules"), random_rules(a, depth - 1));
    }
    return type;
}

static struct value *random_rules(struct arena *a, int depth)
{
    struct value *rules = value_list(a);
    for (uint32_t n = random_below(RULES), i = 0; i <= n; i++) {
        struct value *rule = value_object(a, (struct span){0});
        value_set_member(a, rule, SPAN("itemprop"), value_text(a, arena_printf(a, "p%u", i).ptr));
        value_set_member(a, rule, SPAN("itemtype"), random_type(a, depth));
        if (chance(2))
            value_set_member(a, rule, SPAN("optional"), value_bool(a, true));
        value_add(a, rules, rule);
    }
    return rules;
}

static struct value *random_recipe(struct arena *a, const char *name)
{
    struct value *recipe = value_object(a, SPAN("Recipe"));
    struct value *rules = random_rules(a, DEPTH);
    for (size_t i = 0; i < rules->list.count; i++) {
        if (chance(3))
            value_set_member(a, rules->list.items[i], SPAN("isId"), value_bool(a, true));
    }
    value_set_member(a, recipe, SPAN("name"), value_text(a, name));
    value_set_member(a, recipe, SPAN("rule"), rules);
    return recipe;
}

// Values of a type.

static struct value *random_value(struct arena *a, const struct value_type *type, int depth);

static struct value *random_members(struct arena *a, struct span name, const struct rule *rules, size_t count,
                                    int depth)
{
    struct value *object = value_object(a, name);
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = &rules[i];
        if (!rule->optional || chance(2))
            value_set_member(a, object, rule->itemprop, random_value(a, &rule->type, depth));
    }
    return object;
}

static struct value *random_list(struct arena *a, const struct value_type *type, int depth)
{
    struct value *v = type->kind == TYPE_SET ? value_set(a) : value_list(a);
    for (uint32_t n = random_below(5); n > 0; n--)
        value_add(a, v, random_value(a, type->item, depth - 1));
    return v;
}

static struct value *random_value(struct arena *a, const struct value_type *type, int depth)
{
    struct value *v;
    switch (type->kind) {
    case TYPE_STRING:
        return random_string(a);
    case TYPE_INTEGER:
        return random_integer(a);
    case TYPE_NUMBER:
        return value_number(a, random_double());
    case TYPE_BOOLEAN:
        return value_bool(a, chance(2));
    case TYPE_STRINGIFIABLE:
        return random_json(a, DEPTH);
    case TYPE_REF_OBJ:
    case TYPE_REF_ID:
    case TYPE_REF_CLOB:
    case TYPE_REF_BLOB:
        return random_hash(a);
    case TYPE_MAP:
        v = value_map(a);
        for (uint32_t n = random_below(4); n > 0; n--)
            value_put(a, v, random_value(a, type->key, depth - 1), random_value(a, type->item, depth - 1));
        return v;
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        return random_list(a, type, depth);
    case TYPE_OBJECT:
        return random_members(a, (struct span){0}, type->rules, type->rule_count, depth - 1);
    }
    return NULL;
}

// Reverses every bag and set, and the members of every object.
static void reorder(struct arena *a, const struct value_type *type, struct value *v);

static void reorder_members(struct arena *a, const struct rule *rules, size_t count, struct value *object)
{
    for (size_t i = 0; i < count; i++) {
        struct value *member = value_get(object, rules[i].itemprop);
        if (member == NULL)
            continue;
        reorder(a, &rules[i].type, member);
        value_remove_member(object, rules[i].itemprop);
        value_set_member(a, object, rules[i].itemprop, member);
    }
    for (size_t i = 0; i < object->object.count / 2; i++) {
        struct value_member swap = object->object.members[i];
        object->object.members[i] = object->object.members[object->object.count - 1 - i];
        object->object.members[object->object.count - 1 - i] = swap;
    }
}

static void reorder(struct arena *a, const struct value_type *type, struct value *v)
{
    size_t n = v->list.count;
    if (type->kind == TYPE_OBJECT)
        reorder_members(a, type->rules, type->rule_count, v);
    if (type->kind == TYPE_MAP) {
        for (size_t i = 0; i < v->map.count; i++)
            reorder(a, type->item, v->map.pairs[i].value);
    }
    if (type->kind != TYPE_BAG && type->kind != TYPE_ARRAY && type->kind != TYPE_SET)
        return;
    for (size_t i = 0; i < n; i++)
        reorder(a, type->item, v->list.items[i]);
    for (size_t i = 0; i < n / 2 && type->kind != TYPE_ARRAY; i++) {
        struct value *swap = v->list.items[i];
        v->list.items[i] = v->list.items[n - 1 - i];
        v->list.items[n - 1 - i] = swap;
    }
}

static void expect_ok(enum status s, const struct error *e)
{
    if (s != STATUS_OK)
        fail_msg("%s: %s", e->code, e->message);
}

static void check_id(const struct recipes *r, struct arena *a, const struct object *o)
{
    struct error e = {0};
    struct object id;
    struct object again;
    struct hash hash;
    if (!o->recipe->versioned)
        return;
    expect_ok(object_make(r, a, o->value, MICRODATA_ID_OBJECT, &id, &e), &e);
    assert_true(span_eq(id.microdata, o->id_microdata) && hash_eq(&id.hash, &o->id_hash));
    expect_ok(object_read(r, a, o->id_microdata, MICRODATA_ID_OBJECT, &o->id_hash, &again, &e), &e);
    expect_ok(object_id_hash(r, o->value, &hash, &e), &e);
    assert_true(hash_eq(&hash, &o->id_hash));
}

static void check_value(const struct recipes *r, struct arena *a, const struct recipe *recipe)
{
    struct error e = {0};
    struct object made;
    struct object read;
    struct object again;
    struct value *v = random_members(a, recipe->name, recipe->rules, recipe->rule_count, DEPTH);
    expect_ok(object_make(r, a, v, MICRODATA_OBJECT, &made, &e), &e);
    expect_ok(object_read(r, a, made.microdata, MICRODATA_OBJECT, &made.hash, &read, &e), &e);
    expect_ok(object_make(r, a, read.value, MICRODATA_OBJECT, &again, &e), &e);
    assert_true(span_eq(again.microdata, made.microdata));
    assert_true(value_eq(read.value, again.value));
    assert_int_equal(read.link_count, made.link_count);
    check_id(r, a, &read);
    reorder_members(a, recipe->rules, recipe->rule_count, v);
    expect_ok(object_make(r, a, v, MICRODATA_OBJECT, &again, &e), &e);
    assert_true(hash_eq(&again.hash, &made.hash));
}

// Changed texts are refused or read as an object that is written as the same text, up to the order of lists.
static void check_damaged(const struct recipes *r, struct arena *a, const struct recipe *recipe)
{
    struct error e = {0};
    struct object made;
    struct object read;
    struct object again;
    struct value *v = random_members(a, recipe->name, recipe->rules, recipe->rule_count, DEPTH);
    expect_ok(object_make(r, a, v, MICRODATA_OBJECT, &made, &e), &e);
    char *text = (char *)(uintptr_t)arena_copy(a, made.microdata).ptr;
    text[random_below((uint32_t)made.microdata.len)] = (char)random_below(128);
    struct span damaged = {text, made.microdata.len - (chance(4) ? random_below(20) : 0)};
    if (object_read(r, a, damaged, MICRODATA_OBJECT, NULL, &read, &e) != STATUS_OK)
        return;
    expect_ok(object_make(r, a, read.value, MICRODATA_OBJECT, &again, &e), &e);
    assert_true(again.microdata.len <= damaged.len);
}

static void check_recipe(struct arena *a)
{
    struct error e = {0};
    struct object object;
    const struct recipe *recipe;
    struct recipes *r = recipes_create(false);
    expect_ok(object_make(r, a, random_recipe(a, "Random"), MICRODATA_OBJECT, &object, &e), &e);
    expect_ok(recipes_add(r, object.value, &e), &e);
    expect_ok(recipes_get(r, SPAN("Random"), &recipe, &e), &e);
    for (int i = 0; i < VALUES_PER_RECIPE; i++) {
        check_value(r, a, recipe);
        check_damaged(r, a, recipe);
    }
    recipes_destroy(r);
}

static void writing_and_reading_are_inverse(void **state)
{
    (void)state;
    const char *cases = getenv("PROPERTY_CASES");
    long count = cases != NULL ? strtol(cases, NULL, 10) : CASES;
    for (long i = 0; i < count; i += VALUES_PER_RECIPE) {
        struct arena *a = arena_create();
        check_recipe(a);
        arena_destroy(a);
    }
}

int main(void)
{
    const char *seed = getenv("PROPERTY_SEED");
    const struct CMUnitTest tests[] = {cmocka_unit_test(writing_and_reading_are_inverse)};
    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20251121;
    printf("PROPERTY_SEED=%llu\n", (unsigned long long)random_state);
    random_state += random_state == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
