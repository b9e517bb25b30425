#include "base/bytes.h"
#include "base/error.h"
#include "tests/unit/cmocka_all.h"

#include <errno.h>

static void spans_compare_and_slice(void **state)
{
    (void)state;
    assert_true(span_eq(SPAN("abc"), span_of("abc")));
    assert_false(span_eq(SPAN("abc"), SPAN("abd")));
    assert_true(span_eq((struct span){NULL, 0}, SPAN("")));
    assert_true(span_starts_with(SPAN("keepalive"), SPAN("keep")));
    assert_false(span_starts_with(SPAN("kee"), SPAN("keep")));
    assert_true(span_eq_text(span_from(SPAN("abc"), 1), "bc"));
}

static void buffers_grow_print_and_drop(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    assert_int_equal(b.len, 3890);
    buf_drop_front(&b, 3886);
    assert_string_equal(buf_cstr(&b), "999,");
    buf_drop_front(&b, b.len);
    assert_int_equal(b.len, 0);
    buf_free(&b);
    assert_null(b.data);
}

static void arena_memory_is_aligned_zeroed_and_reused(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 20000; size = size * 3 + 1) {
            unsigned char *p = arena_alloc(a, size);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, size);
        }
        struct span s = arena_printf(a, "%d-%s", 7, "x");
        assert_true(span_eq_text(s, "7-x"));
        assert_true(arena_used(a) > 14000);
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_destroy(a);
}

static void errors_keep_code_and_cause(void **state)
{
    (void)state;
    struct error e = {0};
    assert_int_equal(error_set(&e, STATUS_REFUSED, "BAD-SECRET", "the secret is %s", "wrong"), STATUS_REFUSED);
    assert_string_equal(e.code, "BAD-SECRET");
    error_prefix(&e, "cannot open %s", "x");
    assert_string_equal(e.message, "cannot open x: the secret is wrong");
    errno = ENOSPC;
    assert_int_equal(error_errno(&e, "writing"), STATUS_FULL);
    assert_string_equal(e.code, "DISK-FULL");
    errno = EACCES;
    assert_int_equal(error_errno(&e, "opening"), STATUS_REFUSED);
    assert_int_equal(error_set(NULL, STATUS_IO, "IO", "x"), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare_and_slice),
        cmocka_unit_test(buffers_grow_print_and_drop),
        cmocka_unit_test(arena_memory_is_aligned_zeroed_and_reused),
        cmocka_unit_test(errors_keep_code_and_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
