// The numbers of the last minutes, and the alerts made of limits.
#include <string.h>

#include "node/alerts.h"
#include "node/history.h"
#include "tests/unit/cmocka_all.h"

enum { MINUTE_MS = 60000 };

static void add(struct history *h, int64_t minute, int64_t messages, int64_t active)
{
    json_t *numbers =
        json_pack("{s:I, s:I}", "totalMessages", (json_int_t)messages, "activeConnections", (json_int_t)active);
    history_add(h, minute * MINUTE_MS, numbers);
    json_decref(numbers);
}

static int64_t number(const json_t *of, const char *member, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(of, member), name));
}

static void counters_are_kept_as_differences(void **state)
{
    struct history *h = history_create();
    (void)state;
    add(h, 1, 10, 3);
    add(h, 2, 14, 1);
    add(h, 3, 34, 2);
    json_t *shown = history_show(h, 3 * MINUTE_MS, 2);
    const json_t *samples = json_object_get(shown, "samples");
    const json_t *summary = json_object_get(shown, "summary");
    assert_int_equal(json_array_size(samples), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(samples, 0), "totalMessages")), 4);
    assert_int_equal(number(summary, "totalMessages", "min"), 4);
    assert_int_equal(number(summary, "totalMessages", "max"), 20);
    assert_true(json_real_value(json_object_get(json_object_get(summary, "totalMessages"), "mean")) == 12);
    assert_int_equal(number(summary, "activeConnections", "max"), 2);
    json_decref(shown);
    history_destroy(h);
}

static void only_a_day_is_kept(void **state)
{
    struct history *h = history_create();
    (void)state;
    for (int64_t minute = 1; minute <= HISTORY_MINUTES + 5; minute++)
        add(h, minute, minute, 0);
    json_t *shown = history_show(h, (HISTORY_MINUTES + 5) * MINUTE_MS, HISTORY_MINUTES * 2);
    const json_t *samples = json_object_get(shown, "samples");
    assert_int_equal(json_array_size(samples), HISTORY_MINUTES);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(samples, 0), "time")), 6 * MINUTE_MS);
    json_decref(shown);
    shown = history_show(h, INT64_C(100) * HISTORY_MINUTES * MINUTE_MS, 60);
    assert_int_equal(json_array_size(json_object_get(shown, "samples")), 0);
    json_decref(shown);
    history_destroy(h);
}

struct told {
    int raised, cleared;
    char rule[16];
};

static void tell(void *ctx, bool raised, json_t *data)
{
    struct told *t = ctx;
    t->raised += raised;
    t->cleared += !raised;
    strncpy(t->rule, json_string_value(json_object_get(data, "rule")), sizeof t->rule - 1);
    json_decref(data);
}

static void separation_is_told_once_and_when_it_is_over(void **state)
{
    struct told t = {0};
    struct alerts *a = alerts_create(&(struct alert_limits){{[ALERT_NO_SYNC] = 10}}, tell, &t);
    (void)state;
    alerts_check(a, 1000, true, 0);
    alerts_check(a, 10999, true, 0);
    assert_int_equal(t.raised, 0);
    alerts_check(a, 11000, true, 0);
    alerts_check(a, 13000, true, 0);
    assert_int_equal(t.raised, 1);
    assert_string_equal(t.rule, "noSync");
    json_t *shown = alerts_show(a);
    assert_int_equal(json_array_size(shown), 1);
    json_decref(shown);
    alerts_check(a, 15000, false, 0);
    alerts_check(a, 20000, true, 0); // counts from here on
    assert_int_equal(t.raised, 1);
    assert_int_equal(t.cleared, 1);
    alerts_destroy(a);
}

static void errors_count_within_a_minute(void **state)
{
    struct told t = {0};
    struct alerts *a = alerts_create(&(struct alert_limits){{[ALERT_ERRORS] = 5}}, tell, &t);
    uint64_t now = 0;
    (void)state;
    alerts_check(a, now += ALERTS_TICK_MS, false, 4);
    assert_int_equal(t.raised, 0);
    alerts_check(a, now += ALERTS_TICK_MS, false, 5);
    assert_int_equal(t.raised, 1);
    assert_string_equal(t.rule, "errors");
    for (uint64_t end = now + MINUTE_MS; now < end;)
        alerts_check(a, now += ALERTS_TICK_MS, true, 5);
    assert_int_equal(t.cleared, 1);
    assert_int_equal(t.raised, 1); // no limit for separation
    alerts_destroy(a);
}

// Only then it is looked seldom.
static void it_is_calm_a_minute_after_the_last_error(void **state)
{
    struct told t = {0};
    struct alerts *a = alerts_create(&(struct alert_limits){{0}}, tell, &t);
    uint64_t now = 0;
    (void)state;
    alerts_check(a, now += ALERTS_TICK_MS, false, 0);
    assert_true(alerts_are_calm(a));
    alerts_check(a, now += ALERTS_TICK_MS, true, 0);
    assert_false(alerts_are_calm(a));
    alerts_check(a, now += ALERTS_TICK_MS, false, 3);
    for (uint64_t end = now + MINUTE_MS - ALERTS_TICK_MS; now < end;) {
        assert_false(alerts_are_calm(a));
        alerts_check(a, now += ALERTS_TICK_MS, false, 3);
    }
    alerts_check(a, now += ALERTS_TICK_MS, false, 3);
    assert_true(alerts_are_calm(a));
    alerts_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_kept_as_differences),
        cmocka_unit_test(only_a_day_is_kept),
        cmocka_unit_test(separation_is_told_once_and_when_it_is_over),
        cmocka_unit_test(errors_count_within_a_minute),
        cmocka_unit_test(it_is_calm_a_minute_after_the_last_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
