// Traces of messages and the list of recent errors.
#include "chum/access_set.h"
#include "node/incidents.h"
#include "node/traces.h"
#include "tests/unit/cmocka_all.h"

static struct hash numbered(unsigned n)
{
    struct hash h = {{(unsigned char)(n >> 8), (unsigned char)n, 1}};
    return h;
}

static struct traced_message message(unsigned n, const struct hash *to)
{
    return (struct traced_message){.id = numbered(n), .recipient = *to, .began_ms = 100, .granted = true};
}

static int steps_of(const struct traces *t, unsigned n, const char *failure)
{
    struct hash id = numbered(n);
    json_t *report = traces_report(t, &id);
    int steps = report != NULL ? (int)json_integer_value(json_object_get(report, "completedSteps")) : -1;
    const char *point = json_string_value(json_object_get(report, "failurePoint"));
    if (failure != NULL)
        assert_string_equal(point, failure);
    json_decref(report);
    return steps;
}

static void only_the_recipient_counts(void **state)
{
    struct traces *t = traces_create();
    struct chum_access *access = chum_access_create();
    struct hash ben = numbered(1000);
    struct hash eve = numbered(1001);
    struct hash root = numbered(1002);
    struct traced_message sent = message(1, &ben);
    struct chum_access_set *shown = chum_access_use(access, &ben);
    (void)state;
    traces_sent(t, &sent, 110);
    assert_int_equal(steps_of(t, 1, "chumSyncTriggered"), 3);
    traces_served(t, access, &eve, CHUM_GET_ACCESSIBLE_ROOTS, &root, 120);
    traces_served(t, access, &eve, CHUM_GET_OBJECT, &sent.id, 120);
    assert_int_equal(steps_of(t, 1, "chumSyncTriggered"), 3);
    traces_served(t, access, &ben, CHUM_GET_ACCESSIBLE_ROOTS, &root, 130);
    traces_served(t, access, &ben, CHUM_GET_OBJECT_CHILDREN, &root, 140);
    assert_int_equal(steps_of(t, 1, "channelManagerUpdated"), 4);
    chum_access_show(shown, &sent.id);
    traces_served(t, access, &ben, CHUM_GET_OBJECT_CHILDREN, &root, 150);
    assert_int_equal(steps_of(t, 1, "remoteDelivery"), 5);
    traces_served(t, access, &ben, CHUM_GET_OBJECT, &sent.id, 160);
    assert_int_equal(steps_of(t, 1, NULL), 6);
    struct traces_summary s = traces_summary(t);
    assert_true(s.sent == 1 && s.delivered == 1 && s.delivered_ms == 60);
    chum_access_leave(shown);
    chum_access_destroy(access);
    traces_destroy(t);
}

static void a_missing_grant_is_the_failure_point(void **state)
{
    struct traces *t = traces_create();
    struct hash ben = numbered(1000);
    struct traced_message sent = message(1, &ben);
    (void)state;
    sent.granted = false;
    traces_sent(t, &sent, 110);
    assert_int_equal(steps_of(t, 1, "accessGrantsCreated"), 2);
    traces_destroy(t);
}

static void the_oldest_makes_room(void **state)
{
    struct traces *t = traces_create();
    struct hash ben = numbered(60000);
    (void)state;
    for (unsigned n = 1; n <= TRACES_MAX + 5; n++) {
        struct traced_message sent = message(n, &ben);
        struct hash arrived = numbered(n + 10000);
        traces_sent(t, &sent, 110);
        traces_received(t, &arrived, 120);
    }
    assert_int_equal(steps_of(t, 5, NULL), -1);
    assert_int_equal(steps_of(t, 6, NULL), 3);
    assert_int_equal(steps_of(t, 10005, NULL), -1);
    assert_int_equal(steps_of(t, 10006, NULL), 1);
    traces_destroy(t);
}

static struct error error_number(int n)
{
    struct error e;
    error_set(&e, STATUS_IO, "IO", "error %d", n);
    return e;
}

static void noted(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void equal_errors_are_counted(void **state)
{
    unsigned times = 0;
    struct incidents *i = incidents_create(noted, &times);
    struct error one = error_number(1);
    struct error two = error_number(2);
    (void)state;
    incidents_note(i, INCIDENT_CONNECTION, 7, &one, 100);
    incidents_note(i, INCIDENT_CONNECTION, 0, &two, 200);
    incidents_note(i, INCIDENT_CONNECTION, 8, &one, 300);
    json_t *list = incidents_recent(i, NULL);
    json_t *newest = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(newest, "count")), 2);
    assert_int_equal(json_integer_value(json_object_get(newest, "timestamp")), 300);
    assert_int_equal(json_integer_value(json_object_get(newest, "connectionId")), 8);
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "connectionId")));
    assert_int_equal(incidents_total(i), 3);
    assert_int_equal(times, 3);
    json_decref(list);
    list = incidents_recent(i, "pairing");
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    incidents_destroy(i);
}

static void only_the_last_errors_are_kept(void **state)
{
    unsigned times = 0;
    struct incidents *i = incidents_create(noted, &times);
    (void)state;
    for (int n = 1; n <= INCIDENTS_MAX + 10; n++) {
        struct error e = error_number(n);
        incidents_note(i, INCIDENT_SYNC, 0, &e, n);
    }
    json_t *list = incidents_recent(i, NULL);
    assert_int_equal(json_array_size(list), INCIDENTS_MAX);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "timestamp")), INCIDENTS_MAX + 10);
    assert_int_equal(incidents_total(i), INCIDENTS_MAX + 10);
    json_decref(list);
    incidents_destroy(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_recipient_counts),     cmocka_unit_test(a_missing_grant_is_the_failure_point),
        cmocka_unit_test(the_oldest_makes_room),         cmocka_unit_test(equal_errors_are_counted),
        cmocka_unit_test(only_the_last_errors_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
