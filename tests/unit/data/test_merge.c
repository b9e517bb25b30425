#include "data/algorithm.h"
#include "data/linkedlist.h"
#include "data/merge.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

static struct { // of the last merge
    bool contained;
    struct hash current;
    struct value *merged;
} outcome;

static struct hash add(struct fixture *f, const char *json)
{
    return memory_source_add(f->m, fixture_value(f->a, json));
}

static struct hash edge(struct fixture *f, const char *json, double time)
{
    struct hash data = add(f, json);
    return fixture_node(f->m, "Edge", NULL, 0, &data, 0, time);
}

static struct hash change(struct fixture *f, const struct hash *prev, const char *json, double depth, double time)
{
    struct hash data = add(f, json);
    return fixture_node(f->m, "Change", prev, 1, &data, depth, time);
}

static enum status merge(struct fixture *f, const struct hash *first, const struct hash *second)
{
    return merge_versions(&f->m->source, f->a, first, second, &outcome.contained, &outcome.current, &outcome.merged,
                          &f->e);
}

static void expect_merged(struct fixture *f, const struct hash *first, const struct hash *second, const char *json)
{
    assert_int_equal(merge(f, first, second), STATUS_OK);
    assert_false(outcome.contained);
    struct hash got = memory_source_add(f->m, outcome.merged);
    struct hash wanted = add(f, json);
    assert_memory_equal(&got, &wanted, sizeof got);
}

#define DOC(members) "{\"$type$\":\"Doc\",\"id\":\"d\"" members "}"

static void an_ancestor_is_contained(void **state)
{
    struct fixture *f = *state;
    struct hash root = edge(f, DOC(",\"s\":\"1\""), 1);
    struct hash next = change(f, &root, DOC(",\"s\":\"2\""), 1, 2);
    struct hash last = change(f, &next, DOC(",\"s\":\"3\""), 2, 3);
    assert_int_equal(merge(f, &root, &last), STATUS_OK);
    assert_true(outcome.contained && hash_eq(&outcome.current, &last));
    assert_int_equal(merge(f, &last, &root), STATUS_OK);
    assert_true(outcome.contained && hash_eq(&outcome.current, &last));
    assert_int_equal(merge(f, &last, &last), STATUS_OK);
    assert_true(outcome.contained && hash_eq(&outcome.current, &last));
}

static void a_merge_contains_its_nodes(void **state)
{
    struct fixture *f = *state;
    struct hash roots[] = {edge(f, DOC(",\"s\":\"1\""), 1), edge(f, DOC(",\"s\":\"2\""), 2)};
    struct hash data = add(f, DOC(",\"s\":\"2\""));
    struct hash joined = fixture_node(f->m, "Merge", roots, 2, &data, 1, 2);
    struct hash next[] = {joined, edge(f, DOC(",\"s\":\"3\""), 3)};
    struct hash outer = fixture_node(f->m, "Merge", next, 2, &data, 2, 3);
    assert_int_equal(merge(f, &roots[1], &outer), STATUS_OK);
    assert_true(outcome.contained && hash_eq(&outcome.current, &outer));
    assert_int_equal(merge(f, &outer, &joined), STATUS_OK);
    assert_true(outcome.contained && hash_eq(&outcome.current, &outer));
}

static void later_values_win_and_lists_unite(void **state)
{
    struct fixture *f = *state;
    struct hash root = edge(f, DOC(",\"s\":\"1\",\"set\":{\"$set\":[\"a\"]},\"o\":{\"a\":\"x\"}"), 1);
    struct hash mine = change(f, &root, DOC(",\"s\":\"2\",\"set\":{\"$set\":[\"b\"]},\"o\":{\"a\":\"x\"}"), 1, 9);
    struct hash far = edge(f, DOC(",\"s\":\"3\",\"set\":{\"$set\":[\"a\",\"c\"]},\"o\":{\"a\":\"y\",\"b\":\"z\"}"), 5);
    expect_merged(f, &mine, &far,
                  DOC(",\"s\":\"2\",\"set\":{\"$set\":[\"a\",\"b\",\"c\"]},\"o\":{\"a\":\"y\",\"b\":\"z\"}"));
}

static void missing_nodes_and_objects_are_errors(void **state)
{
    struct fixture *f = *state;
    struct hash root = edge(f, DOC(",\"s\":\"1\""), 1);
    struct hash mine = change(f, &root, DOC(",\"s\":\"2\""), 1, 2);
    struct hash far = edge(f, DOC(",\"s\":\"3\""), 3);
    struct hash nowhere = {{9}};
    assert_int_equal(merge(f, &mine, &nowhere), STATUS_NOT_FOUND);
    struct hash dangling = fixture_node(f->m, "Edge", NULL, 0, &nowhere, 0, 4);
    assert_int_equal(merge(f, &mine, &dangling), STATUS_NOT_FOUND);
    memory_source_lose(f->m, &root);
    assert_int_equal(merge(f, &mine, &far), STATUS_NOT_FOUND);
    assert_non_null(strstr(f->e.message, hash_text(&root).s));
}

static void expect_broken(struct fixture *f, const struct hash *first, const struct hash *second)
{
    error_clear(&f->e);
    assert_int_equal(merge(f, first, second), STATUS_CORRUPT);
    assert_string_equal(f->e.code, "VERSION-GRAPH");
}

static void broken_graphs_are_refused(void **state)
{
    struct fixture *f = *state;
    struct hash root = edge(f, DOC(",\"s\":\"1\""), 1);
    struct hash far = edge(f, DOC(",\"s\":\"3\""), 3);
    struct hash data = add(f, DOC(",\"s\":\"2\""));
    struct hash no_prev = fixture_node(f->m, "Change", NULL, 0, &data, 1, 2);
    expect_broken(f, &no_prev, &far);
    struct hash same_depth = fixture_node(f->m, "Change", &root, 1, &data, 0, 2);
    expect_broken(f, &same_depth, &far);
    struct hash deep = fixture_node(f->m, "Change", &root, 1, &data, 50, 2);
    struct hash shallow = fixture_node(f->m, "Change", &deep, 1, &data, 3, 2);
    expect_broken(f, &shallow, &far);
    struct hash negative = fixture_node(f->m, "Edge", NULL, 0, &data, -1, 2);
    expect_broken(f, &negative, &far);
    expect_broken(f, &data, &far);
}

static void versions_of_another_type_are_refused(void **state)
{
    struct fixture *f = *state;
    struct hash mine = edge(f, DOC(",\"s\":\"1\""), 1);
    struct hash other = edge(f, "{\"$type$\":\"Item\",\"id\":\"d\"}", 2);
    expect_broken(f, &mine, &other);
}

// Every merge joins the two before it, so there are 2^60 ways down.
static void many_paths_are_walked_once(void **state)
{
    struct fixture *f = *state;
    struct hash nodes[] = {edge(f, DOC(",\"s\":\"1\""), 1), edge(f, DOC(",\"s\":\"2\""), 2)};
    struct hash data = add(f, DOC(",\"s\":\"2\""));
    for (int depth = 1; depth <= 60; depth++) {
        struct hash left = fixture_node(f->m, "Merge", nodes, 2, &data, depth, 2 * depth);
        struct hash right = fixture_node(f->m, "Merge", nodes, 2, &data, depth, 2 * depth + 1);
        nodes[0] = left;
        nodes[1] = right;
    }
    struct hash far = edge(f, DOC(",\"s\":\"3\",\"t\":\"new\""), 3);
    expect_merged(f, &nodes[0], &far, DOC(",\"s\":\"3\",\"t\":\"new\""));
}

static void long_histories_are_merged(void **state)
{
    enum { LENGTH = 100000 };
    struct fixture *f = *state;
    struct hash data[] = {add(f, DOC(",\"s\":\"1\",\"set\":{\"$set\":[\"a\"]}")),
                          add(f, DOC(",\"s\":\"2\",\"set\":{\"$set\":[\"a\"]}"))};
    struct hash node = fixture_node(f->m, "Edge", NULL, 0, &data[0], 0, 1);
    for (int i = 1; i < LENGTH; i++)
        node = fixture_node(f->m, "Change", &node, 1, &data[i % 2], i, i);
    struct hash far = edge(f, DOC(",\"s\":\"3\",\"set\":{\"$set\":[\"b\"]}"), 3);
    f->m->reads = 0;
    expect_merged(f, &node, &far, DOC(",\"s\":\"2\",\"set\":{\"$set\":[\"a\",\"b\"]}"));
    assert_true(f->m->reads < 2 * LENGTH);
}

// A Doc whose set has so many items as long as a hash, and one of its own.
static struct hash large(struct fixture *f, size_t count, int own)
{
    struct value *doc = fixture_value(f->a, DOC(""));
    struct value *set = value_set(f->a);
    for (size_t i = 1; i < count; i++)
        value_add(f->a, set, value_text(f->a, arena_printf(f->a, "%064zu", i).ptr));
    value_add(f->a, set, value_text(f->a, arena_printf(f->a, "own %d", own).ptr));
    value_set_member(f->a, doc, SPAN("set"), set);
    return memory_source_add(f->m, doc);
}

// A history in which the versions of such documents follow one another.
static struct hash large_history(struct fixture *f, int length, int different)
{
    enum { ITEMS = 1000 };
    struct hash data[100];
    for (int i = 0; i < different; i++)
        data[i] = large(f, ITEMS, i);
    struct hash node = fixture_node(f->m, "Edge", NULL, 0, &data[0], 0, 1);
    for (int i = 1; i < length; i++)
        node = fixture_node(f->m, "Change", &node, 1, &data[i % different], i, i);
    return node;
}

static void large_versions_are_merged(void **state)
{
    struct fixture *f = *state;
    struct hash mine = large_history(f, 100, 100);
    struct hash far = edge(f, DOC(",\"set\":{\"$set\":[\"b\"]}"), 3);
    assert_int_equal(merge(f, &mine, &far), STATUS_OK);
}

static void repeated_versions_must_not_multiply_the_cost(void **state)
{
    struct fixture *f = *state;
    struct hash mine = large_history(f, 1000, 2);
    struct hash far = edge(f, DOC(",\"set\":{\"$set\":[\"b\"]}"), 3);
    assert_int_equal(merge(f, &mine, &far), STATUS_TOO_BIG);
    assert_string_equal(f->e.code, "MERGE-TOO-BIG");
}

// A chain of objects, each linked from the next, twice where both is set; returns the last one.
static struct hash chain(struct fixture *f, int length, bool both)
{
    struct hash link = add(f, "{\"$type$\":\"Link\",\"text\":\"0\"}");
    for (int i = 0; i < length; i++) {
        struct value *v = fixture_value(f->a, "{\"$type$\":\"Link\",\"text\":\"x\"}");
        value_set_member(f->a, v, SPAN("next"), value_hash(f->a, &link));
        if (both)
            value_set_member(f->a, v, SPAN("other"), value_hash(f->a, &link));
        link = memory_source_add(f->m, v);
    }
    return link;
}

static struct hash document_linking(struct fixture *f, const struct hash *link)
{
    struct value *doc = fixture_value(f->a, DOC(""));
    value_set_member(f->a, doc, SPAN("ref"), value_hash(f->a, link));
    struct hash data = memory_source_add(f->m, doc);
    return fixture_node(f->m, "Edge", NULL, 0, &data, 0, 1);
}

static void linked_objects_must_be_there_and_end(void **state)
{
    struct fixture *f = *state;
    struct hash link = chain(f, 100, false);
    struct hash mine = document_linking(f, &link);
    struct hash far = edge(f, DOC(",\"s\":\"3\""), 3);
    assert_int_equal(merge(f, &mine, &far), STATUS_TOO_BIG);
    assert_string_equal(f->e.code, "MERGE-TOO-BIG");
    memory_source_lose(f->m, &link);
    assert_int_equal(merge(f, &mine, &far), STATUS_NOT_FOUND);
}

// 2^40 ways through 40 objects: comparing them would never end.
static void linked_objects_must_not_explode(void **state)
{
    struct fixture *f = *state;
    struct hash link = chain(f, 40, true);
    struct hash mine = document_linking(f, &link);
    struct hash far = edge(f, DOC(",\"s\":\"3\""), 3);
    assert_int_equal(merge(f, &mine, &far), STATUS_TOO_BIG);
    assert_string_equal(f->e.code, "MERGE-TOO-BIG");
}

static struct hash channel(struct fixture *f, const char *const *texts, size_t count, double time)
{
    struct hash head = {{0}};
    for (size_t i = 0; i < count; i++) {
        struct hash message = fixture_message(f->m, texts[i], time + (double)(10 * i));
        assert_int_equal(list_insert(&f->m->source, &head, &message, NULL, &head, &f->e), STATUS_OK);
    }
    struct value *info = fixture_value(f->a, "{\"$type$\":\"ChannelInfo\",\"id\":\"c\"}");
    if (count > 0)
        value_set_member(f->a, info, SPAN("head"), value_hash(f->a, &head));
    return memory_source_add(f->m, info);
}

static void channels_merge_alike_with_and_without_history(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"one", "two", "three"};
    struct hash data[] = {channel(f, texts, 3, 100), channel(f, texts + 1, 2, 105), channel(f, texts, 0, 0)};
    assert_false(merge_needs_history(recipes_find(f->recipes, SPAN("ChannelInfo"))));
    assert_true(merge_needs_history(recipes_find(f->recipes, SPAN("Profile"))));
    for (size_t i = 0; i < 9; i++) {
        struct hash first = fixture_node(f->m, "Edge", NULL, 0, &data[i / 3], 0, 1);
        struct hash second = fixture_node(f->m, "Edge", NULL, 0, &data[i % 3], 0, 2);
        struct value *quick;
        assert_int_equal(merge(f, &first, &second), STATUS_OK);
        assert_int_equal(merge_lists(&f->m->source, f->a, &data[i / 3], &data[i % 3], &quick, &f->e), STATUS_OK);
        struct hash slow_hash = memory_source_add(f->m, outcome.merged);
        struct hash quick_hash = memory_source_add(f->m, quick);
        assert_memory_equal(&slow_hash, &quick_hash, sizeof slow_hash);
    }
}

static void configured_algorithms_are_ranked(void **state)
{
    (void)state;
    static const struct crdt_entry entries[] = {
        {{"o.*", 3}, {"Register", 8}},        {{"o.*#set", 7}, {"Set", 3}},
        {{"*.b", 3}, {"ReferenceToObj", 14}}, {{"p.q#set", 7}, {"LinkedListCrdtAlgorithm", 23}},
        {{"w", 1}, {"NoSuchThing", 11}},
    };
    struct recipe r = {.crdt = entries, .crdt_count = 5};
    enum algorithm found;
    struct error e;
    assert_int_equal(algorithm_of_value(&r, SPAN("o.a"), TYPE_SET, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_SET); // *#kind before *
    assert_int_equal(algorithm_of_value(&r, SPAN("o.b"), TYPE_STRING, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_REFERENCE); // name before *
    assert_int_equal(algorithm_of_value(&r, SPAN("o.c"), TYPE_REF_OBJ, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_REGISTER);
    assert_int_equal(algorithm_of_value(&r, SPAN("p.q"), TYPE_SET, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_LIST);
    assert_int_equal(algorithm_of_value(&r, SPAN("p.q"), TYPE_BAG, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_SET); // the table
    assert_int_equal(algorithm_of_value(&r, SPAN("o.a.a"), TYPE_STRING, &found, &e), STATUS_OK);
    assert_int_equal(found, ALGORITHM_REGISTER); // other length: the table
    assert_int_equal(algorithm_of_value(&r, SPAN("w"), TYPE_STRING, &found, &e), STATUS_CONFLICT);
    assert_int_equal(algorithm_check_existence(&r, SPAN("o.c"), false, &e), STATUS_CONFLICT);
    assert_int_equal(algorithm_check_existence(&r, SPAN("p.q"), false, &e), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_ancestor_is_contained),
        FIXTURE_TEST(a_merge_contains_its_nodes),
        FIXTURE_TEST(later_values_win_and_lists_unite),
        FIXTURE_TEST(missing_nodes_and_objects_are_errors),
        FIXTURE_TEST(broken_graphs_are_refused),
        FIXTURE_TEST(versions_of_another_type_are_refused),
        FIXTURE_TEST(many_paths_are_walked_once),
        FIXTURE_TEST(long_histories_are_merged),
        FIXTURE_TEST(large_versions_are_merged),
        FIXTURE_TEST(repeated_versions_must_not_multiply_the_cost),
        FIXTURE_TEST(linked_objects_must_be_there_and_end),
        FIXTURE_TEST(linked_objects_must_not_explode),
        FIXTURE_TEST(channels_merge_alike_with_and_without_history),
        FIXTURE_TEST(configured_algorithms_are_ranked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
