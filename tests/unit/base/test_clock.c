// Times that are brought together.
#include "base/clock.h"

#include "tests/unit/cmocka_all.h"

static void a_time_is_kept_within_its_room(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 5000; at += 7) {
        for (uint64_t slack = 0; slack < 3000; slack += 13) {
            uint64_t found = clock_together(at, slack);
            assert_true(found <= at && found + slack >= at);
        }
    }
    assert_int_equal(clock_together(UINT64_MAX, 0), UINT64_MAX);
}

// Those whose rooms have a round time in common come to one; what is left are few times.
static void times_with_room_come_together(void **state)
{
    (void)state;
    assert_int_equal(clock_together(20000, 4000), 16384);
    assert_int_equal(clock_together(18500, 4000), 16384);
    size_t different = 0;
    uint64_t last = 0;
    for (uint64_t at = 100000; at < 200000; at++) {
        different += clock_together(at, 4000) != last;
        last = clock_together(at, 4000);
    }
    assert_in_range(different, 1, 100000 / 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_kept_within_its_room),
        cmocka_unit_test(times_with_room_come_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
