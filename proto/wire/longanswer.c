#include "wire/longanswer.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { HEAD_MAX = 128 };

void long_answer_begin(struct long_answer *a)
{
    buf_free(&a->kept);
    *a = (struct long_answer){0};
}

void long_answer_end(struct long_answer *a)
{
    long_answer_begin(a);
}

// ---- The head ----

static const struct span FRONT = {"{\"responseId\":", 14};
static const struct span MIDDLE = {",\"type\":\"data\",\"data\":\"", 23};

static bool may_begin(struct span s, struct span with)
{
    size_t n = s.len < with.len ? s.len : with.len;
    return memcmp(s.ptr, with.ptr, n) == 0;
}

// The length of the head, 0 if it is not whole yet; *other: it is something else.
static size_t read_head(struct long_answer *a, bool *other)
{
    struct span s = buf_span(&a->kept);
    *other = !may_begin(s, FRONT);
    if (*other || s.len < FRONT.len)
        return 0;
    size_t i = FRONT.len;
    int64_t id = 0;
    while (i < s.len && i < FRONT.len + 16 && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        id = id * 10 + (s.ptr[i++] - '0');
    if (i == s.len)
        return 0;
    *other = i == FRONT.len || !may_begin(span_from(s, i), MIDDLE);
    if (*other || s.len - i < MIDDLE.len)
        return 0;
    a->id = id;
    return i + MIDDLE.len;
}

// ---- The string ----

static void add_unit(struct long_answer *a, unsigned unit, struct buf *out)
{
    bool low = unit >= 0xdc00 && unit <= 0xdfff;
    if (a->high != 0 && low) {
        utf8_add(out, 0x10000 + ((a->high - 0xd800) << 10) + (unit - 0xdc00));
        a->high = 0;
        return;
    }
    if (a->high != 0)
        utf8_add(out, 0xfffd);
    a->high = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
    if (a->high == 0)
        utf8_add(out, low ? 0xfffd : unit);
}

static void end_surrogate(struct long_answer *a, struct buf *out)
{
    if (a->high != 0)
        utf8_add(out, 0xfffd);
    a->high = 0;
}

static bool hex_unit(const char *digits, unsigned *unit)
{
    uint8_t b[2];
    if (!hex_decode((struct span){digits, 4}, b, 2))
        return false;
    *unit = (unsigned)b[0] << 8 | b[1];
    return true;
}

// One more character of an escape; true when it is over.
static bool add_escaped(struct long_answer *a, char c, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    a->escape[a->escaped++] = c;
    if (a->escaped < 2)
        return false;
    unsigned unit;
    const char *simple = a->escape[1] != 'u' && a->escape[1] != '\0' ? strchr(names, a->escape[1]) : NULL;
    if (simple != NULL) {
        end_surrogate(a, out);
        buf_add_char(out, values[simple - names]);
    } else if (a->escape[1] == 'u' && a->escaped < 6) {
        return false;
    } else if (a->escape[1] == 'u' && hex_unit(a->escape + 2, &unit)) {
        add_unit(a, unit, out);
    } else {
        a->state = LONG_ANSWER_BROKEN;
    }
    a->escaped = 0;
    return true;
}

static struct span add_plain(struct long_answer *a, struct span s, struct buf *out)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != '"' && s.ptr[n] != '\\' && (unsigned char)s.ptr[n] >= 0x20)
        n++;
    if (n != 0)
        end_surrogate(a, out);
    buf_add(out, s.ptr, n);
    return span_from(s, n);
}

static struct span add_string(struct long_answer *a, struct span s, struct buf *out)
{
    buf_reserve(out, s.len);
    while (s.len != 0 && a->state == LONG_ANSWER_STRING) {
        if (a->escaped != 0) {
            add_escaped(a, s.ptr[0], out);
            s = span_from(s, 1);
            continue;
        }
        s = add_plain(a, s, out);
        if (s.len == 0)
            break;
        if (s.ptr[0] == '"') {
            end_surrogate(a, out);
            a->state = LONG_ANSWER_TAIL;
        } else if (s.ptr[0] == '\\') {
            add_escaped(a, '\\', out);
        } else {
            a->state = LONG_ANSWER_BROKEN;
        }
        s = span_from(s, 1);
    }
    return s;
}

static void add_tail(struct long_answer *a, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool space = s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\r' || s.ptr[i] == '\t';
        if (a->state == LONG_ANSWER_TAIL && s.ptr[i] == '}')
            a->state = LONG_ANSWER_END;
        else if (!space)
            a->state = LONG_ANSWER_BROKEN;
    }
}

// ---- Pieces ----

static void keep(struct long_answer *a, struct span piece)
{
    if (piece.len > LONG_ANSWER_WHOLE - a->kept.len) {
        buf_free(&a->kept);
        a->state = LONG_ANSWER_BROKEN;
        return;
    }
    buf_add_span(&a->kept, piece);
}

// What of the piece belongs to the string.
static struct span add_head(struct long_answer *a, struct span piece)
{
    size_t before = a->kept.len;
    size_t part = piece.len < HEAD_MAX ? piece.len : HEAD_MAX;
    bool other;
    if (before == 0 && span_starts_with(piece, SPAN("\xef\xbb\xbf"))) // decoders drop it
        piece = span_from(piece, 3);
    part = part < piece.len ? part : piece.len;
    buf_add(&a->kept, piece.ptr, part);
    size_t head = read_head(a, &other);
    if (head != 0) {
        buf_free(&a->kept);
        a->state = LONG_ANSWER_STRING;
        return span_from(piece, head - before);
    }
    if (other)
        a->state = LONG_ANSWER_OTHER;
    keep(a, span_from(piece, part));
    return (struct span){0};
}

void long_answer_add(struct long_answer *a, struct span piece, struct buf *out)
{
    if (a->state == LONG_ANSWER_HEAD)
        piece = add_head(a, piece);
    else if (a->state == LONG_ANSWER_OTHER)
        keep(a, piece);
    if (a->state == LONG_ANSWER_STRING)
        piece = add_string(a, piece, out);
    if (a->state == LONG_ANSWER_TAIL || a->state == LONG_ANSWER_END)
        add_tail(a, piece);
}
