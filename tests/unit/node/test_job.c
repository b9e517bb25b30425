// Requests that need the store: before there is one, repeats, ids that are shortened, pages.
#include <stdio.h>

#include "harness.h"
#include "node/job.h"
#include "tests/unit/cmocka_all.h"

static int setup(void **state)
{
    *state = harness_create();
    return 0;
}

static int setup_provisioned(void **state)
{
    setup(state);
    harness_provision(*state);
    return 0;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static void refuses(struct harness *h, const char *wanted, const char *method, json_t *params)
{
    const char *code;
    assert_null(harness_call(h, method, params, &code));
    assert_string_equal(code, wanted);
}

static void needs_a_provisioned_node(void **state)
{
    static const char *const methods[] = {"contacts.list", "recipe.list", "topic.list", "share.list", "profile.get"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        refuses(*state, "NOT-PROVISIONED", methods[i], NULL);
    refuses(*state, "NOT-PROVISIONED", "pairing.invite", NULL);
    json_t *status = harness_call(*state, "node.status", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(status, "state")), "unprovisioned");
}

static json_t *create_group(const char *op)
{
    return json_pack("{s:s, s:s*}", "name", "friends", "opId", op);
}

static size_t group_count(struct harness *h)
{
    return json_array_size(json_object_get(harness_call(h, "group.list", NULL, NULL), "items"));
}

static json_t *post(const char *op)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:s*}", "id", "notes", "object", "$type$", "PersonName", "name", "x", "opId",
                     op);
}

static size_t entry_count(struct harness *h)
{
    json_t *page = harness_call(h, "channel.read", json_pack("{s:s}", "id", "notes"), NULL);
    return json_array_size(json_object_get(page, "items"));
}

static void acts_once_for_one_op_id(void **state)
{
    struct harness *h = *state;
    size_t before = group_count(h);
    json_t *first = json_incref(harness_call(h, "group.create", create_group("op-1"), NULL));
    assert_non_null(first);
    json_t *again = harness_call(h, "group.create", create_group("op-1"), NULL);
    assert_true(json_equal(first, again));
    assert_int_equal(group_count(h), before + 1);
    json_decref(first);

    assert_non_null(harness_call(h, "channel.create", json_pack("{s:s}", "id", "notes"), NULL));
    const char *code;
    for (int i = 0; i < 3; i++) {
        harness_call(h, "channel.post", post("op-2"), &code);
        assert_string_equal(code, "");
    }
    assert_int_equal(entry_count(h), 1);
    harness_call(h, "channel.post", post("op-3"), NULL);
    harness_call(h, "channel.post", post(NULL), NULL);
    assert_int_equal(entry_count(h), 3);
}

static void a_failure_is_not_remembered(void **state)
{
    struct harness *h = *state;
    refuses(h, "NOT-FOUND", "channel.post", post("op-4"));
    assert_non_null(harness_call(h, "channel.create", json_pack("{s:s}", "id", "notes"), NULL));
    assert_non_null(harness_call(h, "channel.post", post("op-4"), NULL));
    assert_int_equal(entry_count(h), 1);
}

static void completes_ids(void **state)
{
    struct harness *h = *state;
    char prefix[9] = "";
    json_t *status = harness_call(h, "node.status", NULL, NULL);
    snprintf(prefix, sizeof prefix, "%s", json_string_value(json_object_get(status, "personId")));
    json_t *profile = harness_call(h, "profile.get", json_pack("{s:s}", "person", prefix), NULL);
    assert_string_equal(json_string_value(json_object_get(profile, "email")), "ann@test");
    refuses(h, "NOT-FOUND", "object.get", json_pack("{s:s}", "hash", "00000000"));
    refuses(h, "BAD-ID", "object.get", json_pack("{s:s}", "hash", "short"));
}

static void pages_lists(void **state)
{
    struct harness *h = *state;
    json_t *all = json_incref(json_object_get(harness_call(h, "recipe.list", NULL, NULL), "items"));
    json_t *seen = json_array();
    json_t *after = NULL;
    do {
        json_t *params = json_pack("{s:i}", "limit", 7);
        if (after != NULL)
            json_object_set_new(params, "after", after);
        json_t *page = harness_call(h, "recipe.list", params, NULL);
        assert_true(json_array_size(json_object_get(page, "items")) <= 7);
        json_array_extend(seen, json_object_get(page, "items"));
        after = json_incref(json_object_get(page, "next"));
    } while (json_is_string(after));
    json_decref(after);
    json_t *first = harness_call(h, "recipe.list", json_pack("{s:i}", "limit", 1000), NULL);
    assert_true(json_equal(json_object_get(first, "items"), seen));
    assert_true(json_array_size(all) <= json_array_size(seen));
    json_decref(all);
    json_decref(seen);
}

// Messages of 500 kB each: a page holds one of them, and reading on gives all, oldest first.
static void pages_end_before_they_grow_too_long(void **state)
{
    enum { LONG = 500000, COUNT = 4 };
    struct harness *h = *state;
    char *text = calloc(1, LONG + 1);
    memset(text, 'x', LONG);
    json_t *made = harness_call(h, "topic.create", json_pack("{s:s, s:[]}", "name", "long", "persons"), NULL);
    char *topic = strdup(json_string_value(json_object_get(made, "topicId")));
    for (int i = 0; i < COUNT; i++) {
        text[0] = (char)('0' + i);
        assert_non_null(harness_call(h, "topic.send", json_pack("{s:s, s:s}", "topic", topic, "text", text), NULL));
    }
    char before[65] = "";
    for (int i = COUNT - 1; i >= 0; i--) {
        json_t *params =
            json_pack("{s:s, s:i, s:s*}", "topic", topic, "limit", 1000, "before", before[0] ? before : NULL);
        json_t *page = harness_call(h, "topic.read", params, NULL);
        json_t *items = json_object_get(page, "items");
        assert_int_equal(json_array_size(items), 1);
        assert_int_equal(json_string_value(json_object_get(json_array_get(items, 0), "text"))[0], '0' + i);
        const char *next = json_string_value(json_object_get(page, "next"));
        assert_int_equal(next != NULL, i > 0);
        strcpy(before, next != NULL ? next : "");
    }
    json_t *entries = harness_call(h, "channel.read", json_pack("{s:s}", "id", topic), NULL);
    assert_int_equal(json_array_size(json_object_get(entries, "items")), 1);
    assert_non_null(json_object_get(entries, "next"));
    free(topic);
    free(text);
}

static void invites_once_for_one_op_id(void **state)
{
    struct harness *h = *state;
    struct asked one;
    struct asked two;
    for (int keep = 0; keep < 2; keep++) {
        const char *op = keep ? "op-6" : "op-5";
        harness_begin(h, &one, "pairing.invite", json_pack("{s:b, s:s}", "keep", keep, "opId", op));
        harness_begin(h, &two, "pairing.invite", json_pack("{s:b, s:s}", "keep", keep, "opId", op));
        harness_wait(h, &one);
        harness_wait(h, &two);
        assert_non_null(one.result);
        assert_true(json_equal(one.result, two.result));
        assert_true(json_equal(one.result, harness_call(h, "pairing.invite", json_pack("{s:s}", "opId", op), NULL)));
        assert_false(json_equal(one.result, harness_call(h, "pairing.invite", NULL, NULL)));
        json_decref(one.result);
        json_decref(two.result);
    }
}

static void a_refused_invitation_is_answered_to_all(void **state)
{
    struct harness *h = *state;
    const char *bad = "{\"token\":\"x\",\"publicKey\":\"y\",\"url\":\"z\"}";
    for (int i = 0; i < 2; i++) {
        json_t *params = json_pack("{s:o, s:s}", "invitation", json_loads(bad, 0, NULL), "opId", "op-7");
        refuses(h, "BAD-INVITATION", "pairing.accept", params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(needs_a_provisioned_node, setup, teardown),
        cmocka_unit_test_setup_teardown(acts_once_for_one_op_id, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(a_failure_is_not_remembered, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(completes_ids, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(invites_once_for_one_op_id, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(a_refused_invitation_is_answered_to_all, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(pages_lists, setup_provisioned, teardown),
        cmocka_unit_test_setup_teardown(pages_end_before_they_grow_too_long, setup_provisioned, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
