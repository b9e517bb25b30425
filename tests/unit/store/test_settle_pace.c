// When files are made: in pauses, and seldom where there are none.
#include "../cmocka_all.h"
#include "store/settle_pace.h"

enum { START = 1000000, STEP_MS = 20, QUIET_MS = 500, LATEST_MS = 5000 };

static void a_pause_is_taken(void **state)
{
    (void)state;
    struct settle_pace p = {0};
    settle_pace_wrote(&p, START, 1, 100);
    assert_int_equal(settle_pace_due(&p, START), START + QUIET_MS);
    settle_pace_wrote(&p, START + STEP_MS, 1, 100);
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
        settle_pace_wrote(&p, now, 1, 100);
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
    settle_pace_wrote(&p, START, 1, 100);
    settle_pace_begins(&p, START + LATEST_MS);
    settle_pace_ends(&p, START + 2 * LATEST_MS);
    settle_pace_wrote(&p, START + 2 * LATEST_MS, 1, 100);
    assert_in_range(settle_pace_due(&p, START + 2 * LATEST_MS) - START, 2 * LATEST_MS, 2 * LATEST_MS + 3000);
    settle_pace_all_done(&p);
    settle_pace_wrote(&p, START + 4 * LATEST_MS, 1, 100);
    assert_int_equal(settle_pace_due(&p, START + 4 * LATEST_MS), START + 4 * LATEST_MS + QUIET_MS);
}

// Somebody writes more all the time than batches with rests between them take away: how much waits at most?
static void what_waits_has_a_bound(uint64_t per_step, uint64_t size, uint64_t per_batch, uint64_t most)
{
    struct settle_pace p = {0};
    enum { STEPS = 30000, BATCH_MS = 100 }; // ten minutes
    uint64_t waiting = 0, highest = 0, ends_at = 0;
    for (uint64_t now = START; now < START + STEPS * STEP_MS; now += STEP_MS) {
        waiting += per_step;
        highest = waiting > highest ? waiting : highest;
        settle_pace_wrote(&p, now, per_step, per_step * size);
        if (ends_at != 0 && now >= ends_at) {
            settle_pace_ends(&p, now);
            waiting -= per_batch < waiting ? per_batch : waiting;
            ends_at = 0;
            if (waiting == 0)
                settle_pace_all_done(&p);
        }
        if (ends_at == 0 && settle_pace_due(&p, now) <= now) {
            settle_pace_begins(&p, now);
            ends_at = now + BATCH_MS;
        }
    }
    assert_in_range(highest, most / 2, most + per_step);
}

static void bodies_that_wait_have_a_bound(void **state)
{
    (void)state;
    what_waits_has_a_bound(40, 300, 256, 50000);
}

static void bytes_that_wait_have_a_bound(void **state)
{
    (void)state;
    enum { SIZE = 60000 };
    what_waits_has_a_bound(3, SIZE, (4 << 20) / SIZE, (64 << 20) / SIZE);
}

static void upkeep_comes_while_somebody_writes(void **state)
{
    (void)state;
    struct settle_pace p = {0};
    enum { MINUTES = 10, MINUTE = 60000 };
    size_t kept = 0;
    for (uint64_t now = START; now < START + MINUTES * MINUTE; now += STEP_MS) {
        settle_pace_wrote(&p, now, 1, 100);
        if (!settle_pace_upkeep_is_due(&p, now))
            continue;
        assert_true(settle_pace_presses(&p, now));
        assert_int_equal(settle_pace_due(&p, now), now);
        settle_pace_kept(&p, now);
        assert_false(settle_pace_presses(&p, now));
        kept++;
    }
    assert_int_equal(kept, MINUTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_is_taken),
        cmocka_unit_test(who_writes_on_has_most_of_the_disk),
        cmocka_unit_test(a_long_batch_is_no_long_rest),
        cmocka_unit_test(bodies_that_wait_have_a_bound),
        cmocka_unit_test(bytes_that_wait_have_a_bound),
        cmocka_unit_test(upkeep_comes_while_somebody_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
