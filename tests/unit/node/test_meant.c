// Whom a topic command means where a chat is called as a person is, which is as whoever made it likes.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "harness.h"
#include "models/topic.h"
#include "tests/unit/cmocka_all.h"

static struct hash anna;
static struct hash bob;

// ---- Chats ----------------------------------------------------------------------------------------------------------

struct planting {
    struct harness *h;
    const char *id;
    bool done;
};

static enum status plant_work(struct store *s, void *arg, struct error *e)
{
    struct planting *p = arg;
    struct topic topic;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = p->h->node->self, .arena = arena, .now_ms = clock_wall_ms()};
    enum status st = topic_make(&m, span_of(p->id), SPAN("planted"), &bob, &topic, e);
    arena_destroy(arena);
    return st;
}

static void plant_done(void *arg, enum status status, const struct error *e)
{
    struct planting *p = arg;
    (void)e;
    assert_int_equal(status, STATUS_OK);
    p->done = true;
    loop_stop(p->h->node->loop);
}

// As if Bob had made it with us.
static void plant(struct harness *h, const char *id)
{
    struct planting p = {.h = h, .id = id};
    store_submit(h->node->queue, plant_work, plant_done, &p);
    while (!p.done)
        loop_run(h->node->loop);
}

static json_t *create(struct harness *h, const char *name, const char *id, const char **code)
{
    json_t *params = json_pack("{s:s, s:[s]}", "name", name, "persons", hash_text(&bob).s);
    if (id != NULL)
        json_object_set_new(params, "id", json_string(id));
    return harness_call(h, "topic.create", params, code);
}

// ---- What is asked --------------------------------------------------------------------------------------------------

static const char *const METHODS[] = {"topic.send", "topic.read", "topic.read-up-to", "chat.delete"};
enum { METHOD_COUNT = 4 };

static json_t *ask(struct harness *h, const char *method, const char *topic, const char **code)
{
    json_t *params = json_pack("{s:s}", "topic", topic);
    if (strcmp(method, "topic.send") == 0)
        json_object_set_new(params, "text", json_string("secret"));
    return harness_call(h, method, params, code);
}

static void assert_either(struct harness *h, const char *text)
{
    const char *code;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        assert_null(ask(h, METHODS[i], text, &code));
        assert_string_equal(code, "AMBIGUOUS-ID");
    }
}

static size_t heard_by_anna(struct harness *h)
{
    json_t *page = harness_call(h, "chat.list", json_pack("{s:s}", "with", hash_text(&anna).s), NULL);
    return json_array_size(json_object_get(page, "items"));
}

static void assert_means(struct harness *h, const char *text, bool is_anna)
{
    const char *code;
    size_t before = heard_by_anna(h);
    json_t *sent = ask(h, "topic.send", text, &code);
    if (sent == NULL)
        fail_msg("%s: %s", text, code);
    assert_int_equal(heard_by_anna(h) - before, is_anna ? 1 : 0);
    json_t *read = json_object_get(ask(h, "topic.read", text, &code), "items");
    assert_int_equal(json_array_size(read), is_anna ? before + 1 : 1);
    assert_non_null(ask(h, "topic.read-up-to", text, &code));
    assert_int_equal(json_integer_value(json_object_get(ask(h, "chat.delete", text, &code), "deleted")),
                     is_anna ? before + 1 : 1);
    assert_int_equal(heard_by_anna(h), is_anna ? 0 : before);
}

// ---- Tests ----------------------------------------------------------------------------------------------------------

static void a_chat_does_not_take_a_persons_name(void **state)
{
    struct harness *h = *state;
    struct asked asked;
    char id[64];
    assert_means(h, "Anna@test", true);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(create(h, "anna@test", NULL, NULL), "topicId")));
    assert_either(h, "anna@test");
    assert_means(h, id, false);
    harness_begin(h, &asked, "topic.read", json_pack("{s:s}", "topic", "anna@test"));
    harness_wait(h, &asked);
    assert_non_null(strstr(asked.error.message, id));
    assert_non_null(strstr(asked.error.message, hash_text(&anna).s));
}

static void an_id_that_others_chose_takes_no_name(void **state)
{
    struct harness *h = *state;
    plant(h, "anna@test");
    assert_either(h, "anna@test");
    assert_non_null(create(h, "ours", "bob@test", NULL)); // this one we chose
    assert_means(h, "bob@test", false);
}

static void an_id_that_others_chose_is_no_persons(void **state)
{
    struct harness *h = *state;
    char beginning[13];
    snprintf(beginning, sizeof beginning, "%.12s", hash_text(&anna).s);
    plant(h, hash_text(&anna).s);
    assert_either(h, beginning);
    plant(h, beginning);
    assert_either(h, beginning);
    assert_means(h, hash_text(&anna).s, true);
    assert_non_null(create(h, beginning, NULL, NULL)); // of several, too
    assert_either(h, beginning);
}

static void nobody_makes_a_chat_with_a_persons_id(void **state)
{
    struct harness *h = *state;
    const char *code;
    const char *const ids[] = {"95733be9", "9573 3BE9e475", hash_text(&anna).s, "me", " ME"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_null(create(h, "x", ids[i], &code));
        assert_string_equal(code, "BAD-INPUT");
    }
    assert_non_null(create(h, "x", "95733be", NULL));
    assert_non_null(create(h, "x", "95733be9-e475", NULL));
}

static void me_is_no_chat(void **state)
{
    struct harness *h = *state;
    const char *code;
    assert_non_null(create(h, "me", NULL, NULL));
    plant(h, "me");
    assert_null(ask(h, "topic.send", "me", &code));
    assert_string_equal(code, "BAD-INPUT"); // as chat.send to ourselves
}

static int begin(void **state)
{
    struct harness *h = harness_create();
    harness_provision(h);
    anna = harness_befriend(h, "anna@test");
    bob = harness_befriend(h, "bob@test");
    *state = h;
    return 0;
}

static int end(void **state)
{
    harness_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chat_does_not_take_a_persons_name, begin, end),
        cmocka_unit_test_setup_teardown(an_id_that_others_chose_takes_no_name, begin, end),
        cmocka_unit_test_setup_teardown(an_id_that_others_chose_is_no_persons, begin, end),
        cmocka_unit_test_setup_teardown(nobody_makes_a_chat_with_a_persons_id, begin, end),
        cmocka_unit_test_setup_teardown(me_is_no_chat, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
