#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/ctl/qr.h"
#include "tests/unit/cmocka_all.h"

enum { MODULES = 21, QUIET = 4, SCALE = 8 }; // "hello" makes a version 1 code

static size_t count(struct span s, const char *what)
{
    size_t n = 0;
    for (size_t i = 0; i + strlen(what) <= s.len; i++)
        n += memcmp(s.ptr + i, what, strlen(what)) == 0;
    return n;
}

static void blocks_are_square_and_quiet_around(void **state)
{
    (void)state;
    struct buf qr = {0};
    struct error e = {0};
    assert_int_equal(qr_blocks("hello", 0, &qr, &e), STATUS_OK);
    assert_int_equal(count(buf_span(&qr), "\n"), (MODULES + 2 * QUIET + 1) / 2);
    assert_true(span_starts_with(buf_span(&qr), SPAN("\u2588\u2588\u2588\u2588")));
    buf_free(&qr);
}

static void the_terminal_says_how_wide_they_may_be(void **state)
{
    (void)state;
    struct buf qr = {0};
    struct error e = {0};
    assert_int_equal(qr_blocks("hello", MODULES + 2, &qr, &e), STATUS_OK); // the narrowest margin
    assert_int_equal(count(buf_span(&qr), "\n"), (MODULES + 2 + 1) / 2);
    buf_clear(&qr);
    assert_int_equal(qr_blocks("hello", MODULES + 1, &qr, &e), STATUS_TOO_BIG);
    assert_non_null(strstr(e.message, "23 columns"));
    assert_int_equal(qr.len, 0);
    buf_free(&qr);
}

static void the_pictures_show_the_same_code(void **state)
{
    (void)state;
    struct buf svg = {0};
    struct buf png = {0};
    struct error e = {0};
    assert_int_equal(qr_svg("hello", &svg, &e), STATUS_OK);
    assert_int_equal(qr_png("hello", &png, &e), STATUS_OK);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png.data, png.len));
    image.format = PNG_FORMAT_GRAY;
    assert_int_equal(image.width, (MODULES + 2 * QUIET) * SCALE);
    assert_int_equal(image.height, image.width);
    uint8_t *pixels = mem_array(image.width * image.height, 1);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    size_t dark = 0;
    for (size_t i = 0; i < image.width * image.height; i++)
        dark += pixels[i] == 0;
    assert_int_equal(dark, count(buf_span(&svg), "h1v1h-1z") * SCALE * SCALE);
    assert_int_equal(pixels[0], 255);                                         // the quiet frame
    assert_int_equal(pixels[QUIET * SCALE * image.width + QUIET * SCALE], 0); // the corner of the finder
    free(pixels);
    buf_free(&svg);
    buf_free(&png);
}

static void the_name_decides_and_bad_ones_are_refused(void **state)
{
    (void)state;
    struct error e = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/tandem-qr-%d.svg", (int)getpid());
    assert_int_equal(qr_write("hello", path, &e), STATUS_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(qr_write("hello", "/tmp/x.jpeg", &e), STATUS_INVALID);
    assert_string_equal(e.code, "USAGE");
    char *long_text = mem_alloc(5001);
    memset(long_text, 'x', 5000);
    struct buf out = {0};
    assert_int_equal(qr_blocks(long_text, 0, &out, &e), STATUS_TOO_BIG);
    free(long_text);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_square_and_quiet_around),
        cmocka_unit_test(the_terminal_says_how_wide_they_may_be),
        cmocka_unit_test(the_pictures_show_the_same_code),
        cmocka_unit_test(the_name_decides_and_bad_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
