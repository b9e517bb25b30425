// Sets and maps are sorted by the texts of their elements, which are therefore written first and put in order
// afterwards.
#include "data/stringify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/number.h"

struct writer {
    struct buf *out;
    struct error *e;
    size_t depth;
};

static enum status write_value(struct writer *w, const struct value *v, bool *undefined);

static void write_number(struct writer *w, double n)
{
    char text[NUMBER_TEXT];
    buf_add(w->out, text, number_write(n, text));
}

// The civil date of a day counted from 1970-01-01 (proleptic Gregorian calendar).
static void civil_date(int64_t day, int64_t *year, unsigned *month, unsigned *mday)
{
    day += 719468; // from 0000-03-01
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t of_era = day - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153; // March = 0
    *mday = (unsigned)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static void write_date(struct writer *w, double ms)
{
    static const int64_t day_ms = 86400000;
    if (!(fabs(ms) <= 8.64e15)) {
        buf_add_text(w->out, "null");
        return;
    }
    int64_t t = (int64_t)ms;
    int64_t day = (t - (t % day_ms + day_ms) % day_ms) / day_ms;
    int64_t rest = t - day * day_ms;
    int64_t year;
    unsigned month;
    unsigned mday;
    civil_date(day, &year, &month, &mday);
    buf_printf(w->out, year >= 0 && year <= 9999 ? "\"%04lld" : "\"%+07lld", (long long)year);
    buf_printf(w->out, "-%02u-%02uT%02d:%02d:%02d.%03dZ\"", month, mday, (int)(rest / 3600000),
               (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}

static enum status write_foreign(struct writer *w, struct span what, bool *undefined)
{
    if (span_eq_text(what, "function")) {
        *undefined = true;
        return STATUS_OK;
    }
    return error_set(w->e, STATUS_INVALID, span_eq_text(what, "symbol") ? "USS-STR4" : "USS-FOREIGN",
                     "a %.20s has no text form", what.len != 0 ? what.ptr : "foreign value");
}

// What stands in a list; undefined has the text null there.
static enum status write_element(struct writer *w, const struct value *v)
{
    bool undefined = false;
    enum status s = write_value(w, v, &undefined);
    if (s == STATUS_OK && undefined)
        buf_add_text(w->out, "null");
    return s;
}

static enum status write_list(struct writer *w, const struct value *v)
{
    enum status s = STATUS_OK;
    buf_add_char(w->out, '[');
    for (size_t i = 0; i < v->list.count && s == STATUS_OK; i++) {
        if (i != 0)
            buf_add_char(w->out, ',');
        s = write_element(w, v->list.items[i]);
    }
    buf_add_char(w->out, ']');
    return s;
}

static int compare_spans(const void *a, const void *b)
{
    return utf16_compare(*(const struct span *)a, *(const struct span *)b);
}

static enum status write_entry(struct writer *w, const struct value *v, size_t i)
{
    if (v->kind == VALUE_SET)
        return write_element(w, v->list.items[i]);
    buf_add_char(w->out, '[');
    enum status s = write_element(w, v->map.pairs[i].key);
    buf_add_char(w->out, ',');
    if (s == STATUS_OK)
        s = write_element(w, v->map.pairs[i].value);
    buf_add_char(w->out, ']');
    return s;
}

// Sets and maps become lists sorted by their element texts.
static enum status write_sorted(struct writer *w, const struct value *v)
{
    size_t count = v->kind == VALUE_SET ? v->list.count : v->map.count;
    struct buf texts = {0};
    size_t *ends = mem_array(count, sizeof *ends);
    struct span *items = mem_array(count, sizeof *items);
    struct writer inner = {&texts, w->e, w->depth};
    enum status s = STATUS_OK;
    for (size_t i = 0; i < count && s == STATUS_OK; i++) {
        s = write_entry(&inner, v, i);
        ends[i] = texts.len;
    }
    if (s != STATUS_OK)
        goto done;
    for (size_t i = 0; i < count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        items[i] = (struct span){texts.data + start, ends[i] - start};
    }
    qsort(items, count, sizeof *items, compare_spans);
    buf_add_char(w->out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            buf_add_char(w->out, ',');
        buf_add_span(w->out, items[i]);
    }
    buf_add_char(w->out, ']');
done:
    free(items);
    free(ends);
    buf_free(&texts);
    return s;
}

static int compare_members(const void *a, const void *b)
{
    const struct value_member *const *x = a;
    const struct value_member *const *y = b;
    return utf16_compare((*x)->name, (*y)->name);
}

// Peers copy keys without escaping them, so a key that needs it has no text that reads back (DATA-MODEL.md 3.7).
static bool key_is_plain(struct span key)
{
    return text_plain_in_json(key) == key.len;
}

static enum status write_member(struct writer *w, const struct value_member *m, bool *first)
{
    size_t start = w->out->len;
    bool undefined = false;
    if (!key_is_plain(m->name))
        return error_set(w->e, STATUS_INVALID, "BAD-KEY", "a key holds a character that peers do not escape");
    if (!*first)
        buf_add_char(w->out, ',');
    buf_add_char(w->out, '"');
    buf_add_span(w->out, m->name);
    buf_add(w->out, "\":", 2);
    enum status s = write_value(w, m->value, &undefined);
    if (undefined)
        w->out->len = start;
    else
        *first = false;
    return s;
}

static enum status write_object(struct writer *w, const struct value *v)
{
    enum status s = STATUS_OK;
    bool first = true;
    bool sorted = true;
    const struct value_member **members = mem_array(v->object.count, sizeof(struct value_member *));
    for (size_t i = 0; i < v->object.count; i++) {
        members[i] = &v->object.members[i];
        sorted = sorted && (i == 0 || compare_members(&members[i - 1], &members[i]) <= 0);
    }
    if (!sorted)
        qsort(members, v->object.count, sizeof(struct value_member *), compare_members);
    buf_add_char(w->out, '{');
    for (size_t i = 0; i < v->object.count && s == STATUS_OK; i++)
        s = write_member(w, members[i], &first);
    buf_add_char(w->out, '}');
    free(members);
    return s;
}

static enum status write_container(struct writer *w, const struct value *v)
{
    if (w->depth >= STRINGIFY_MAX_DEPTH)
        return error_set(w->e, STATUS_TOO_BIG, "USS-STR1", "a value contains itself or is nested too deeply");
    w->depth++;
    enum status s = v->kind == VALUE_LIST     ? write_list(w, v)
                    : v->kind == VALUE_OBJECT ? write_object(w, v)
                                              : write_sorted(w, v);
    w->depth--;
    return s;
}

static enum status write_value(struct writer *w, const struct value *v, bool *undefined)
{
    switch (v->kind) {
    case VALUE_UNDEFINED:
        *undefined = true;
        break;
    case VALUE_NULL:
        buf_add_text(w->out, "null");
        break;
    case VALUE_BOOL:
        buf_add_text(w->out, v->boolean ? "true" : "false");
        break;
    case VALUE_NUMBER:
        write_number(w, v->number);
        break;
    case VALUE_STRING:
    case VALUE_REGEXP:
        text_add_json(v->string, w->out);
        break;
    case VALUE_DATE:
        write_date(w, v->number);
        break;
    case VALUE_FOREIGN:
        return write_foreign(w, v->string, undefined);
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_MAP:
    case VALUE_OBJECT:
        return write_container(w, v);
    }
    return STATUS_OK;
}

enum status stringify_write(const struct value *v, struct buf *out, bool *undefined, struct error *e)
{
    struct writer w = {out, e, 0};
    size_t start = out->len;
    bool nothing = false;
    enum status s = write_value(&w, v, &nothing);
    if (s != STATUS_OK)
        out->len = start;
    if (undefined != NULL)
        *undefined = nothing;
    return s;
}
