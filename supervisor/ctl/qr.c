// Terminals are light on dark as a rule, so what is drawn are the light modules, two in each character.
#include "supervisor/ctl/qr.h"

#include <png.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

enum { QUIET = 4, QUIET_LEAST = 1, PNG_SCALE = 8 }; // modules around the code; pixels per module

static QRcode *encode(const char *text, struct error *e)
{
    QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (qr == NULL)
        error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the text does not fit into a QR code");
    return qr;
}

static bool is_dark(const QRcode *qr, int x, int y)
{
    return x >= 0 && y >= 0 && x < qr->width && y < qr->width && (qr->data[y * qr->width + x] & 1) != 0;
}

// Light on dark is the terminal's usual picture, so a light module is drawn.
enum status qr_blocks(const char *text, int columns, struct buf *out, struct error *e)
{
    static const char *const halves[] = {"\u2588", "\u2580", "\u2584", " "};
    QRcode *qr = encode(text, e);
    if (qr == NULL)
        return e->status;
    int quiet = QUIET;
    while (columns != 0 && quiet > QUIET_LEAST && qr->width + 2 * quiet > columns)
        quiet--;
    if (columns != 0 && qr->width + 2 * quiet > columns) {
        int needed = qr->width + 2 * quiet;
        QRcode_free(qr);
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the QR code is %d columns wide, the terminal %d", needed,
                         columns);
    }
    for (int y = -quiet; y < qr->width + quiet; y += 2) {
        for (int x = -quiet; x < qr->width + quiet; x++) {
            bool upper = is_dark(qr, x, y);
            bool lower = is_dark(qr, x, y + 1);
            buf_add_text(out, halves[upper && lower ? 3 : upper ? 2 : lower ? 1 : 0]);
        }
        buf_add_char(out, '\n');
    }
    QRcode_free(qr);
    return STATUS_OK;
}

enum status qr_svg(const char *text, struct buf *out, struct error *e)
{
    QRcode *qr = encode(text, e);
    if (qr == NULL)
        return e->status;
    int size = qr->width + 2 * QUIET;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
               "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"",
               size, size, size, size);
    for (int y = 0; y < qr->width; y++) {
        for (int x = 0; x < qr->width; x++) {
            if (is_dark(qr, x, y))
                buf_printf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    buf_add_text(out, "\"/></svg>\n");
    QRcode_free(qr);
    return STATUS_OK;
}

// One grey byte per pixel.
static uint8_t *draw(const QRcode *qr, int size)
{
    uint8_t *pixels = mem_array((size_t)size * (size_t)size, 1);
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++)
            pixels[y * size + x] = is_dark(qr, x / PNG_SCALE - QUIET, y / PNG_SCALE - QUIET) ? 0 : 255;
    }
    return pixels;
}

enum status qr_png(const char *text, struct buf *out, struct error *e)
{
    QRcode *qr = encode(text, e);
    if (qr == NULL)
        return e->status;
    int size = (qr->width + 2 * QUIET) * PNG_SCALE;
    uint8_t *pixels = draw(qr, size);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)size,
                       .height = (png_uint_32)size,
                       .format = PNG_FORMAT_GRAY};
    png_alloc_size_t length = 0;
    enum status st = STATUS_OK;
    if (!png_image_write_to_memory(&image, NULL, &length, 0, pixels, 0, NULL) ||
        !png_image_write_to_memory(&image, buf_reserve(out, length), &length, 0, pixels, 0, NULL))
        st = error_set(e, STATUS_IO, "INTERNAL", "the picture cannot be written: %s", image.message);
    else
        out->len += length;
    free(pixels);
    QRcode_free(qr);
    return st;
}

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path);
    size_t k = strlen(end);
    return n > k && strcmp(path + n - k, end) == 0;
}

enum status qr_check(const char *path, struct error *e)
{
    if (ends_with(path, ".svg") || ends_with(path, ".png"))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "USAGE", "%s must end with .svg or .png", path);
}

enum status qr_write(const char *text, const char *path, struct error *e)
{
    struct buf picture = {0};
    enum status st = qr_check(path, e);
    if (st == STATUS_OK)
        st = ends_with(path, ".svg") ? qr_svg(text, &picture, e) : qr_png(text, &picture, e);
    if (st == STATUS_OK)
        st = file_write(path, buf_span(&picture), 0600, e);
    buf_free(&picture);
    return st;
}
