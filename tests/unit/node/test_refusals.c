// Which ends of sessions say that a peer cannot take something over, and when it is offered again.
#include "node/refusals.h"
#include "tests/unit/cmocka_all.h"

enum { MINUTE_MS = 60000 };

static const struct hash person = {{1}};
static const struct hash none = {{0}};
static const struct hash one = {{2}};
static const struct hash other = {{3}};

static bool judge(struct refusals *r, const char *reason, const struct hash *last, uint64_t now_ms, struct refusal *out)
{
    struct error why;
    error_set(&why, STATUS_CLOSED, "PEER-CLOSED", "%s", reason);
    return refusals_judge(r, &person, last, &why, now_ms, out);
}

static const char unknown_type[] = "Chum ended [2] with error: Error: OR-ET1: Type \"Note\" not found in recipes";
static const char other_recipe[] = "Chum ended [2] with error: Error: US-SSFMC1: Start and length must be non-neg";

static void a_type_without_recipe_is_named(void **state)
{
    struct refusals *r = refusals_create();
    struct refusal at_fault;
    (void)state;
    assert_true(judge(r, unknown_type, &none, 0, &at_fault));
    assert_string_equal(at_fault.type, "Note");
    refusals_destroy(r);
}

static void an_object_is_at_fault_the_second_time(void **state)
{
    struct refusals *r = refusals_create();
    struct refusal at_fault;
    (void)state;
    assert_false(judge(r, other_recipe, &one, 0, &at_fault));
    assert_false(judge(r, other_recipe, &other, 0, &at_fault));
    assert_true(judge(r, other_recipe, &other, 0, &at_fault));
    assert_string_equal(at_fault.type, "");
    assert_true(hash_eq(&at_fault.object, &other));
    assert_false(judge(r, other_recipe, &none, 0, &at_fault));
    assert_false(judge(r, other_recipe, &none, 0, &at_fault));
    refusals_destroy(r);
}

static void other_ends_mean_nothing(void **state)
{
    static const char *const reasons[] = {
        "", "Chum ended [2] normally. Error count 0", "Chum ended [2] with error: Error: OR-ET1: Type \"",
        "Chum ended [2] with error: Error: OR-ET1: Type \"\" not found in recipes", "Error: OR-ET1: Type \"Note\" not"};
    struct refusals *r = refusals_create();
    struct refusal at_fault;
    struct error lost;
    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        assert_false(judge(r, reasons[i], &none, 0, &at_fault));
    error_set(&lost, STATUS_CLOSED, "CONNECTION-LOST", "%s", unknown_type);
    assert_false(refusals_judge(r, &person, &one, &lost, 0, &at_fault));
    assert_false(refusals_are_over(r, &person, 100 * MINUTE_MS));
    refusals_destroy(r);
}

static void everything_is_offered_again_ever_later(void **state)
{
    struct refusals *r = refusals_create();
    struct refusal at_fault;
    uint64_t now_ms = 0;
    (void)state;
    for (uint64_t pause_ms = MINUTE_MS; pause_ms < 30 * 60 * MINUTE_MS; pause_ms *= 2) {
        uint64_t expected_ms = pause_ms < 24 * 60 * MINUTE_MS ? pause_ms : 24 * 60 * MINUTE_MS;
        assert_true(judge(r, unknown_type, &one, now_ms, &at_fault));
        assert_false(refusals_are_over(r, &person, now_ms + expected_ms - 1));
        now_ms += expected_ms;
        assert_true(refusals_are_over(r, &person, now_ms));
        assert_false(refusals_are_over(r, &person, now_ms + expected_ms));
    }
    refusals_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_without_recipe_is_named),
        cmocka_unit_test(an_object_is_at_fault_the_second_time),
        cmocka_unit_test(other_ends_mean_nothing),
        cmocka_unit_test(everything_is_offered_again_ever_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
