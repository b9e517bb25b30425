// Following a conversation: chat.since waits for news, for its time to be over, or for the node's end.
#include <stdio.h>

#include "harness.h"
#include "tests/unit/cmocka_all.h"

static struct hash friend; // of the harness

static int setup(void **state)
{
    struct harness *h = harness_create();
    harness_provision(h);
    friend = harness_befriend(h, "ben@test");
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    return 0;
}

static json_t *since(const char *cursor, int ms)
{
    return json_pack("{s:s, s:s*, s:i}", "with", hash_text(&friend).s, "cursor", cursor, "waitMs", ms);
}

static void say(struct harness *h, const char *text)
{
    assert_non_null(
        harness_call(h, "chat.send", json_pack("{s:s, s:s}", "to", hash_text(&friend).s, "text", text), NULL));
}

static void get_cursor(struct harness *h, char cursor[512])
{
    json_t *answer = harness_call(h, "chat.since", since(NULL, 20000), NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "items")), 0);
    snprintf(cursor, 512, "%s", json_string_value(json_object_get(answer, "next")));
}

static const char *text_of(const json_t *answer, size_t i)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(answer, "items"), i), "text"));
}

static void a_message_wakes_all_followers(void **state)
{
    struct harness *h = *state;
    char cursor[512];
    struct asked one;
    struct asked two;
    say(h, "old");
    get_cursor(h, cursor);
    harness_begin(h, &one, "chat.since", since(cursor, 20000));
    harness_begin(h, &two, "chat.since", since(cursor, 20000));
    say(h, "new");
    harness_wait(h, &one);
    harness_wait(h, &two);
    assert_int_equal(json_array_size(json_object_get(one.result, "items")), 1);
    assert_string_equal(text_of(one.result, 0), "new");
    assert_string_equal(text_of(two.result, 0), "new");
    json_decref(one.result);
    json_decref(two.result);
}

static void no_message_is_told_twice(void **state)
{
    struct harness *h = *state;
    char cursor[512];
    get_cursor(h, cursor);
    for (int i = 0; i < 5; i++) {
        char text[16];
        snprintf(text, sizeof text, "message %d", i);
        say(h, text);
        json_t *answer = harness_call(h, "chat.since", since(cursor, 20000), NULL);
        assert_int_equal(json_array_size(json_object_get(answer, "items")), 1);
        assert_string_equal(text_of(answer, 0), text);
        snprintf(cursor, sizeof cursor, "%s", json_string_value(json_object_get(answer, "next")));
    }
}

static void silence_is_answered_in_time(void **state)
{
    struct harness *h = *state;
    char cursor[512];
    say(h, "old");
    get_cursor(h, cursor);
    json_t *answer = harness_call(h, "chat.since", since(cursor, 50), NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "items")), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "next")), cursor);
}

static void the_end_of_the_node_answers(void **state)
{
    struct harness *h = *state;
    char cursor[512];
    struct asked waiting;
    get_cursor(h, cursor);
    harness_begin(h, &waiting, "chat.since", since(cursor, 20000));
    node_close(h->node);
    assert_true(waiting.answered);
    json_decref(waiting.result);
}

static void too_many_are_refused(void **state)
{
    struct harness *h = *state;
    char cursor[512];
    static struct asked waiting[65];
    get_cursor(h, cursor);
    for (size_t i = 0; i < 65; i++)
        harness_begin(h, &waiting[i], "chat.since", since(cursor, 20000));
    assert_true(waiting[64].answered);
    assert_string_equal(waiting[64].error.code, "BUSY");
    node_close(h->node);
    for (size_t i = 0; i < 65; i++)
        json_decref(waiting[i].result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_wakes_all_followers, setup, teardown),
        cmocka_unit_test_setup_teardown(no_message_is_told_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_is_answered_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_node_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
