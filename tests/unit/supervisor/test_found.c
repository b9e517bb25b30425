// What tandem-discovery says of the local network, with whatever strangers put into it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/discovery/found.h"

static struct found *table;

static int setup(void **state)
{
    (void)state;
    table = found_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    found_destroy(table);
    return 0;
}

static bool take_at(json_t *said, int64_t now)
{
    assert_non_null(said);
    bool taken = found_take(table, said, now);
    json_decref(said);
    return taken;
}

static bool take(json_t *said)
{
    return take_at(said, 1000);
}

static json_t *seen(const char *name, int interface, const char *address)
{
    return json_pack("{s:{s:s, s:i, s:b, s:s, s:s, s:i, s:[ss]}}", "found", "name", name, "interface", interface,
                     "ipv6", strchr(address, ':') != NULL, "host", "box.local", "address", address, "port", 8765, "txt",
                     "txtvers=1", "chum=8");
}

static json_t *gone(const char *name, int interface, int ipv6)
{
    return json_pack("{s:{s:s, s:i, s:b}}", "gone", "name", name, "interface", interface, "ipv6", ipv6);
}

// A service with one member replaced; value is taken over, NULL leaves it out.
static json_t *with(const char *member, json_t *value)
{
    json_t *said = seen("one-a", 2, "192.0.2.7");
    json_t *service = json_object_get(said, "found");
    if (value == NULL)
        json_object_del(service, member);
    else
        json_object_set_new(service, member, value);
    return said;
}

static void assert_list(const char *expected)
{
    json_t *list = found_list(table, "one-ours");
    json_t *want = json_loads(expected, 0, NULL);
    char *text = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    assert_non_null(want);
    if (!json_equal(list, want))
        fail_msg("%s instead of %s", text, expected);
    free(text);
    json_decref(list);
    json_decref(want);
}

static size_t count(void)
{
    json_t *list = found_list(table, "one-ours");
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

static void a_service_has_the_addresses_of_all_interfaces(void **state)
{
    (void)state;
    assert_true(take(seen("one-a", 3, "fe80::1")));
    assert_true(take(seen("one-a", 3, "2001:DB8:0::1")));
    assert_true(take(seen("one-a", 2, "192.0.2.7")));
    assert_true(take_at(seen("one-a", 4, "192.0.2.7"), 2000)); // the same, on another way
    assert_list("[{\"name\":\"one-a\",\"host\":\"box.local\",\"addresses\":[\"192.0.2.7\",\"2001:db8::1\"],"
                "\"port\":8765,\"url\":\"ws://192.0.2.7:8765\",\"own\":false,\"seenAt\":2000,"
                "\"txt\":{\"txtvers\":\"1\",\"chum\":\"8\"}}]");
    assert_true(take(gone("one-a", 2, 0)));
    assert_true(take(gone("one-a", 4, 0)));
    assert_list("[{\"name\":\"one-a\",\"host\":\"box.local\",\"addresses\":[\"2001:db8::1\"],\"port\":8765,"
                "\"url\":\"ws://[2001:db8::1]:8765\",\"own\":false,\"seenAt\":2000,"
                "\"txt\":{\"txtvers\":\"1\",\"chum\":\"8\"}}]");
    assert_true(take(gone("one-a", 3, 1)));
    assert_true(take(gone("one-a", 3, 1)));
    assert_list("[]");
}

static void an_address_of_one_link_is_dialled_by_name(void **state)
{
    (void)state;
    assert_true(take(seen("one-a", 3, "fe80::1")));
    assert_list("[{\"name\":\"one-a\",\"host\":\"box.local\",\"addresses\":[\"fe80::1%3\"],\"port\":8765,"
                "\"url\":\"ws://box.local:8765\",\"own\":false,\"seenAt\":1000,"
                "\"txt\":{\"txtvers\":\"1\",\"chum\":\"8\"}}]");
    json_t *nameless = seen("one-a", 3, "fe80::1");
    json_object_set_new(json_object_get(nameless, "found"), "host", json_string("a b/\x1b[31m"));
    assert_true(take(nameless));
    assert_list("[{\"name\":\"one-a\",\"host\":null,\"addresses\":[\"fe80::1%3\"],\"port\":8765,\"url\":null,"
                "\"own\":false,\"seenAt\":1000,\"txt\":{\"txtvers\":\"1\",\"chum\":\"8\"}}]");
}

static void the_list_is_in_order(void **state)
{
    (void)state;
    assert_true(take(seen("one-ours", 2, "192.0.2.7")));
    for (const char *name = "cab"; *name != '\0'; name++) {
        char text[] = {*name, '\0'};
        assert_true(take(seen(text, 2, "192.0.2.7")));
    }
    json_t *list = found_list(table, "one-ours");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(json_string_value(json_object_get(json_array_get(list, i), "name"))[0], 'a' + (int)i);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_is_true(json_object_get(json_array_get(list, i), "own")), i == 3);
    json_decref(list);
}

static void addresses_that_lead_nowhere_are_refused(void **state)
{
    static const char *const bad[] = {"",          "0.0.0.0",          "127.0.0.1", "224.0.0.251", "255.255.255.255",
                                      "192.0.2",   "192.0.2.7:80",     "::",        "::1",         "ff02::fb",
                                      "fe80::1%3", "::ffff:127.0.0.1", "box.local", "1.2.3.4\n"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(take(seen("one-a", 2, bad[i])));
    json_t *swapped = seen("one-a", 2, "192.0.2.7");
    json_object_set_new(json_object_get(swapped, "found"), "ipv6", json_true());
    assert_false(take(swapped));
    assert_int_equal(count(), 0);
    assert_true(take(seen("one-a", 1, "127.0.0.1"))); // somebody on this machine
    assert_true(take(seen("one-a", 1, "::1")));
    assert_int_equal(count(), 1);
}

static void what_is_no_service_is_refused(void **state)
{
    char name[FOUND_NAME_MAX + 2];
    (void)state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_false(take(with("name", json_string(name))));
    assert_false(take(with("name", json_string(""))));
    assert_false(take(with("name", json_stringn("a\0b", 3))));
    assert_false(take(with("name", NULL)));
    assert_false(take(with("name", json_integer(1))));
    assert_false(take(with("interface", json_integer(0))));
    assert_false(take(with("interface", json_integer((json_int_t)1 << 40))));
    assert_false(take(with("ipv6", json_integer(1))));
    assert_false(take(with("address", NULL)));
    assert_false(take(with("port", json_integer(0))));
    assert_false(take(with("port", json_integer(65536))));
    assert_false(take(with("port", json_integer(-1))));
    assert_false(take(with("port", json_string("80"))));
    assert_false(take(with("txt", json_string("a=b"))));
    assert_false(take(with("txt", json_pack("[i]", 1))));
    assert_false(take(json_object()));
    assert_false(take(json_array()));
    assert_false(take(json_pack("{s:s}", "found", "x")));
    assert_false(take(json_pack("{s:[]}", "gone")));
    assert_false(found_take(table, NULL, 0));
    assert_int_equal(count(), 0);
    name[FOUND_NAME_MAX] = '\0';
    assert_true(take(with("name", json_string(name)))); // as long as one may be
}

static void of_txt_there_is_a_bound(void **state)
{
    char entry[3 * FOUND_TXT_BYTES + 2];
    json_t *many = json_array();
    (void)state;
    memset(entry, 'x', sizeof entry);
    entry[sizeof entry - 1] = '\0';
    assert_false(take(with("txt", json_pack("[s]", entry))));
    for (size_t i = 0; i <= FOUND_TXT_MAX; i++)
        json_array_append_new(many, json_string("a=b"));
    assert_false(take(with("txt", json_incref(many))));
    json_array_remove(many, 0);
    assert_true(take(with("txt", many)));
    assert_true(take(with("txt", json_pack("[sssss]", "a=1", "a=2", "=3", "flag", "b=x=y"))));
    assert_list("[{\"name\":\"one-a\",\"host\":\"box.local\",\"addresses\":[\"192.0.2.7\"],\"port\":8765,"
                "\"url\":\"ws://192.0.2.7:8765\",\"own\":false,\"seenAt\":1000,"
                "\"txt\":{\"a\":\"1\",\"flag\":\"\",\"b\":\"x=y\"}}]");
}

static void of_services_there_is_a_bound(void **state)
{
    char name[16];
    (void)state;
    for (int i = 0; i < FOUND_MAX + 44; i++) {
        snprintf(name, sizeof name, "one-%d", i);
        assert_int_equal(take(seen(name, 2, "192.0.2.7")), i < FOUND_MAX);
    }
    assert_int_equal(count(), FOUND_MAX);
    assert_int_equal(found_left_out(table), 44);
    assert_true(take(seen("one-7", 3, "192.0.2.8"))); // who is there may change
    assert_true(take(gone("one-7", 2, 0)));
    assert_true(take(gone("one-7", 3, 0)));
    assert_true(take(seen("one-later", 2, "192.0.2.7")));
    assert_int_equal(count(), FOUND_MAX);
}

static void of_its_addresses_there_is_a_bound(void **state)
{
    char address[32];
    (void)state;
    for (int i = 2; i < 2 * FOUND_ADDRESSES_MAX; i++) {
        snprintf(address, sizeof address, "192.0.2.%d", i);
        assert_true(take(seen("one-a", i, address)));
    }
    json_t *list = found_list(table, "one-ours");
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "addresses")), FOUND_ADDRESSES_MAX);
    json_decref(list);
}

static bool is_ours(const char *name)
{
    json_t *said = json_string(name);
    bool is = found_is_ours(said, "one-abc");
    json_decref(said);
    return is;
}

static void only_the_name_that_was_given_is_ours(void **state)
{
    (void)state;
    assert_true(is_ours("one-abc") && is_ours("one-abc #2") && is_ours("one-abc #9999"));
    assert_false(is_ours("") || is_ours("one-ab") || is_ours("one-abcd") || is_ours("one-abc #") ||
                 is_ours("one-abc #2 ") || is_ours("one-abc #12345") || is_ours("one-abc\x1b[2J") ||
                 is_ours("one-abc #2\n"));
    json_t *cut = json_stringn("one-abc\0x", 9);
    assert_false(found_is_ours(cut, "one-abc") || found_is_ours(NULL, "one-abc"));
    json_decref(cut);
}

static void assert_why(json_t *why, const char *expected)
{
    char text[FOUND_WHY_MAX + 1];
    found_why(why, text);
    assert_string_equal(text, expected);
    json_decref(why);
}

static void a_reason_has_no_controls_and_whole_characters(void **state)
{
    (void)state;
    char longest[FOUND_WHY_MAX + 1 + sizeof "\u00e9"];
    assert_why(json_string("Daemon not running"), "Daemon not running");
    assert_why(json_string("\x1b]0;owned\x07"), "it gives no reason");
    assert_why(json_string("\u202egnihton"), "it gives no reason");
    assert_why(json_stringn("a\0b", 3), "it gives no reason");
    assert_why(NULL, "it gives no reason");
    memset(longest, 'x', sizeof longest);
    memcpy(longest + FOUND_WHY_MAX - 1, "\u00e9", sizeof "\u00e9");
    json_t *why = json_string(longest);
    longest[FOUND_WHY_MAX - 1] = '\0';
    assert_why(why, longest);
}

static void what_is_told_again_is_counted_anew(void **state)
{
    (void)state;
    for (int i = 0; i < FOUND_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "one-%d", i);
        assert_true(take(seen(name, 2, "192.0.2.7")));
    }
    assert_false(take(seen("one-more", 2, "192.0.2.7")));
    assert_int_equal(found_left_out(table), 1);
    found_again(table);
    assert_int_equal(found_left_out(table), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_service_has_the_addresses_of_all_interfaces),
        TEST(an_address_of_one_link_is_dialled_by_name),
        TEST(the_list_is_in_order),
        TEST(addresses_that_lead_nowhere_are_refused),
        TEST(what_is_no_service_is_refused),
        TEST(of_txt_there_is_a_bound),
        TEST(of_services_there_is_a_bound),
        TEST(of_its_addresses_there_is_a_bound),
        TEST(only_the_name_that_was_given_is_ours),
        TEST(a_reason_has_no_controls_and_whole_characters),
        TEST(what_is_told_again_is_counted_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
