// The first line of what was handed over, whoever wrote it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/secretline.h"

static enum status take(const char *text, size_t len, struct secret *out, struct error *e)
{
    struct secret room = secret_create(SECRET_LINE_ROOM);
    memcpy(room.data, text, len);
    enum status st = secret_line_take(&room, len, out, e);
    secret_destroy(&room);
    return st;
}

static void gives(const char *text, const char *expected)
{
    struct secret out = {0};
    struct error e = {0};
    assert_int_equal(take(text, strlen(text), &out, &e), STATUS_OK);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    secret_destroy(&out);
}

static void fails(const char *text, size_t len, const char *code)
{
    struct secret out = {0};
    struct error e = {0};
    assert_int_not_equal(take(text, len, &out, &e), STATUS_OK);
    assert_string_equal(e.code, code);
    assert_null(out.data);
}

static void the_first_line_counts(void **state)
{
    (void)state;
    gives("secret", "secret");
    gives("secret\n", "secret");
    gives("secret\r\n", "secret");
    gives("secret\nanother", "secret");
    gives(" two words \n", " two words ");
    gives("gr\xc3\xbc\xc3\x9f\x65", "gr\xc3\xbc\xc3\x9f\x65");
}

static void a_byte_order_mark_is_no_part_of_it(void **state)
{
    (void)state;
    gives("\xef\xbb\xbfsecret\r\n", "secret");
    fails("\xef\xbb\xbf\n", 4, "SECRET-MISSING");
}

static void what_is_no_secret_is_refused(void **state)
{
    char longest[SECRET_LINE_ROOM];
    struct secret out = {0};
    struct error e = {0};
    (void)state;
    memset(longest, 'x', sizeof longest);
    fails("", 0, "SECRET-MISSING");
    fails("\n", 1, "SECRET-MISSING");
    fails("\r\n", 2, "SECRET-MISSING");
    fails("\xff", 1, "BAD-TEXT");
    fails(longest, SECRET_MAX + 1, "BAD-INPUT");
    fails(longest, sizeof longest, "BAD-INPUT");
    assert_int_equal(take(longest, SECRET_MAX, &out, &e), STATUS_OK);
    secret_destroy(&out);
}

static void what_follows_stays_in_the_pipe(void **state)
{
    int ends[2];
    char rest[16] = "";
    struct secret out = {0};
    struct error e = {0};
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "one\ntwo\n", 8), 8);
    assert_int_equal(secret_line_read(ends[0], &out, &e), STATUS_OK);
    assert_int_equal(out.len, 3);
    assert_int_equal(read(ends[0], rest, sizeof rest), 4);
    assert_string_equal(rest, "two\n");
    secret_destroy(&out);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_counts),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_it),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(what_follows_stays_in_the_pipe),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
