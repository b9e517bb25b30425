// Where a listener is announced, by its address; every machine has lo and no interface with a documentation address.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "supervisor/discovery/reach.h"

static struct reach reach_of(const char *host)
{
    struct reach r;
    struct error e = {0};
    if (reach_find(host, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", host, e.message);
    return r;
}

static void this_machine_alone_is_hidden(void **state)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1", "127.1.2.3", "::1"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        assert_true(reach_of(hosts[i]).hidden);
}

static void every_address_is_announced_everywhere(void **state)
{
    (void)state;
    struct reach v4 = reach_of("0.0.0.0");
    assert_true(!v4.hidden && v4.interface == 0 && v4.only_v4 && !v4.only_v6);
    struct reach all = reach_of("::");
    assert_true(!all.hidden && all.interface == 0 && !all.only_v4 && !all.only_v6);
}

static void what_no_interface_has_is_announced_nowhere(void **state)
{
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1"};
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct reach r;
        struct error e = {0};
        assert_int_equal(reach_find(hosts[i], &r, &e), STATUS_NOT_FOUND);
        assert_string_equal(e.code, "BAD-ADDRESS");
        assert_non_null(strstr(e.message, hosts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_alone_is_hidden),
        cmocka_unit_test(every_address_is_announced_everywhere),
        cmocka_unit_test(what_no_interface_has_is_announced_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
