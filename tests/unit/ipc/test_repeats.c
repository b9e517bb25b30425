// Requests that come more than once.
#include "ipc/repeats.h"

#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/cmocka_all.h"

enum { ASKERS = 6 };

struct asked { // first, so that it is found from the asker
    struct ipc_asker asker;
    struct ipc_request *request; // NULL: repeats took it
    int answers;
    long long value; // of the result; -1: it failed
    char code[40];
};

static struct asked asked[ASKERS];
static size_t count;
static struct ipc_service *service;
static struct repeats *repeats;

static void respond(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct asked *a = (struct asked *)(void *)asker;
    a->answers++;
    a->value = error != NULL ? -1 : (long long)json_integer_value(json_object_get(result, "n"));
    snprintf(a->code, sizeof a->code, "%s", error != NULL ? error->code : "");
    json_decref(result);
}

static void handle(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    asked[count - 1].request = repeats_take(repeats, r) ? NULL : r;
}

static struct asked *ask(const char *op)
{
    struct asked *a = &asked[count++];
    *a = (struct asked){.asker.respond = respond};
    ipc_service_dispatch(service, "restart", json_pack("{s:s, s:s*}", "node", "archive", "opId", op), &a->asker);
    return a;
}

static void reply(struct asked *a, int n)
{
    repeats_reply(repeats, a->request, json_pack("{s:i}", "n", n));
}

static void begin(size_t remembered, size_t joined, uint64_t age_ms)
{
    count = 0;
    service = ipc_service_create(IPC_SUPERVISOR);
    ipc_service_on(service, "restart", handle, NULL);
    repeats = repeats_create((struct repeats_limits){remembered, joined, age_ms});
}

static void end(void)
{
    repeats_destroy(repeats);
    ipc_service_destroy(service);
}

static void a_repeat_joins_and_a_later_one_gets_the_result(void **state)
{
    (void)state;
    begin(4, 4, 0);
    struct asked *first = ask("a");
    struct asked *second = ask("a");
    struct asked *other = ask("b");
    assert_non_null(first->request);
    assert_null(second->request);
    assert_non_null(other->request);
    reply(first, 7);
    assert_int_equal(first->value, 7);
    assert_int_equal(second->value, 7);
    assert_int_equal(other->answers, 0);
    reply(other, 8);
    assert_int_equal(ask("a")->value, 7);
    end();
}

static void an_empty_answer_is_one_too(void **state)
{
    (void)state;
    begin(4, 4, 0);
    repeats_reply(repeats, ask("a")->request, NULL);
    struct asked *again = ask("a");
    assert_int_equal(again->answers, 1);
    assert_string_equal(again->code, "");
    end();
}

static void what_failed_is_tried_again(void **state)
{
    (void)state;
    struct error e = {0};
    begin(4, 4, 0);
    struct asked *first = ask("a");
    struct asked *joined = ask("a");
    error_set(&e, STATUS_CONFLICT, "BUSY", "no");
    repeats_fail(repeats, first->request, &e);
    assert_string_equal(first->code, "BUSY");
    assert_string_equal(joined->code, "BUSY");
    struct asked *again = ask("a");
    assert_non_null(again->request);
    reply(again, 1);
    end();
}

static void what_has_no_op_id_is_no_repeat(void **state)
{
    (void)state;
    begin(4, 4, 0);
    struct asked *first = ask(NULL);
    struct asked *second = ask(NULL);
    assert_non_null(second->request);
    reply(first, 1);
    reply(second, 2);
    assert_int_equal(first->value, 1);
    assert_int_equal(second->value, 2);
    end();
}

static void the_oldest_answer_makes_room(void **state)
{
    (void)state;
    begin(2, 4, 0);
    struct asked *long_one = ask("a");
    reply(ask("b"), 2);
    reply(ask("c"), 3); // the place of b: a is under way
    struct asked *again = ask("b");
    assert_non_null(again->request);
    struct asked *beyond = ask("d"); // all are under way: it is worked on, and not remembered
    assert_non_null(beyond->request);
    reply(beyond, 4);
    assert_int_equal(beyond->value, 4);
    reply(again, 5);
    reply(long_one, 1);
    assert_int_equal(ask("a")->value, 1);
    end();
}

static void so_many_join_and_no_more(void **state)
{
    (void)state;
    begin(4, 1, 0);
    struct asked *first = ask("a");
    struct asked *joined = ask("a");
    assert_string_equal(ask("a")->code, "BUSY");
    assert_int_equal(joined->answers, 0);
    reply(first, 1);
    assert_int_equal(joined->value, 1);
    end();
}

static void an_old_answer_is_none(void **state)
{
    (void)state;
    begin(4, 4, 1);
    reply(ask("a"), 1);
    uint64_t then = clock_monotonic_ms();
    while (clock_monotonic_ms() - then < 3)
        ; // older than the limit, and no longer
    struct asked *again = ask("a");
    assert_non_null(again->request);
    reply(again, 2);
    end();
}

static void it_is_abandoned_when_all_have_gone(void **state)
{
    (void)state;
    begin(4, 4, 0);
    struct asked *first = ask("a");
    struct asked *joined = ask("a");
    ipc_asker_leave(&first->asker);
    assert_false(repeats_is_abandoned(repeats, first->request));
    ipc_asker_leave(&joined->asker);
    assert_true(repeats_is_abandoned(repeats, first->request));
    reply(first, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeat_joins_and_a_later_one_gets_the_result),
        cmocka_unit_test(an_empty_answer_is_one_too),
        cmocka_unit_test(what_failed_is_tried_again),
        cmocka_unit_test(what_has_no_op_id_is_no_repeat),
        cmocka_unit_test(the_oldest_answer_makes_room),
        cmocka_unit_test(so_many_join_and_no_more),
        cmocka_unit_test(an_old_answer_is_none),
        cmocka_unit_test(it_is_abandoned_when_all_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
