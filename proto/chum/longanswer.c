// The head is read anew with each piece until it is whole; it is short, or this is another kind of message (HEAD_MAX).
// An escape may be cut by the end of a piece anywhere, also between the halves of a surrogate pair.
#include "chum/longanswer.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { HEAD_MAX = 256 };

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

enum step { STEP_READ, STEP_SHORT, STEP_OTHER }; // SHORT: the text ends too early

static void skip_space(struct span *s)
{
    while (s->len != 0 && (s->ptr[0] == ' ' || s->ptr[0] == '\t' || s->ptr[0] == '\n' || s->ptr[0] == '\r'))
        *s = span_from(*s, 1);
}

static enum step skip(struct span *s, char c)
{
    skip_space(s);
    if (s->len == 0)
        return STEP_SHORT;
    if (s->ptr[0] != c)
        return STEP_OTHER;
    *s = span_from(*s, 1);
    return STEP_READ;
}

// A string without escapes.
static enum step read_word(struct span *s, struct span *word)
{
    enum step step = skip(s, '"');
    if (step != STEP_READ)
        return step;
    size_t n = 0;
    while (n < s->len && s->ptr[n] != '"' && s->ptr[n] != '\\')
        n++;
    if (n == s->len)
        return STEP_SHORT;
    if (s->ptr[n] != '"')
        return STEP_OTHER;
    *word = (struct span){s->ptr, n};
    *s = span_from(*s, n + 1);
    return STEP_READ;
}

static enum step read_id(struct span *s, int64_t *id)
{
    size_t n = 0;
    *id = 0;
    skip_space(s);
    for (; n < s->len && n < 16 && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++)
        *id = *id * 10 + (s->ptr[n] - '0');
    if (n == s->len)
        return STEP_SHORT;
    *s = span_from(*s, n);
    return n != 0 ? STEP_READ : STEP_OTHER;
}

struct head {
    bool has_id, is_data, is_whole;
    int64_t id;
};

static enum step read_member(struct span *s, struct head *head)
{
    struct span name, type;
    enum step step = read_word(s, &name);
    if (step == STEP_READ)
        step = skip(s, ':');
    if (step != STEP_READ)
        return step;
    if (span_eq(name, SPAN("data"))) {
        head->is_whole = true;
        return head->has_id && head->is_data ? skip(s, '"') : STEP_OTHER;
    }
    if (span_eq(name, SPAN("responseId"))) {
        head->has_id = true;
        step = read_id(s, &head->id);
    } else if (span_eq(name, SPAN("type"))) {
        step = read_word(s, &type);
        head->is_data = step == STEP_READ && span_eq(type, SPAN("data"));
        if (step == STEP_READ && !head->is_data)
            step = STEP_OTHER;
    } else {
        step = STEP_OTHER;
    }
    return step == STEP_READ ? skip(s, ',') : step;
}

// The length of the head, 0 if it is not whole yet; *other: it is something else.
static size_t read_head(struct long_answer *a, bool *other)
{
    struct span s = buf_span(&a->kept);
    struct head head = {0};
    enum step step = skip(&s, '{');
    while (step == STEP_READ && !head.is_whole)
        step = read_member(&s, &head);
    *other = step == STEP_OTHER || (step == STEP_SHORT && a->kept.len >= HEAD_MAX);
    a->id = head.id;
    return step == STEP_READ ? a->kept.len - s.len : 0;
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
    bool other;
    if (a->kept.len == 0 && span_starts_with(piece, SPAN("\xef\xbb\xbf"))) // decoders drop it
        piece = span_from(piece, 3);
    size_t before = a->kept.len;
    size_t part = piece.len < HEAD_MAX - before ? piece.len : HEAD_MAX - before;
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
