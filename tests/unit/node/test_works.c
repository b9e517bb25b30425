// Long work and those who wait for it.
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "node/works.h"
#include "tests/unit/cmocka_all.h"

struct told {
    json_t *progress; // the last one
    char *unwanted;
};

static struct told told;

static void progressed(void *ctx, json_t *data)
{
    struct told *t = ctx;
    json_decref(t->progress);
    t->progress = data;
}

static void unwanted(void *ctx, char *folder)
{
    struct told *t = ctx;
    free(t->unwanted);
    t->unwanted = folder;
}

static int setup(void **state)
{
    static const struct works_host host = {.ctx = &told, .progressed = progressed, .unwanted = unwanted};
    struct harness *h = harness_create();
    h->node->works = works_create(h->node->loop, &host);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    harness_destroy(*state);
    json_decref(told.progress);
    free(told.unwanted);
    told = (struct told){0};
    return 0;
}

static json_t *wait_for(const char *id, int ms)
{
    return json_pack("{s:s, s:i}", "jobId", id, "waitMs", ms);
}

static void tells_how_it_ended(void **state)
{
    struct harness *h = *state;
    struct work *good = works_begin(h->node->works);
    struct work *bad = works_begin(h->node->works);
    struct error why;
    const char *code;
    json_t *answer = harness_call(h, "job.wait", wait_for(work_id(good), 0), NULL);
    assert_true(json_is_false(json_object_get(answer, "done")));
    work_end(good, json_pack("{s:i}", "objects", 3), NULL);
    error_set(&why, STATUS_IO, "DISK-FULL", "no room");
    work_end(bad, NULL, &why);
    answer = harness_call(h, "job.wait", wait_for(work_id(good), 0), NULL);
    assert_true(json_is_true(json_object_get(answer, "done")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "result"), "objects")), 3);
    assert_null(harness_call(h, "job.wait", wait_for(work_id(bad), 0), &code));
    assert_string_equal(code, "DISK-FULL");
    assert_null(harness_call(h, "job.wait", wait_for("nothing", 0), &code));
    assert_string_equal(code, "NOT-FOUND");
}

static void answers_all_who_wait(void **state)
{
    struct harness *h = *state;
    struct work *w = works_begin(h->node->works);
    struct asked one;
    struct asked two;
    harness_begin(h, &one, "job.wait", wait_for(work_id(w), 20000));
    harness_begin(h, &two, "job.wait", wait_for(work_id(w), 20000));
    assert_false(one.answered);
    work_end(w, json_object(), NULL);
    assert_true(one.answered && two.answered);
    assert_true(json_is_true(json_object_get(one.result, "done")));
    json_decref(one.result);
    json_decref(two.result);
}

static void a_wait_ends_in_time(void **state)
{
    struct harness *h = *state;
    struct work *w = works_begin(h->node->works);
    json_t *answer = harness_call(h, "job.wait", wait_for(work_id(w), 30), NULL);
    assert_true(json_is_false(json_object_get(answer, "done")));
}

static void remembers_the_last_ones_and_begins_no_more_than_fit(void **state)
{
    struct harness *h = *state;
    struct work *all[16];
    char first[64];
    const char *code;
    for (size_t i = 0; i < 16; i++)
        all[i] = works_begin(h->node->works);
    assert_null(works_begin(h->node->works));
    snprintf(first, sizeof first, "%s", work_id(all[0]));
    work_end(all[0], json_object(), NULL);
    assert_non_null(works_begin(h->node->works));
    assert_null(harness_call(h, "job.wait", wait_for(first, 0), &code));
    assert_string_equal(code, "NOT-FOUND");
}

static json_t *id_of(const struct work *w)
{
    return json_pack("{s:s}", "jobId", work_id(w));
}

static void says_how_far_it_is(void **state)
{
    struct harness *h = *state;
    struct work *w = works_begin(h->node->works);
    json_t *answer = harness_call(h, "job.wait", wait_for(work_id(w), 0), NULL);
    assert_null(json_object_get(answer, "progress")); // nobody has said yet
    work_is_at(w, 30, 120);
    answer = harness_call(h, "job.wait", wait_for(work_id(w), 1500), NULL); // as long as it takes to be told
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "progress"), "done")), 30);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "progress"), "total")), 120);
    assert_int_equal(json_integer_value(json_object_get(told.progress, "done")), 30);
    assert_string_equal(json_string_value(json_object_get(told.progress, "jobId")), work_id(w));
    work_end(w, json_object(), NULL);
}

static void what_is_given_up_leaves_nothing(void **state)
{
    struct harness *h = *state;
    const char *code;
    struct work *early = works_begin(h->node->works);
    struct work *late = works_begin(h->node->works);
    struct error why;
    harness_call(h, "job.cancel", id_of(early), NULL);
    assert_true(work_is_cancelled(early));
    assert_false(work_is_cancelled(late));
    work_leaves(early, mem_text(SPAN("one"))); // it was over before it saw that
    work_end(early, json_object(), NULL);
    assert_string_equal(told.unwanted, "one");
    work_leaves(late, mem_text(SPAN("two")));
    work_end(late, json_object(), NULL);
    assert_string_equal(told.unwanted, "one");
    harness_call(h, "job.cancel", id_of(late), NULL);
    assert_string_equal(told.unwanted, "two");
    struct work *failed = works_begin(h->node->works);
    error_set(&why, STATUS_CLOSED, "CLOSED", "given up");
    harness_call(h, "job.cancel", id_of(failed), NULL);
    work_end(failed, NULL, &why);
    assert_string_equal(told.unwanted, "two");
    assert_null(harness_call(h, "job.cancel", json_pack("{s:s}", "jobId", "nothing"), &code));
    assert_string_equal(code, "NOT-FOUND");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_how_it_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_all_who_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wait_ends_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(says_how_far_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_given_up_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(remembers_the_last_ones_and_begins_no_more_than_fit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
