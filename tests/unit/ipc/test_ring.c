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

static struct ipc_ring_query at(const char *boot_id, uint64_t seq)
{
    return (struct ipc_ring_query){.boot_id = boot_id, .seq = seq};
}

static json_t *read_from(const struct ipc_ring *r, const char *boot_id, uint64_t seq, size_t limit)
{
    struct ipc_ring_query q = at(boot_id, seq);
    return ipc_ring_read(r, &q, limit);
}

static bool has(const struct ipc_ring *r, const char *boot_id, uint64_t seq)
{
    struct ipc_ring_query q = at(boot_id, seq);
    return ipc_ring_has(r, &q);
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
    assert_false(has(r, NULL, 0));
    add(r, 7);
    assert_true(has(r, NULL, 0));
    json_t *page = read_from(r, NULL, 0, 5);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 5);
    assert_int_equal(first_seq(page), 1);
    assert_int_equal(number(page, "next"), 6);
    assert_false(is_gap(page));
    json_decref(page);
    page = read_from(r, ipc_ring_boot_id(r), 6, 5);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 2);
    assert_int_equal(number(page, "next"), 8);
    json_decref(page);
    assert_false(has(r, ipc_ring_boot_id(r), 8));
}

static void a_slow_reader_is_told_of_the_gap(void **state)
{
    struct ipc_ring *r = *state;
    add(r, IPC_RING_SIZE + 10);
    json_t *page = read_from(r, ipc_ring_boot_id(r), 5, 10);
    assert_true(is_gap(page));
    assert_int_equal(first_seq(page), 11);
    json_decref(page);
    page = read_from(r, ipc_ring_boot_id(r), 11, 10);
    assert_false(is_gap(page));
    json_decref(page);
}

static void another_run_is_a_gap(void **state)
{
    struct ipc_ring *r = *state;
    add(r, 3);
    assert_true(has(r, "before", 9));
    json_t *page = read_from(r, "before", 9, 10);
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
    json_t *page = read_from(r, NULL, 0, 1000);
    char *dump = json_dumps(page, JSON_COMPACT);
    assert_true(strlen(dump) < 1000000);
    assert_true(number(page, "next") < 301);
    free(dump);
    json_decref(page);
    json_object_set_new(data, "more", json_string(text));
    json_decref(ipc_ring_add(r, "sparse", "object.stored", data, 0));
    page = read_from(r, NULL, 301, 1);
    json_t *event = json_array_get(json_object_get(page, "events"), 0);
    assert_true(json_is_true(json_object_get(json_object_get(event, "data"), "truncated")));
    json_decref(page);
    json_decref(data);
    free(text);
}

// What a run writes the next one reads, as the supervisor does.
static struct ipc_ring *next_run(struct ipc_ring *r, struct buf *kept)
{
    struct ipc_ring *next = ipc_ring_create();
    for (struct span rest = buf_span(kept); rest.len > 0;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        ipc_ring_restore(next, (struct span){rest.ptr, (size_t)(end - rest.ptr)});
        rest = span_from(rest, (size_t)(end - rest.ptr) + 1);
    }
    ipc_ring_destroy(r);
    return next;
}

static void add_kept(struct ipc_ring *r, int count, struct buf *kept)
{
    for (int i = 0; i < count; i++) {
        add(r, 1);
        ipc_ring_write_last(r, kept);
    }
}

static void readers_go_on_in_the_next_run(void **state)
{
    struct buf kept = {0};
    struct ipc_ring *r = *state;
    char first[IPC_BOOT_ID_SIZE];
    memcpy(first, ipc_ring_boot_id(r), sizeof first);
    add_kept(r, 5, &kept);
    r = next_run(r, &kept);
    assert_string_not_equal(ipc_ring_boot_id(r), first);
    assert_false(has(r, first, 6));
    add_kept(r, 2, &kept);
    json_t *page = read_from(r, first, 4, 10);
    assert_false(is_gap(page));
    assert_int_equal(first_seq(page), 4);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 4);
    assert_int_equal(number(page, "next"), 8);
    json_decref(page);
    page = read_from(r, NULL, 0, 10); // of this run
    assert_int_equal(first_seq(page), 6);
    json_decref(page);
    struct ipc_ring_query all = {.from = IPC_FROM_OLDEST};
    page = ipc_ring_read(r, &all, 10);
    assert_int_equal(first_seq(page), 1);
    json_decref(page);
    r = next_run(r, &kept); // the first run's reader has slept through the second
    page = read_from(r, first, 6, 10);
    assert_false(is_gap(page));
    assert_int_equal(json_array_size(json_object_get(page, "events")), 2);
    json_decref(page);
    page = read_from(r, first, 7, 10); // a number that was told and not kept
    assert_true(is_gap(page));
    json_decref(page);
    buf_free(&kept);
    *state = r;
}

static void a_hole_forgets_what_was_before_it(void **state)
{
    struct buf kept = {0};
    struct ipc_ring *r = *state;
    add_kept(r, 3, &kept);
    add(r, 1); // not written: the disk was full
    add_kept(r, 2, &kept);
    buf_add_text(&kept, "{\"seq\":7,\"torn\n");
    r = next_run(r, &kept);
    struct ipc_ring_query all = {.from = IPC_FROM_OLDEST};
    json_t *page = ipc_ring_read(r, &all, 10);
    assert_int_equal(first_seq(page), 5);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 2);
    json_decref(page);
    add(r, 1);
    page = ipc_ring_read(r, &all, 10);
    assert_int_equal(number(page, "next"), 8);
    json_decref(page);
    buf_free(&kept);
    *state = r;
}

static void readers_ask_for_a_node_a_kind_and_what_comes(void **state)
{
    struct ipc_ring *r = *state;
    add(r, 3);
    json_decref(ipc_ring_add(r, "sparse", "chat.sent", NULL, 1));
    json_decref(ipc_ring_add(r, "sparse", "chat.received", NULL, 2));
    json_decref(ipc_ring_add(r, "sparse", "chatter.heard", NULL, 3));
    struct ipc_ring_query q = {.node = "archive"};
    json_t *page = ipc_ring_read(r, &q, 10);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 3);
    json_decref(page);
    q = (struct ipc_ring_query){.type = "chat"};
    page = ipc_ring_read(r, &q, 1); // the limit is of what is wanted
    assert_int_equal(first_seq(page), 4);
    q.seq = (uint64_t)number(page, "next");
    json_decref(page);
    page = ipc_ring_read(r, &q, 10);
    assert_int_equal(first_seq(page), 5);
    assert_int_equal(number(page, "next"), 7);
    q.seq = 7;
    assert_false(ipc_ring_has(r, &q));
    json_decref(ipc_ring_add(r, "archive", "object.stored", NULL, 4));
    assert_false(ipc_ring_has(r, &q));
    json_decref(page);
    q = (struct ipc_ring_query){.from = IPC_FROM_NOW};
    page = ipc_ring_read(r, &q, 10);
    assert_int_equal(json_array_size(json_object_get(page, "events")), 0);
    assert_int_equal(number(page, "next"), 8);
    json_decref(page);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_follow_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_told_of_the_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(another_run_is_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_fits_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_go_on_in_the_next_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hole_forgets_what_was_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_ask_for_a_node_a_kind_and_what_comes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
