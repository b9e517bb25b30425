// What one own node leaves to the other, and how far messages got: held requests, outbox, carrying, deliveries.
#include <string.h>

#include "harness.h"
#include "tests/unit/cmocka_all.h"

static struct hash friend; // of the harness
static const struct hash nobody = {{0xab}};
static const struct hash archive = {{0xaa}};

static int setup(void **state)
{
    struct harness *h = harness_create();
    harness_provision(h);
    friend = harness_befriend(h, "ben@test");
    assert_non_null(harness_call(h, "node.peer",
                                 json_pack("{s:s, s:s, s:s}", "personId", hash_text(&archive).s, "instanceId",
                                           hash_text(&nobody).s, "instanceKey", hash_text(&nobody).s),
                                 NULL));
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static json_t *to(const struct hash *person, const char *text, const char *op, bool alone)
{
    json_t *params =
        json_pack("{s:s, s:s, s:s*, s:b}", "to", hash_text(person).s, "text", text, "opId", op, "face", true);
    if (alone)
        json_object_set_new(params, "alone", json_true());
    return params;
}

static json_int_t only_seq(struct harness *h)
{
    json_t *items = NULL;
    for (int i = 0; i < 100000 && json_array_size(items) == 0; i++) // what reads does not wait for what writes
        items = json_object_get(harness_call(h, "node.outbox", NULL, NULL), "items");
    assert_int_equal(json_array_size(items), 1);
    return json_integer_value(json_object_get(json_array_get(items, 0), "seq"));
}

static void carried(struct harness *h, const char *what, json_t *outcome)
{
    json_int_t seq = only_seq(h);
    assert_non_null(
        harness_call(h, "node.carried", json_pack("{s:[{s:I, s:o}]}", "items", "seq", seq, what, outcome), NULL));
}

static json_t *latest(struct harness *h, const struct hash *with)
{
    json_t *answer =
        harness_call(h, "chat.list", json_pack("{s:s, s:b}", "with", hash_text(with).s, "face", true), NULL);
    json_t *items = json_object_get(answer, "items");
    return json_array_get(items, json_array_size(items) - 1);
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

// ---- The outbox ----------------------------------------------------------------------------------------------------

static void a_refusal_of_the_archive_is_everybodys_answer(void **state)
{
    struct harness *h = *state;
    struct asked one;
    struct asked two;
    const char *code;
    harness_begin(h, &one, "chat.send", to(&nobody, "x", "op", false));
    harness_begin(h, &two, "chat.send", to(&nobody, "x", "op", false));
    carried(h, "error", json_pack("{s:s, s:s}", "code", "NO-WAY", "message", "unknown here"));
    harness_wait(h, &one);
    harness_wait(h, &two);
    assert_string_equal(one.error.code, "NO-WAY");
    assert_string_equal(two.error.message, "unknown here");
    assert_null(harness_call(h, "chat.send", to(&nobody, "x", "op", false), &code));
    assert_string_equal(code, "NO-WAY");
    json_t *message = latest(h, &nobody);
    assert_string_equal(text(message, "state"), "failed");
    assert_string_equal(text(message, "why"), "unknown here");
}

static void a_result_of_the_archive_is_the_answer(void **state)
{
    struct harness *h = *state;
    struct asked one;
    harness_begin(h, &one, "chat.send", to(&nobody, "x", "op", false));
    carried(h, "result", json_pack("{s:s}", "state", "archived"));
    harness_wait(h, &one);
    assert_string_equal(text(one.result, "state"), "archived");
    json_decref(one.result);
    assert_string_equal(text(latest(h, &nobody), "state"), "archived");
    json_t *again = harness_call(h, "chat.send", to(&nobody, "x", "op", false), NULL);
    assert_string_equal(text(again, "state"), "archived");
    json_t *rest = harness_call(h, "node.outbox", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(rest, "items")), 0);
}

static void the_end_of_the_node_leaves_it_pending(void **state)
{
    struct harness *h = *state;
    struct asked one;
    harness_begin(h, &one, "chat.send", to(&nobody, "x", NULL, false));
    only_seq(h);
    assert_false(one.answered);
    node_close(h->node);
    assert_true(one.answered);
    assert_string_equal(text(one.result, "state"), "pending");
    json_decref(one.result);
}

static void alone_it_asks_nobody(void **state)
{
    struct harness *h = *state;
    const char *code;
    assert_null(harness_call(h, "chat.send", to(&nobody, "x", NULL, true), &code));
    assert_string_equal(code, "NO-WAY");
    assert_string_equal(text(harness_call(h, "chat.send", to(&friend, "x", NULL, true), NULL), "state"), "sent");
}

// ---- Carrying ------------------------------------------------------------------------------------------------------

static json_t *items(void)
{
    return json_pack("{s:[{s:i, s:s, s:s, s:{s:s, s:s}}, {s:i, s:s, s:s, s:{}}, {s:i, s:s, s:s, s:{s:s, s:s, s:s, "
                     "s:i}}]}",
                     "items", "seq", 1, "opId", "a", "method", "chat.send", "params", "to", hash_text(&friend).s,
                     "text", "once", "seq", 2, "opId", "b", "method", "node.stop", "params", "seq", 3, "opId", "c",
                     "method", "node.post", "params", "topic", "t", "to", hash_text(&nobody).s, "text", "x", "time", 7);
}

static const json_t *outcome(const json_t *answer, int seq)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        if (json_integer_value(json_object_get(item, "seq")) == seq)
            return item;
    }
    fail_msg("no outcome of %d", seq);
    return NULL;
}

static const char *code_of(const json_t *answer, int seq)
{
    return text(json_object_get(outcome(answer, seq), "error"), "code");
}

static void each_intent_is_done_once_and_only_what_may_be(void **state)
{
    struct harness *h = *state;
    char id[65] = "";
    for (int i = 0; i < 3; i++) {
        json_t *answer = harness_call(h, "node.carry", items(), NULL);
        const char *now = text(json_object_get(outcome(answer, 1), "result"), "id");
        assert_non_null(now);
        assert_true(id[0] == '\0' || strcmp(id, now) == 0);
        snprintf(id, sizeof id, "%s", now);
        assert_string_equal(code_of(answer, 2), "UNKNOWN-METHOD");
        assert_string_equal(code_of(answer, 3), "NO-WAY");
    }
    json_t *page = harness_call(h, "chat.list", json_pack("{s:s}", "with", hash_text(&friend).s), NULL);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
}

// ---- Deliveries ----------------------------------------------------------------------------------------------------

static struct hash say(struct harness *h)
{
    struct hash id;
    json_t *sent = harness_call(h, "chat.send", json_pack("{s:s, s:s}", "to", hash_text(&friend).s, "text", "m"), NULL);
    assert_true(hash_parse(span_of(text(sent, "id")), &id));
    return id;
}

static void serve(struct harness *h, struct served_session *s, enum chum_service service, const struct hash *hash,
                  size_t unanswered)
{
    deliveries_served(h->node->deliveries, s, &friend, service, hash, unanswered);
}

// Once everything is written that was to be.
static void assert_state(struct harness *h, const struct hash *id, const char *state)
{
    say(h);
    json_t *answer = harness_call(h, "chat.state", json_pack("{s:s}", "message", hash_text(id).s), NULL);
    assert_string_equal(text(answer, "state"), state);
}

static void who_fetched_it_and_asks_again_has_it(void **state)
{
    struct harness *h = *state;
    struct served_session s = {0};
    struct asked waiting;
    struct hash id = say(h);
    serve(h, &s, CHUM_GET_ACCESSIBLE_ROOTS, &id, 1);
    serve(h, &s, CHUM_GET_OBJECT, &id, 1);
    assert_state(h, &id, "sent");
    serve(h, &s, CHUM_GET_ACCESSIBLE_ROOTS, &id, 2); // something else of it is still on its way
    assert_state(h, &id, "sent");
    harness_begin(h, &waiting, "chat.state",
                  json_pack("{s:s, s:s, s:i}", "message", hash_text(&id).s, "known", "sent", "waitMs", 20000));
    serve(h, &s, CHUM_GET_ACCESSIBLE_ROOTS, &id, 1);
    harness_wait(h, &waiting);
    assert_string_equal(text(waiting.result, "state"), "delivered");
    assert_string_equal(json_string_value(json_array_get(json_object_get(waiting.result, "deliveredTo"), 0)),
                        hash_text(&friend).s);
    json_decref(waiting.result);
}

static void what_somebody_else_fetches_says_nothing(void **state)
{
    struct harness *h = *state;
    struct served_session s = {0};
    struct hash id = say(h);
    deliveries_served(h->node->deliveries, &s, &nobody, CHUM_GET_OBJECT, &id, 1);
    deliveries_served(h->node->deliveries, &s, &nobody, CHUM_GET_ACCESSIBLE_ROOTS, &id, 1);
    assert_state(h, &id, "sent");
}

static void a_broken_session_is_made_up_for_by_a_quiet_one(void **state)
{
    struct harness *h = *state;
    struct served_session first = {0};
    struct served_session second = {0};
    struct hash fetched = say(h);
    serve(h, &first, CHUM_GET_OBJECT, &fetched, 1);
    deliveries_left(h->node->deliveries, &first, &friend);
    serve(h, &second, CHUM_GET_ACCESSIBLE_ROOTS, &fetched, 1);
    struct hash other = say(h); // it may not stand in the list that was asked for next
    serve(h, &second, CHUM_GET_OBJECT_CHILDREN, &fetched, 1);
    serve(h, &second, CHUM_GET_ACCESSIBLE_ROOTS, &fetched, 1);
    assert_state(h, &fetched, "sent");
    serve(h, &second, CHUM_GET_ACCESSIBLE_ROOTS, &fetched, 1);
    assert_state(h, &fetched, "delivered");
    assert_state(h, &other, "sent");
    deliveries_left(h->node->deliveries, &second, &friend);
}

static json_t *since(const json_t *answer, int ms)
{
    return json_pack("{s:I, s:I, s:i}", "epoch", json_integer_value(json_object_get(answer, "epoch")), "since",
                     json_integer_value(json_object_get(answer, "next")), "waitMs", ms);
}

static void changes_are_told_from_where_one_was(void **state)
{
    struct harness *h = *state;
    struct asked waiting;
    const char *code;
    say(h);
    json_t *answer = json_incref(harness_call(h, "node.deliveries", NULL, NULL));
    assert_int_equal(json_array_size(json_object_get(answer, "items")), 2); // the friend, and the own archive
    harness_begin(h, &waiting, "node.deliveries", since(answer, 20000));
    assert_null(harness_call(h, "node.deliveries", since(answer, 0), &code));
    assert_string_equal(code, "BUSY");
    say(h);
    harness_wait(h, &waiting);
    assert_int_equal(json_array_size(json_object_get(waiting.result, "items")), 2);
    json_decref(waiting.result);
    json_decref(answer);
    assert_null(harness_call(h, "node.delivered",
                             json_pack("{s:i, s:i, s:[{s:s, s:s, s:i, s:i, s:s}]}", "epoch", 1, "next", 1, "items",
                                       "message", hash_text(&nobody).s, "person", "x", "state", 1, "at", 1, "why", ""),
                             &code));
    assert_string_equal(code, "BAD-PARAMS");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refusal_of_the_archive_is_everybodys_answer), TEST(a_result_of_the_archive_is_the_answer),
        TEST(the_end_of_the_node_leaves_it_pending),         TEST(alone_it_asks_nobody),
        TEST(each_intent_is_done_once_and_only_what_may_be), TEST(who_fetched_it_and_asks_again_has_it),
        TEST(what_somebody_else_fetches_says_nothing),       TEST(a_broken_session_is_made_up_for_by_a_quiet_one),
        TEST(changes_are_told_from_where_one_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
