// Strings without escapes are borrowed from the text. Members are sorted when their object is whole; of equal names the
// last stays, as in JavaScript.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/stringify.h"

struct reader {
    const char *p;
    const char *end;
    struct arena *arena;
    struct error *e;
    size_t depth;
};

static enum status read_value(struct reader *r, struct value **out);

static enum status refuse(struct reader *r, const char *what)
{
    return error_set(r->e, STATUS_INVALID, "BAD-JSON", "the JSON text is malformed: %s", what);
}

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
        return false;
    r->p += len;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool skip_digits(struct reader *r)
{
    const char *start = r->p;
    while (is_digit(r))
        r->p++;
    return r->p != start;
}

// The grammar of JSON numbers: no leading zeros, digits on both sides of the point.
static bool skip_number(struct reader *r)
{
    if (r->p < r->end && *r->p == '-')
        r->p++;
    if (r->p < r->end && *r->p == '0')
        r->p++;
    else if (!skip_digits(r))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!skip_digits(r))
            return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        return skip_digits(r);
    }
    return true;
}

static enum status read_number(struct reader *r, struct value **out)
{
    const char *start = r->p;
    char small[64];
    if (!skip_number(r))
        return refuse(r, "something is not a value");
    struct span text = {start, (size_t)(r->p - start)};
    char *copy = text.len < sizeof small ? small : mem_alloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = value_number(r->arena, strtod(copy, NULL));
    if (copy != small)
        free(copy);
    return STATUS_OK;
}

// Reads the four digits of \uXXXX.
static bool read_unit(struct reader *r, uint32_t *unit)
{
    uint8_t b[2];
    if (r->end - r->p < 4 || !hex_decode((struct span){r->p, 4}, b, 2))
        return false;
    *unit = (uint32_t)b[0] << 8 | b[1];
    r->p += 4;
    return true;
}

// Behind \u: one unit, or the two of a pair. What stays unpaired becomes WTF-8.
static bool read_code_point(struct reader *r, struct buf *out)
{
    uint32_t unit;
    uint32_t low;
    if (!read_unit(r, &unit))
        return false;
    const char *behind = r->p;
    if (unit >= 0xD800 && unit < 0xDC00 && take_word(r, "\\u")) {
        if (read_unit(r, &low) && low >= 0xDC00 && low < 0xE000)
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        else
            r->p = behind;
    }
    utf8_add(out, unit);
    return true;
}

static bool read_escape(struct reader *r, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end)
        return false;
    char c = *r->p++;
    const char *at = c != '\0' ? strchr(from, c) : NULL;
    if (at != NULL) {
        buf_add_char(out, to[at - from]);
        return true;
    }
    return c == 'u' && read_code_point(r, out);
}

// The rest of a string that has escapes; out holds what came before the first one.
static enum status read_escaped(struct reader *r, struct buf *out)
{
    while (r->p < r->end && *r->p != '"') {
        if ((unsigned char)*r->p < 0x20)
            return refuse(r, "a control character stands in a string");
        if (*r->p != '\\') {
            buf_add_char(out, *r->p++);
            continue;
        }
        r->p++;
        if (!read_escape(r, out))
            return refuse(r, "an escape sequence is unknown");
    }
    return STATUS_OK;
}

// Behind the opening quote.
static enum status read_text(struct reader *r, struct span *out)
{
    const char *start = r->p;
    struct buf text = {0};
    enum status s = STATUS_OK;
    while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20)
        r->p++;
    *out = (struct span){start, (size_t)(r->p - start)};
    if (r->p < r->end && *r->p != '"') {
        buf_add_span(&text, *out);
        s = read_escaped(r, &text);
        *out = arena_copy(r->arena, buf_span(&text));
        buf_free(&text);
    }
    if (s == STATUS_OK && r->p == r->end)
        s = refuse(r, "a string does not end");
    if (s == STATUS_OK)
        r->p++;
    return s;
}

static enum status read_list(struct reader *r, struct value **out)
{
    *out = value_list(r->arena);
    if (take(r, ']'))
        return STATUS_OK;
    do {
        struct value *item;
        enum status s = read_value(r, &item);
        if (s != STATUS_OK)
            return s;
        value_add(r->arena, *out, item);
    } while (take(r, ','));
    return take(r, ']') ? STATUS_OK : refuse(r, "a list does not end");
}

struct numbered { // a member with its place in the text
    struct value_member member;
    size_t place;
};

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *x = a;
    const struct numbered *y = b;
    int order = utf16_compare(x->member.name, y->member.name);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

// Sorts the members of an object that has more than one; of equal names the last stays.
static void sort_members(struct value *object)
{
    size_t count = object->object.count;
    struct numbered *all = mem_array(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = (struct numbered){object->object.members[i], i};
    qsort(all, count, sizeof *all, compare_numbered);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !span_eq(all[i].member.name, all[i + 1].member.name))
            object->object.members[kept++] = all[i].member;
    }
    object->object.count = kept;
    free(all);
}

static enum status read_member(struct reader *r, struct value *object)
{
    struct span name;
    struct value *v;
    if (!take(r, '"'))
        return refuse(r, "a key is not a string");
    enum status s = read_text(r, &name);
    if (s == STATUS_OK && !take(r, ':'))
        s = refuse(r, "a key has no value");
    if (s == STATUS_OK)
        s = read_value(r, &v);
    if (s == STATUS_OK)
        value_append_member(r->arena, object, name, v);
    return s;
}

static enum status read_object(struct reader *r, struct value **out)
{
    *out = value_object(r->arena, (struct span){0});
    if (take(r, '}'))
        return STATUS_OK;
    do {
        enum status s = read_member(r, *out);
        if (s != STATUS_OK)
            return s;
    } while (take(r, ','));
    if (!take(r, '}'))
        return refuse(r, "an object does not end");
    if ((*out)->object.count > 1)
        sort_members(*out);
    return STATUS_OK;
}

static enum status read_container(struct reader *r, bool list, struct value **out)
{
    if (r->depth >= STRINGIFY_MAX_DEPTH)
        return error_set(r->e, STATUS_TOO_BIG, "JSON-TOO-DEEP", "the JSON text is nested too deeply");
    r->depth++;
    enum status s = list ? read_list(r, out) : read_object(r, out);
    r->depth--;
    return s;
}

static enum status read_value(struct reader *r, struct value **out)
{
    if (take(r, '{'))
        return read_container(r, false, out);
    if (take(r, '['))
        return read_container(r, true, out);
    if (take(r, '"')) {
        *out = value_make(r->arena, VALUE_STRING);
        return read_text(r, &(*out)->string);
    }
    if (take_word(r, "true") || take_word(r, "false"))
        *out = value_bool(r->arena, r->p[-2] == 'u');
    else if (take_word(r, "null"))
        *out = value_null(r->arena);
    else
        return read_number(r, out);
    return STATUS_OK;
}

enum status stringify_read(struct arena *a, struct span text, struct value **out, struct error *e)
{
    struct reader r = {text.ptr, text.ptr + text.len, a, e, 0};
    enum status s = read_value(&r, out);
    if (s != STATUS_OK)
        return s;
    skip_space(&r);
    return r.p == r.end ? STATUS_OK : refuse(&r, "something follows the value");
}
