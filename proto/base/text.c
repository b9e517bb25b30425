// UTF-8 is judged strictly on the way in and repaired as a lenient decoder does where the reference would. Order and
// lengths are those of UTF-16, as JavaScript has them.
#include "base/text.h"

#include <string.h>

// Length of the valid sequence at p (n bytes left), or 0. *bad gets the length of the maximal invalid prefix.
static size_t sequence(const uint8_t *p, size_t n, size_t *bad)
{
    *bad = 1;
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < len; i++) {
        *bad = i;
        if (i >= n || p[i] < low || p[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return len;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

struct span utf8_beginning(struct span s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && is_continuation(s.ptr[max]))
        max--;
    return (struct span){s.ptr, max};
}

struct span utf8_certain(struct span s)
{
    size_t back = 0; // what is no UTF-8 has no character to go back to
    while (back < 3 && back < s.len && is_continuation(s.ptr[s.len - 1 - back]))
        back++;
    if (back < s.len && ((unsigned char)s.ptr[s.len - 1 - back] & 0x80) != 0)
        s.len -= back + 1;
    return s;
}

bool utf8_valid(struct span s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;
    size_t bad;
    while (i < s.len) {
        uint64_t eight;
        if (i + sizeof eight <= s.len && (memcpy(&eight, p + i, sizeof eight), (eight & 0x8080808080808080U) == 0)) {
            i += sizeof eight;
            continue;
        }
        size_t n = sequence(p + i, s.len - i, &bad);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

void utf8_repair(struct span s, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;
    while (i < s.len) {
        size_t bad;
        size_t n = sequence(p + i, s.len - i, &bad);
        if (n != 0)
            buf_add(out, p + i, n);
        else
            buf_add_text(out, "\xEF\xBF\xBD");
        i += n != 0 ? n : bad;
    }
}

int utf16_compare(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    const uint8_t *x = (const uint8_t *)a.ptr;
    const uint8_t *y = (const uint8_t *)b.ptr;
    size_t i = 0;
    while (i < n && x[i] == y[i])
        i++;
    if (i == n)
        return a.len < b.len ? -1 : a.len > b.len;
    uint8_t p = x[i];
    uint8_t q = y[i];
    if (p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0))
        return p >= 0xF0 ? -1 : 1;
    return p < q ? -1 : 1;
}

size_t utf16_length(struct span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        n += (c & 0xC0) != 0x80; // every lead byte
        n += c >= 0xF0;          // and the second half of a pair
    }
    return n;
}

void utf8_add(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        buf_add_char(out, (char)(0xC0 | c >> 6));
        buf_add_char(out, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_add_char(out, (char)(0xE0 | c >> 12));
        buf_add_char(out, (char)(0x80 | (c >> 6 & 63)));
        buf_add_char(out, (char)(0x80 | (c & 63)));
    } else {
        buf_add_char(out, (char)(0xF0 | c >> 18));
        buf_add_char(out, (char)(0x80 | (c >> 12 & 63)));
        buf_add_char(out, (char)(0x80 | (c >> 6 & 63)));
        buf_add_char(out, (char)(0x80 | (c & 63)));
    }
}

static uint32_t code_point(const uint8_t *p, size_t n)
{
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
    case 3:
        return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
    default:
        return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
    }
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

bool text_is_plain(struct span s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t bad;
    size_t n = 1;
    for (size_t i = 0; i < s.len; i += n) {
        n = sequence(p + i, s.len - i, &bad);
        if (n == 0 || is_control(code_point(p + i, n)))
            return false;
    }
    return true;
}

static void escape_control(uint32_t c, bool as_json, struct buf *out)
{
    if (as_json)
        buf_printf(out, "\\u%04x", c); // all are below U+10000
    else if (c < 0x100)
        buf_printf(out, "\\x%02x", c);
    else
        buf_printf(out, "\\u{%04x}", c);
}

static void escape_controls(struct span s, bool as_json, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;
    while (i < s.len) {
        size_t bad;
        size_t n = sequence(p + i, s.len - i, &bad);
        if (n == 0) {
            buf_printf(out, "\\x%02x", p[i]);
            i++;
            continue;
        }
        uint32_t c = code_point(p + i, n);
        if (is_control(c))
            escape_control(c, as_json, out);
        else
            buf_add(out, p + i, n);
        i += n;
    }
}

void text_escape_controls(struct span s, struct buf *out)
{
    escape_controls(s, false, out);
}

void text_escape_in_json(struct span json, struct buf *out)
{
    escape_controls(json, true, out);
}

static bool is_surrogate(const unsigned char *p, size_t left)
{
    return left >= 3 && p[0] == 0xed && p[1] >= 0xa0;
}

size_t text_plain_in_json(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t n = 0;
    while (n < s.len && p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && !is_surrogate(p + n, s.len - n))
        n++;
    return n;
}

static size_t add_escape(const unsigned char *p, struct buf *out)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char c = p[0];
    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (c < sizeof named && named[c] != 0)
        buf_printf(out, "\\%c", named[c]);
    else if (c < 0x20)
        buf_printf(out, "\\u%04x", c);
    else
        buf_printf(out, "\\ud%x%02x", (p[1] >> 2) & 15U, ((p[1] & 3U) << 6) | (p[2] & 63U));
    return c < 0x80 ? 1 : 3;
}

void text_add_json_part(struct span s, struct buf *out)
{
    while (s.len > 0) {
        size_t plain = text_plain_in_json(s);
        buf_add(out, s.ptr, plain);
        s = span_from(s, plain);
        if (s.len > 0)
            s = span_from(s, add_escape((const unsigned char *)s.ptr, out));
    }
}

void text_add_json(struct span s, struct buf *out)
{
    buf_add_char(out, '"');
    text_add_json_part(s, out);
    buf_add_char(out, '"');
}

void base64_encode(const void *bytes, size_t len, struct buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    char *w = buf_reserve(out, (len + 2) / 3 * 4);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
        v |= i + 2 < len ? p[i + 2] : 0;
        *w++ = alphabet[v >> 18];
        *w++ = alphabet[v >> 12 & 63];
        *w++ = i + 1 < len ? alphabet[v >> 6 & 63] : '=';
        *w++ = i + 2 < len ? alphabet[v & 63] : '=';
    }
    out->len += (len + 2) / 3 * 4;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct span text, struct buf *out)
{
    if (text.len % 4 != 0)
        return false;
    size_t start = out->len;
    size_t pad = 0;
    for (size_t i = 0; i < text.len; i += 4) {
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            char c = text.ptr[i + k];
            int d = base64_value(c);
            if (c == '=' && i + 4 == text.len && k >= 2) {
                pad++;
                d = 0;
            } else if (d < 0 || pad != 0) {
                out->len = start;
                return false;
            }
            v = v << 6 | (uint32_t)d;
        }
        buf_add_char(out, (char)(v >> 16));
        buf_add_char(out, (char)(v >> 8 & 255));
        buf_add_char(out, (char)(v & 255));
    }
    out->len -= pad;
    return true;
}
