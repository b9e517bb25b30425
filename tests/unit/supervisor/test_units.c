// Amounts as people read them.
#include "supervisor/ctl/units.h"
#include "tests/unit/cmocka_all.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define SAYS(text, call)                                                                                               \
    do {                                                                                                               \
        struct buf b = {0};                                                                                            \
        call;                                                                                                          \
        assert_string_equal(buf_cstr(&b), text);                                                                       \
        buf_free(&b);                                                                                                  \
    } while (0)

static void bytes_have_the_unit_that_keeps_them_short(void **state)
{
    (void)state;
    SAYS("0 B", units_bytes(&b, 0));
    SAYS("999 B", units_bytes(&b, 999));
    SAYS("1.0 kB", units_bytes(&b, 1000));
    SAYS("12.9 MB", units_bytes(&b, 12902400));
    SAYS("5000.0 TB", units_bytes(&b, 5e15));
}

static void times_have_two_units_at_most(void **state)
{
    (void)state;
    SAYS("7 ms", units_ms(&b, 7));
    SAYS("1.4 s", units_ms(&b, 1400));
    SAYS("10 s", units_ms(&b, 10999));
    SAYS("3 min 05 s", units_ms(&b, 3 * MINUTE + 5 * SECOND));
    SAYS("2 h 03 min", units_seconds(&b, 2 * 3600 + 3 * 60 + 59));
    SAYS("4 d 01 h", units_seconds(&b, 4 * 86400 + 3600));
}

static void what_was_is_said_from_now(void **state)
{
    const int64_t now = 1796083733977;
    (void)state;
    SAYS("just now", units_ago(&b, now - 999, now));
    SAYS("now", units_ago(&b, now + 1, now));
    SAYS("12 s ago", units_ago(&b, now - 12 * SECOND, now));
    SAYS("59 min ago", units_ago(&b, now - HOUR + 1, now));
    SAYS("1 h ago", units_ago(&b, now - HOUR, now));
    SAYS("6 d ago", units_ago(&b, now - 7 * DAY + SECOND, now));
    SAYS("in 5 min", units_ago(&b, now + 5 * MINUTE, now));
    struct buf date = {0};
    char expected[32];
    units_date(now - 7 * DAY, expected, sizeof expected);
    units_ago(&date, now - 7 * DAY, now);
    assert_string_equal(buf_cstr(&date), expected);
    buf_free(&date);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_have_the_unit_that_keeps_them_short),
                                       cmocka_unit_test(times_have_two_units_at_most),
                                       cmocka_unit_test(what_was_is_said_from_now)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
