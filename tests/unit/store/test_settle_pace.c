// When files are made: in pauses, and seldom where there are none.
#include "../cmocka_all.h"
#include "store/settle_pace.h"

enum { START = 1000000, STEP_MS = 20, QUIET_MS = 500, LATEST_MS = 5000 };

static void a_pause_is_taken(void **state)
{
    (void)state;
    struct settle_pace p = {0};
    settle_pace_wrote(&p, START);
    assert_int_equal(settle_pace_due(&p, START), START + QUIET_MS);
    settle_pace_wrote(&p, START + STEP_MS);
    assert_int_equal(settle_pace_due(&p, START + STEP_MS), START + STEP_MS + QUIET_MS);
    settle_pace_begins(&p, START + 2000);
    settle_pace_ends(&p, START + 2100);
    assert_int_equal(settle_pace_due(&p, START + 2100), START + 2100); // the pause goes on: the next one at once
}

// Somebody writes all the time, and a batch takes 100 ms: how much of a minute do batches take?
static void who_writes_on_has_most_of_the_disk(void **state)
{
    (void)state;
    struct settle_pace p = {0};
    enum { MINUTE = 60000, BATCH_MS = 100 };
    uint64_t busy = 0;
    for (uint64_t now = START; now < START + MINUTE; now += STEP_MS) {
        settle_pace_wrote(&p, now);
        if (settle_pace_due(&p, now) > now)
            continue;
        assert_true(now >= START + LATEST_MS);
        settle_pace_begins(&p, now);
        settle_pace_ends(&p, now + BATCH_MS);
        busy += BATCH_MS;
    }
    assert_in_range(busy, MINUTE / 10, MINUTE / 6);
}

static void a_long_batch_is_no_long_rest(void **state)
{
    (void)state;
    struct settle_pace p = {0};
    settle_pace_wrote(&p, START);
    settle_pace_begins(&p, START + LATEST_MS);
    settle_pace_ends(&p, START + 2 * LATEST_MS);
    settle_pace_wrote(&p, START + 2 * LATEST_MS);
    assert_in_range(settle_pace_due(&p, START + 2 * LATEST_MS) - START, 2 * LATEST_MS, 2 * LATEST_MS + 3000);
    settle_pace_all_done(&p);
    settle_pace_wrote(&p, START + 4 * LATEST_MS);
    assert_int_equal(settle_pace_due(&p, START + 4 * LATEST_MS), START + 4 * LATEST_MS + QUIET_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_is_taken),
        cmocka_unit_test(who_writes_on_has_most_of_the_disk),
        cmocka_unit_test(a_long_batch_is_no_long_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
