// The ring of events: order, pages, overwriting, another run's reader.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "ipc/ring.h"

static int setup(void **state)
{
    *state = ipc_ring_create();
    return 0;
}

static int teardown(void **state)
{
    ipc_ring_destroy(*state);
    return 0;
}

static void add(struct ipc_ring *r, int count)
{
    for (int i = 0; i < count; i++) {
        json_t *data = json_pack("{s:i}", "i", i);
        json_decref(ipc_ring_add(r, "archive", "object.stored", data, 1000 + i));
        json_decref(data);
    }
}

static json_int_t number(const json_t *page, const char *name)
{
    return json_integer_value(json_object_get(page, name));
}

static json_int_t first_seq(const json_t *page)
{
    return number(json_array_get(json_object_get(page, "events"), 0), "seq");
}

static bool is_gap(const json_t *page)
{
    return json_is_true(json_object_get(page, "gap"));
}

static void pages_follow_each_other(void **state)
{
    struct ipc_ring *r = *state;
    assert_false(ipc_ring_has(r, NULL, 0));
    add(r, 7);
    assert_true(ipc_ring_has(r, NULL, 0));
    json_t *page = ipc_ring_read(r, NULL, 0, 5);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 5);
    assert_int_equal(first_seq(page), 1);
    assert_int_equal(number(page, "next"), 6);
    assert_false(is_gap(page));
    json_decref(page);
    page = ipc_ring_read(r, ipc_ring_boot_id(r), 6, 5);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 2);
    assert_int_equal(number(page, "next"), 8);
    json_decref(page);
    assert_false(ipc_ring_has(r, ipc_ring_boot_id(r), 8));
}

static void a_slow_reader_is_told_of_the_gap(void **state)
{
    struct ipc_ring *r = *state;
    add(r, IPC_RING_SIZE + 10);
    json_t *page = ipc_ring_read(r, ipc_ring_boot_id(r), 5, 10);
    assert_true(is_gap(page));
    assert_int_equal(first_seq(page), 11);
    json_decref(page);
    page = ipc_ring_read(r, ipc_ring_boot_id(r), 11, 10);
    assert_false(is_gap(page));
    json_decref(page);
}

static void another_run_is_a_gap(void **state)
{
    struct ipc_ring *r = *state;
    add(r, 3);
    assert_true(ipc_ring_has(r, "before", 9));
    json_t *page = ipc_ring_read(r, "before", 9, 10);
    assert_true(is_gap(page));
    assert_int_equal(first_seq(page), 1);
    assert_string_equal(json_string_value(json_object_get(page, "bootId")), ipc_ring_boot_id(r));
    json_decref(page);
}

static void a_page_fits_a_message(void **state)
{
    struct ipc_ring *r = *state;
    char *text = calloc(1, 8001);
    memset(text, 'x', 8000);
    json_t *data = json_pack("{s:s}", "text", text);
    for (int i = 0; i < 300; i++)
        json_decref(ipc_ring_add(r, "sparse", "object.stored", data, i));
    json_t *page = ipc_ring_read(r, NULL, 0, 1000);
    char *dump = json_dumps(page, JSON_COMPACT);
    assert_true(strlen(dump) < 1000000);
    assert_true(number(page, "next") < 301);
    free(dump);
    json_decref(page);
    json_object_set_new(data, "more", json_string(text));
    json_decref(ipc_ring_add(r, "sparse", "object.stored", data, 0));
    page = ipc_ring_read(r, NULL, 301, 1);
    json_t *event = json_array_get(json_object_get(page, "events"), 0);
    assert_true(json_is_true(json_object_get(json_object_get(event, "data"), "truncated")));
    json_decref(page);
    json_decref(data);
    free(text);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_follow_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_told_of_the_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(another_run_is_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_fits_a_message, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
