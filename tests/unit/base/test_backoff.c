// Waits that grow.
#include "base/backoff.h"

#include "tests/unit/cmocka_all.h"

static void it_doubles_up_to_its_limit(void **state)
{
    (void)state;
    const struct backoff b = {100, 5000};
    static const uint64_t waits[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(backoff_ms(b, i), waits[i]);
}

static void no_number_of_tries_is_too_great(void **state)
{
    (void)state;
    const struct backoff b = {100, 5000};
    for (unsigned bits = 0; bits < 32; bits++)
        assert_true(backoff_ms(b, 1U << bits) >= 200 && backoff_ms(b, 1U << bits) <= 5000);
    assert_int_equal(backoff_ms(b, 64), 5000);
    assert_int_equal(backoff_ms(b, UINT32_MAX), 5000);
    assert_int_equal(backoff_ms((struct backoff){1, UINT64_MAX}, 63), 1ULL << 63);
    assert_int_equal(backoff_ms((struct backoff){3, UINT64_MAX}, 63), UINT64_MAX);
}

static void the_limit_is_one_from_the_beginning(void **state)
{
    (void)state;
    assert_int_equal(backoff_ms((struct backoff){100, 30}, 0), 30);
    assert_int_equal(backoff_ms((struct backoff){100, 100}, 0), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_doubles_up_to_its_limit),
        cmocka_unit_test(no_number_of_tries_is_too_great),
        cmocka_unit_test(the_limit_is_one_from_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
