// Integers above 2^53 that a double does not hold are refused: another number would be stored in their place.
#include "data/jsonform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "data/stringify.h"

enum { DEPTH_MAX = 256 };

struct reader {
    struct arena *arena;
    struct error *e;
    size_t depth;
};

static enum status read_value(struct reader *r, const json_t *json, struct value **out);

static enum status refuse(struct reader *r, const char *what)
{
    return error_set(r->e, STATUS_INVALID, "BAD-FORM", "the JSON form of a value is wrong: %s", what);
}

static struct span json_span(const json_t *json)
{
    return (struct span){json_string_value(json), json_string_length(json)};
}

static enum status read_items(struct reader *r, const json_t *json, struct value *out)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(json))
        return refuse(r, "a list is expected");
    json_array_foreach(json, i, item)
    {
        struct value *v;
        enum status s = read_value(r, item, &v);
        if (s != STATUS_OK)
            return s;
        value_add(r->arena, out, v);
    }
    return STATUS_OK;
}

static enum status read_map(struct reader *r, const json_t *json, struct value **out)
{
    size_t i;
    const json_t *pair;
    *out = value_map(r->arena);
    if (!json_is_array(json))
        return refuse(r, "a map is a list of pairs");
    json_array_foreach(json, i, pair)
    {
        struct value *key;
        struct value *v;
        if (json_array_size(pair) != 2)
            return refuse(r, "an entry of a map is a pair");
        enum status s = read_value(r, json_array_get(pair, 0), &key);
        if (s == STATUS_OK)
            s = read_value(r, json_array_get(pair, 1), &v);
        if (s != STATUS_OK)
            return s;
        value_append_pair(r->arena, *out, key, v);
    }
    return STATUS_OK;
}

static enum status read_set(struct reader *r, const json_t *json, struct value **out)
{
    *out = value_set(r->arena);
    return read_items(r, json, *out);
}

static enum status read_number(struct reader *r, const json_t *json, struct value **out)
{
    static const struct {
        const char *text;
        double number;
    } names[] = {{"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", -(double)INFINITY}, {"-0", -0.0}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_is_string(json) && span_eq_text(json_span(json), names[i].text)) {
            *out = value_number(r->arena, names[i].number);
            return STATUS_OK;
        }
    }
    return refuse(r, "$number is NaN, Infinity, -Infinity or -0");
}

static enum status read_date(struct reader *r, const json_t *json, struct value **out)
{
    struct tm tm = {0};
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int ms = 0;
    int end = 0;
    // Digits only, in exactly this form: 24 characters, the last "Z".
    if (rest == NULL || strlen(text) != 24 || text[0] == '-' || sscanf(rest, ".%3d%nZ", &ms, &end) != 1 || ms < 0 ||
        strcmp(rest + end, "Z") != 0)
        return refuse(r, "$date is a date like 2023-11-14T22:13:20.123Z");
    *out = value_make(r->arena, VALUE_DATE);
    (*out)->number = (double)timegm(&tm) * 1000 + ms;
    return STATUS_OK;
}

static enum status read_regexp(struct reader *r, const json_t *json, struct value **out)
{
    const json_t *source = json_object_get(json, "source");
    if (!json_is_string(source))
        return refuse(r, "$regexp has a source");
    *out = value_make(r->arena, VALUE_REGEXP);
    (*out)->string = arena_copy(r->arena, json_span(source));
    return STATUS_OK;
}

static enum status read_utf16(struct reader *r, const json_t *json, struct value **out)
{
    struct buf text = {0};
    size_t count = json_array_size(json);
    for (size_t i = 0; i < count; i++) {
        double unit = json_number_value(json_array_get(json, i));
        uint32_t u = unit >= 0 && unit < 65536 ? (uint32_t)unit : 0xFFFD;
        double next = i + 1 < count ? json_number_value(json_array_get(json, i + 1)) : 0;
        if (u >= 0xD800 && u < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            u = 0x10000 + ((u - 0xD800) << 10) + ((uint32_t)next - 0xDC00);
            i++;
        }
        utf8_add(&text, u);
    }
    *out = value_string(r->arena, buf_span(&text));
    buf_free(&text);
    return STATUS_OK;
}

static enum status read_undefined(struct reader *r, const json_t *json, struct value **out)
{
    (void)json;
    *out = value_undefined(r->arena);
    return STATUS_OK;
}

// {"$bigint": …} and the like: what the member is called says what it is.
static const char *const foreign_names[] = {"$bigint", "$symbol", "$function", "$note"};

static bool read_foreign(struct reader *r, const char *name, struct value **out)
{
    for (size_t i = 0; i < sizeof foreign_names / sizeof *foreign_names; i++) {
        if (strcmp(name, foreign_names[i]) == 0) {
            *out = value_make(r->arena, VALUE_FOREIGN);
            (*out)->string = span_of(foreign_names[i] + 1);
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    enum status (*read)(struct reader *r, const json_t *json, struct value **out);
} forms[] = {
    {"$map", read_map},       {"@map", read_map},       {"$set", read_set},     {"@set", read_set},
    {"$number", read_number}, {"$regexp", read_regexp}, {"$utf16", read_utf16}, {"$undefined", read_undefined},
    {"$date", read_date},
};

// Reads an object with one member that stands for something else; *done says whether it was one.
static enum status read_form(struct reader *r, const json_t *json, bool *done, struct value **out)
{
    void *it = json_object_iter((json_t *)(uintptr_t)json);
    const char *name = json_object_iter_key(it);
    *done = true;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(name, forms[i].name) == 0)
            return forms[i].read(r, json_object_iter_value(it), out);
    }
    *done = read_foreign(r, name, out);
    return STATUS_OK;
}

static enum status read_object(struct reader *r, const json_t *json, struct value **out)
{
    const char *name;
    json_t *member;
    const json_t *type = json_object_get(json, "$type$");
    bool done = false;
    if (json_object_size(json) == 1) {
        enum status s = read_form(r, json, &done, out);
        if (done)
            return s;
    }
    *out = value_object(r->arena, json_is_string(type) ? arena_copy(r->arena, json_span(type)) : (struct span){0});
    json_object_foreach((json_t *)(uintptr_t)json, name, member)
    {
        struct value *v;
        if (member == type && json_is_string(type))
            continue;
        enum status s = read_value(r, member, &v);
        if (s != STATUS_OK)
            return s;
        value_append_member(r->arena, *out, arena_copy(r->arena, span_of(name)), v);
    }
    return STATUS_OK;
}

static enum status read_container(struct reader *r, const json_t *json, struct value **out)
{
    enum status s;
    if (r->depth >= DEPTH_MAX)
        return error_set(r->e, STATUS_TOO_BIG, "JSON-TOO-DEEP", "the JSON form of a value is nested too deeply");
    r->depth++;
    if (json_is_array(json)) {
        *out = value_list(r->arena);
        s = read_items(r, json, *out);
    } else {
        s = read_object(r, json, out);
    }
    r->depth--;
    return s;
}

// Numbers are doubles: of the integers above 2^53 they hold some. Another one would be stored as its neighbour.
static enum status read_integer(struct reader *r, json_int_t n, struct value **out)
{
    double number = (double)n;
    if (!(fabs(number) < 9.2e18) || (json_int_t)number != n)
        return error_set(r->e, STATUS_INVALID, "BAD-INPUT",
                         "the integer %lld cannot be kept exactly: beyond 2^53 not every one can", (long long)n);
    *out = value_number(r->arena, number);
    return STATUS_OK;
}

static enum status read_value(struct reader *r, const json_t *json, struct value **out)
{
    switch (json_typeof(json)) {
    case JSON_STRING:
        *out = value_string(r->arena, json_span(json));
        return STATUS_OK;
    case JSON_INTEGER:
        return read_integer(r, json_integer_value(json), out);
    case JSON_REAL:
        *out = value_number(r->arena, json_real_value(json));
        return STATUS_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = value_bool(r->arena, json_is_true(json));
        return STATUS_OK;
    case JSON_NULL:
        *out = value_null(r->arena);
        return STATUS_OK;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return read_container(r, json, out);
    }
    return refuse(r, "it is no JSON");
}

enum status jsonform_read(struct arena *a, const json_t *json, struct value **out, struct error *e)
{
    struct reader r = {a, e, 0};
    return json != NULL ? read_value(&r, json, out) : refuse(&r, "there is no document");
}

static json_t *wrap(const char *name, json_t *content)
{
    return json_pack("{s:o}", name, content);
}

static json_t *write_number(double n)
{
    if (isnan(n))
        return wrap("$number", json_string("NaN"));
    if (isinf(n))
        return wrap("$number", json_string(n > 0 ? "Infinity" : "-Infinity"));
    if (n == 0 && signbit(n))
        return wrap("$number", json_string("-0"));
    if (n == floor(n) && fabs(n) <= 9007199254740992.0)
        return json_integer((json_int_t)n);
    return json_real(n);
}

// A string with unpaired surrogates as its UTF-16 code units; text is WTF-8.
static json_t *write_utf16(struct span text)
{
    json_t *units = json_array();
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t i = 0;
    while (i < text.len) {
        size_t n = p[i] < 0x80 ? 1 : p[i] < 0xE0 ? 2 : p[i] < 0xF0 ? 3 : 4;
        uint32_t c = n == 1 ? p[i] : p[i] & (0xFFu >> (n + 1));
        for (size_t k = 1; k < n && i + k < text.len; k++)
            c = c << 6 | (p[i + k] & 63u);
        if (c >= 0x10000) {
            json_array_append_new(units, json_integer(0xD800 + ((c - 0x10000) >> 10)));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        json_array_append_new(units, json_integer(c));
        i += n;
    }
    return wrap("$utf16", units);
}

static json_t *write_string(struct span text)
{
    if (text.len == 0)
        return json_string("");
    json_t *json = json_stringn(text.ptr, text.len);
    return json != NULL ? json : write_utf16(text);
}

static json_t *write_items(const struct value *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->list.count; i++)
        json_array_append_new(list, jsonform_write(v->list.items[i]));
    return list;
}

static json_t *write_map(const struct value *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->map.count; i++)
        json_array_append_new(
            list, json_pack("[o,o]", jsonform_write(v->map.pairs[i].key), jsonform_write(v->map.pairs[i].value)));
    return wrap("$map", list);
}

static json_t *write_object(const struct value *v)
{
    json_t *object = json_object();
    if (v->object.type.len != 0)
        json_object_set_new(object, "$type$", write_string(v->object.type));
    for (size_t i = 0; i < v->object.count; i++) {
        char *name = mem_text(v->object.members[i].name);
        json_object_set_new(object, name, jsonform_write(v->object.members[i].value));
        free(name);
    }
    return object;
}

static json_t *write_date(const struct value *v)
{
    struct buf text = {0};
    stringify_write(v, &text, NULL, NULL);
    json_t *date = wrap("$date", json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL));
    buf_free(&text);
    return date;
}

json_t *jsonform_write(const struct value *v)
{
    switch (v->kind) {
    case VALUE_UNDEFINED:
        return wrap("$undefined", json_true());
    case VALUE_NULL:
        return json_null();
    case VALUE_BOOL:
        return json_boolean(v->boolean);
    case VALUE_NUMBER:
        return write_number(v->number);
    case VALUE_STRING:
        return write_string(v->string);
    case VALUE_LIST:
        return write_items(v);
    case VALUE_SET:
        return wrap("$set", write_items(v));
    case VALUE_MAP:
        return write_map(v);
    case VALUE_OBJECT:
        return write_object(v);
    case VALUE_DATE:
        return write_date(v);
    case VALUE_REGEXP:
        return wrap("$regexp", json_pack("{s:o,s:s}", "source", write_string(v->string), "flags", ""));
    case VALUE_FOREIGN:
        return wrap("$note", write_string(v->string));
    }
    return json_null();
}
