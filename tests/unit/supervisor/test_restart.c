// The restart policy, with a clock of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/restart.h"

static const struct restart_limits limits = {
    .backoff_min_ms = 100, .backoff_max_ms = 5000, .deaths = 5, .window_ms = 60000, .healthy_ms = 10000};

static void backoff_doubles_until_the_fifth_death(void **state)
{
    (void)state;
    struct restart r = {.limits = limits};
    assert_int_equal(restart_after_death(&r, 1000, 0), 100);
    assert_int_equal(restart_after_death(&r, 2000, 0), 200);
    assert_int_equal(restart_after_death(&r, 3000, 0), 400);
    assert_int_equal(restart_after_death(&r, 4000, 9999), 800);
    assert_int_equal(restart_after_death(&r, 5000, 0), RESTART_NEVER);
}

static void a_healthy_run_forgets(void **state)
{
    (void)state;
    struct restart r = {.limits = limits};
    for (int i = 0; i < 4; i++)
        assert_true(restart_after_death(&r, 1000, 0) > 0);
    assert_int_equal(restart_after_death(&r, 30000, 10000), 100);
    assert_int_equal(restart_after_death(&r, 31000, 0), 200);
}

static void old_deaths_do_not_count(void **state)
{
    (void)state;
    struct restart r = {.limits = limits};
    uint64_t now = 0;
    for (int i = 0; i < 50; i++, now += 20000) // three within any minute
        assert_true(restart_after_death(&r, now, 0) > 0);
}

static void backoff_has_an_upper_bound(void **state)
{
    (void)state;
    struct restart r = {.limits = limits};
    int64_t wait = 0;
    for (uint64_t now = 0; now < 1000000; now += 20000)
        wait = restart_after_death(&r, now, 0);
    assert_int_equal(wait, 5000);
    restart_reset(&r);
    assert_int_equal(restart_after_death(&r, 2000000, 0), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_until_the_fifth_death),
        cmocka_unit_test(a_healthy_run_forgets),
        cmocka_unit_test(old_deaths_do_not_count),
        cmocka_unit_test(backoff_has_an_upper_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
