// Each step is harmless for a text that was not bent in its way; ipc/invitation.c looks for an invitation after each.
#include "ipc/unbend.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { ESCAPE = 0x1b, ESCAPE_MAX = 32 };

// ---- Characters ----

struct range {
    uint32_t from, to;
    const char *instead;
};

static const struct range BENT[] = {
    {0x0000, 0x0020, ""},   {0x007F, 0x00A0, ""},   {0x00AB, 0x00AB, "\""}, {0x00AD, 0x00AD, ""},
    {0x00BB, 0x00BB, "\""}, {0x034F, 0x034F, ""},   {0x061C, 0x061C, ""},   {0x1680, 0x1680, ""},
    {0x180E, 0x180E, ""},   {0x2000, 0x200F, ""},   {0x2010, 0x2011, "-"},  {0x2014, 0x2014, "--"},
    {0x2018, 0x201B, "'"},  {0x201C, 0x201F, "\""}, {0x2028, 0x202F, ""},   {0x2033, 0x2033, "\""},
    {0x205F, 0x206F, ""},   {0x275D, 0x275E, "\""}, {0x3000, 0x3000, ""},   {0xFE00, 0xFE0F, ""},
    {0xFEFF, 0xFEFF, ""},   {0xFF02, 0xFF02, "\""}, {0xFF03, 0xFF03, "#"},  {0xFF05, 0xFF05, "%"},
    {0xFF0C, 0xFF0C, ","},  {0xFF1A, 0xFF1A, ":"},  {0xFF5B, 0xFF5B, "{"},  {0xFF5D, 0xFF5D, "}"},
    {0xE0000, 0xE007F, ""},
};

static uint32_t code_point(struct span s, size_t *len) // of valid UTF-8
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    *len = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t c = *len == 1 ? p[0] : p[0] & (0x7FU >> *len);
    for (size_t i = 1; i < *len; i++)
        c = c << 6 | (p[i] & 0x3FU);
    return c;
}

static void add_character(struct span s, struct buf *out, size_t *len)
{
    uint32_t c = code_point(s, len);
    for (size_t i = 0; i < sizeof BENT / sizeof BENT[0]; i++) {
        if (c < BENT[i].from || c > BENT[i].to)
            continue;
        buf_add_text(out, BENT[i].instead);
        return;
    }
    buf_add(out, s.ptr, *len);
}

// ---- Several characters that mean nothing here: how many, or 0 ----

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

// A line that ends with = or \ goes on in the next one.
static size_t fold(struct span s)
{
    size_t n = 1;
    if (s.ptr[0] != '=' && s.ptr[0] != '\\')
        return 0;
    while (n < s.len && is_blank(s.ptr[n]))
        n++;
    return n < s.len && s.ptr[n] == '\n' ? n + 1 : 0;
}

// ESC [ … letter.
static size_t terminal_escape(struct span s)
{
    if (s.ptr[0] != ESCAPE || s.len < 2 || s.ptr[1] != '[')
        return 0;
    for (size_t i = 2; i < s.len && i < ESCAPE_MAX; i++)
        if ((uint8_t)s.ptr[i] >= 0x40 && (uint8_t)s.ptr[i] <= 0x7E)
            return i + 1;
    return 0;
}

// <br>, <wbr/> and the like; of others, of <LINK> and of quoted lines only the bracket goes.
static size_t tag(struct span s)
{
    static const char *const names[] = {"<br", "<wbr", "</"};
    if (s.ptr[0] == '>')
        return 1;
    if (s.ptr[0] != '<')
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *end = memchr(s.ptr, '>', s.len < ESCAPE_MAX ? s.len : ESCAPE_MAX);
        if (end != NULL && span_starts_with(s, span_of(names[i])))
            return (size_t)(end - s.ptr) + 1;
    }
    return 1;
}

// A backslash that JSON does not know, before _ or - say, or before a quote.
static size_t needless_backslash(struct span s)
{
    if (s.ptr[0] != '\\' || s.len < 2)
        return 0;
    return strchr("\\/bfnrtu", s.ptr[1]) == NULL || s.ptr[1] == '\0' ? 1 : 0;
}

static size_t nothing(struct span s)
{
    size_t n = fold(s);
    if (n == 0)
        n = terminal_escape(s);
    if (n == 0)
        n = tag(s);
    return n != 0 ? n : needless_backslash(s);
}

static void add_utf16(struct span s, bool big, struct buf *out)
{
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        uint8_t high = (uint8_t)s.ptr[big ? i : i + 1];
        uint8_t low = (uint8_t)s.ptr[big ? i + 1 : i];
        utf8_add(out, (uint32_t)high << 8 | low);
    }
}

void unbend_text(struct span text, struct buf *out)
{
    struct buf whole = {0};
    struct buf valid = {0};
    bool big = span_starts_with(text, SPAN("\xFE\xFF"));
    if (big || span_starts_with(text, SPAN("\xFF\xFE")))
        add_utf16(text, big, &whole);
    else
        buf_add_span(&whole, text);
    utf8_repair(buf_span(&whole), &valid);
    for (struct span rest = buf_span(&valid); rest.len != 0;) {
        size_t n = nothing(rest);
        if (n == 0)
            add_character(rest, out, &n);
        rest = span_from(rest, n);
    }
    buf_free(&valid);
    buf_free(&whole);
}

// ---- Encodings ----

static uint32_t numeric_entity(struct span s, size_t *len) // &#34; or &#x22;
{
    bool hex = s.len > 2 && (s.ptr[2] == 'x' || s.ptr[2] == 'X');
    size_t i = hex ? 3 : 2;
    uint32_t c = 0;
    for (; i < s.len && i < 10 && s.ptr[i] != ';'; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = s.ptr[i] != '\0' ? strchr(digits, s.ptr[i] | 0x20) : NULL;
        if (digit == NULL || (!hex && digit - digits > 9))
            return 0;
        c = c * (hex ? 16 : 10) + (uint32_t)(digit - digits);
    }
    *len = i + 1;
    return i < s.len && s.ptr[i] == ';' && c <= 0x10FFFF ? c : 0;
}

static size_t entity(struct span s, struct buf *out)
{
    static const char *const names[][2] = {{"&quot;", "\""}, {"&amp;", "&"},  {"&lt;", ""},      {"&gt;", ""},
                                           {"&nbsp;", ""},   {"&apos;", "'"}, {"&lbrace;", "{"}, {"&rbrace;", "}"}};
    size_t len = 0;
    if (s.ptr[0] != '&')
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!span_starts_with(s, span_of(names[i][0])))
            continue;
        buf_add_text(out, names[i][1]);
        return strlen(names[i][0]);
    }
    uint32_t c = span_starts_with(s, SPAN("&#")) ? numeric_entity(s, &len) : 0;
    if (c == 0)
        return 0;
    utf8_add(out, c);
    return len;
}

static size_t escaped_byte(struct span s, char mark, struct buf *out)
{
    char byte;
    if (s.ptr[0] != mark || s.len < 3 || !hex_decode((struct span){s.ptr + 1, 2}, &byte, 1))
        return 0;
    buf_add_char(out, byte);
    return 3;
}

static size_t percent(struct span s, struct buf *out)
{
    return escaped_byte(s, '%', out);
}

static size_t quoted_printable(struct span s, struct buf *out)
{
    return escaped_byte(s, '=', out);
}

// false: there was nothing to decode.
static bool decode(struct buf *text, size_t (*one)(struct span s, struct buf *out))
{
    struct buf decoded = {0};
    bool any = false;
    for (struct span rest = buf_span(text); rest.len != 0;) {
        size_t n = one(rest, &decoded);
        any = any || n != 0;
        if (n == 0)
            buf_add_char(&decoded, rest.ptr[0]);
        rest = span_from(rest, n != 0 ? n : 1);
    }
    if (any) {
        buf_clear(text);
        unbend_text(buf_span(&decoded), text);
    }
    buf_free(&decoded);
    return any;
}

// An = alone says nothing: base64 ends with one, and a URL may have several.
static bool is_quoted_printable(struct span s)
{
    static const char *const marks[] = {"=3D", "=22", "=7B", "=2C", "=C2=", "=E2=", "=EF="};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (memmem(s.ptr, s.len, marks[i], strlen(marks[i])) != NULL)
            return true;
    return false;
}

bool unbend_encoding(struct buf *text)
{
    if (text->len == 0)
        return false;
    return decode(text, entity) || (is_quoted_printable(buf_span(text)) && decode(text, quoted_printable)) ||
           decode(text, percent);
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '-' || c == '_';
}

// { and what may follow it: a quote, a blank, the end of a line.
static bool begins_object(struct span s)
{
    static const char *const beginnings[] = {"eyJ", "eyA", "ewo", "ew0"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (span_starts_with(s, span_of(beginnings[i])))
            return true;
    return false;
}

// With or without padding; words that came to stand behind it decode to something, which nobody reads.
static void decode_base64(struct span s, struct buf *out)
{
    struct buf padded = {0};
    size_t len = 0;
    while (len < s.len && is_base64(s.ptr[len]))
        len++;
    buf_add(&padded, s.ptr, len % 4 == 1 ? len - 1 : len);
    while (padded.len % 4 != 0)
        buf_add_char(&padded, '=');
    base64_decode(buf_span(&padded), out);
    buf_free(&padded);
}

bool unbend_base64(struct span text, size_t *cursor, struct buf *out)
{
    for (; *cursor < text.len; ++*cursor) {
        if (!begins_object(span_from(text, *cursor)))
            continue;
        decode_base64(span_from(text, *cursor), out);
        ++*cursor;
        return true;
    }
    return false;
}

struct span unbend_url(struct span url)
{
    const char *middle = memmem(url.ptr, url.len, "](", 2);
    const char *bar = memchr(url.ptr, '|', url.len);
    if (url.len != 0 && url.ptr[0] == '[' && middle != NULL)
        return (struct span){url.ptr + 1, (size_t)(middle - url.ptr) - 1};
    if (bar != NULL)
        url.len = (size_t)(bar - url.ptr);
    return url;
}
