// Items of bags and sets are written as they come and put in order afterwards, in place; most are in order already.
// Unpaired surrogates cannot be written as UTF-8 and become U+FFFD.
#include "data/microdata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/microdata_tags.h"
#include "data/number.h"
#include "data/stringify.h"

struct writer {
    struct buf *out;
    struct error *e;
};

static enum status write_content(struct writer *w, const struct value_type *type, const struct value *v);

static enum status wrong_type(struct writer *w, const char *expected)
{
    return error_set(w->e, STATUS_INVALID, "O2M-RTYC1", "a value is not of the type %s", expected);
}

// What needs a closer look while text is copied: & < > and the first byte of what may be an unpaired surrogate.
static const bool special[256] = {['&'] = true, ['<'] = true, ['>'] = true, [0xED] = true};

// Appends the replacement of what stands at s and returns how many bytes it replaces.
static size_t write_special(struct buf *out, struct span s)
{
    switch ((unsigned char)s.ptr[0]) {
    case '&':
        buf_add_text(out, "&amp;");
        return 1;
    case '<':
        buf_add_text(out, "&lt;");
        return 1;
    case '>':
        buf_add_text(out, "&gt;");
        return 1;
    default:
        if (s.len >= 3 && (unsigned char)s.ptr[1] >= 0xA0) {
            buf_add_text(out, "\xEF\xBF\xBD"); // unpaired surrogates cannot be written as UTF-8
            return 3;
        }
        buf_add_char(out, s.ptr[0]);
        return 1;
    }
}

static void write_escaped(struct buf *out, struct span s)
{
    size_t done = 0;
    size_t i = 0;
    while (i < s.len) {
        if (!special[(unsigned char)s.ptr[i]]) {
            i++;
            continue;
        }
        buf_add(out, s.ptr + done, i - done);
        i += write_special(out, span_from(s, i));
        done = i;
    }
    buf_add(out, s.ptr + done, s.len - done);
}

static enum status write_string(struct writer *w, const struct value_type *type, const struct value *v)
{
    if (v->kind != VALUE_STRING)
        return wrong_type(w, "string");
    if (type->regexp != NULL && !regexp_matches(type->regexp, v->string))
        return error_set(w->e, STATUS_INVALID, "O2M-RTYC3", "a text does not match the expression of its property");
    write_escaped(w->out, v->string);
    return STATUS_OK;
}

static enum status write_number(struct writer *w, const struct value_type *type, const struct value *v)
{
    char text[NUMBER_TEXT];
    bool integer = type->kind == TYPE_INTEGER;
    if (v->kind != VALUE_NUMBER || (integer && (!isfinite(v->number) || v->number != floor(v->number))))
        return wrong_type(w, integer ? "integer" : "number");
    buf_add(w->out, text, number_write(v->number, text));
    return STATUS_OK;
}

static enum status write_boolean(struct writer *w, const struct value *v)
{
    if (v->kind != VALUE_BOOL)
        return wrong_type(w, "boolean");
    buf_add_text(w->out, v->boolean ? "true" : "false");
    return STATUS_OK;
}

static enum status write_stringifiable(struct writer *w, const struct value *v)
{
    struct buf text = {0};
    bool undefined = false;
    enum status s = stringify_write(v, &text, &undefined, w->e);
    if (s == STATUS_OK && undefined)
        s = wrong_type(w, "stringifiable");
    if (s == STATUS_OK)
        write_escaped(w->out, buf_span(&text));
    buf_free(&text);
    return s;
}

static enum status write_reference(struct writer *w, const struct value *v)
{
    struct hash hash;
    if (!value_as_hash(v, &hash))
        return error_set(w->e, STATUS_INVALID, "O2M-RTYC4", "a reference is not a hash of 64 hex digits");
    buf_add_span(w->out, v->string);
    return STATUS_OK;
}

static enum status write_inside(struct writer *w, const struct value_type *type, const struct value *v)
{
    const struct microdata_tag *tag = &microdata_tags[type->kind];
    buf_add_span(w->out, tag->inside);
    enum status s = write_content(w, type, v);
    buf_add_span(w->out, tag->inside_close);
    return s;
}

static enum status write_map(struct writer *w, const struct value_type *type, const struct value *v)
{
    enum status s = STATUS_OK;
    if (v->kind != VALUE_MAP)
        return wrong_type(w, "map");
    for (size_t i = 0; i < v->map.count && s == STATUS_OK; i++) {
        buf_add_span(w->out, MICRODATA_KEY);
        s = write_inside(w, type->key, v->map.pairs[i].key);
        buf_add_span(w->out, MICRODATA_KEY_END);
        buf_add_span(w->out, MICRODATA_ENTRY);
        if (s == STATUS_OK)
            s = write_inside(w, type->item, v->map.pairs[i].value);
        buf_add_span(w->out, MICRODATA_ENTRY_END);
    }
    return s;
}

static int compare_items(const void *a, const void *b)
{
    return utf16_compare(*(const struct span *)a, *(const struct span *)b);
}

// Puts the written items, which begin at start and end at ends[0 … count-1], in UTF-16 order; drop leaves out repeated
// ones.
static void sort_items(struct buf *out, size_t start, const size_t *ends, size_t count, bool drop)
{
    struct span *items = mem_array(count, sizeof *items);
    struct buf sorted = {0};
    bool ascending = true;
    for (size_t i = 0; i < count; i++) {
        size_t from = i == 0 ? start : ends[i - 1];
        items[i] = (struct span){out->data + from, ends[i] - from};
        ascending = ascending && (i == 0 || compare_items(&items[i - 1], &items[i]) < 0);
    }
    if (!ascending) {
        qsort(items, count, sizeof *items, compare_items);
        for (size_t i = 0; i < count; i++) {
            if (!drop || i == 0 || !span_eq(items[i - 1], items[i]))
                buf_add_span(&sorted, items[i]);
        }
        memcpy(out->data + start, sorted.data, sorted.len);
        out->len = start + sorted.len;
    }
    buf_free(&sorted);
    free(items);
}

static enum status write_items(struct writer *w, const struct value_type *type, const struct value *v, size_t *ends)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < v->list.count && s == STATUS_OK; i++) {
        buf_add_span(w->out, MICRODATA_ITEM);
        s = write_inside(w, type->item, v->list.items[i]);
        buf_add_span(w->out, MICRODATA_ITEM_END);
        if (ends != NULL)
            ends[i] = w->out->len;
    }
    return s;
}

static enum status write_list(struct writer *w, const struct value_type *type, const struct value *v)
{
    if (v->kind != (type->kind == TYPE_SET ? VALUE_SET : VALUE_LIST))
        return wrong_type(w, type->kind == TYPE_SET ? "set" : "list");
    if (type->kind == TYPE_ARRAY || v->list.count < 2)
        return write_items(w, type, v, NULL);
    size_t start = w->out->len;
    size_t *ends = mem_array(v->list.count, sizeof *ends);
    enum status s = write_items(w, type, v, ends);
    // Only items that a set compares by value can be the same item twice (DATA-MODEL.md 3.8).
    if (s == STATUS_OK)
        sort_items(w->out, start, ends, v->list.count, type->kind == TYPE_SET && type->item->kind < TYPE_MAP);
    free(ends);
    return s;
}

static bool is_missing(const struct value *v, bool nested)
{
    return v == NULL || v->kind == VALUE_UNDEFINED || (v->kind == VALUE_NULL && !nested);
}

static enum status write_property(struct writer *w, const struct rule *rule, const struct value *v, bool nested)
{
    bool list = rule->type.kind == TYPE_ARRAY || rule->type.kind == TYPE_BAG;
    if (is_missing(v, nested)) {
        if (rule->optional)
            return STATUS_OK;
        return error_set(w->e, STATUS_INVALID, "O2M-RTYC2", "the mandatory property " SPAN_FMT " is missing",
                         SPAN_ARG(rule->itemprop));
    }
    if (list && !nested && v->kind != VALUE_LIST)
        return error_set(w->e, STATUS_INVALID, "O2M-CVAL4", "the property " SPAN_FMT " is not a list",
                         SPAN_ARG(rule->itemprop));
    buf_add_span(w->out, rule->open_tag);
    enum status s = write_content(w, &rule->type, v);
    buf_add_span(w->out, microdata_tags[rule->type.kind].close);
    if (s != STATUS_OK)
        error_prefix(w->e, SPAN_FMT, SPAN_ARG(rule->itemprop));
    return s;
}

// Members usually stand in the order of the rules: *cursor is where the next one is expected.
static const struct value *next_member(const struct value *object, struct span name, size_t *cursor)
{
    if (*cursor < object->object.count && span_eq(object->object.members[*cursor].name, name))
        return object->object.members[(*cursor)++].value;
    return value_get(object, name);
}

static enum status write_nested(struct writer *w, const struct value_type *type, const struct value *v)
{
    enum status s = STATUS_OK;
    size_t cursor = 0;
    if (v->kind != VALUE_OBJECT)
        return wrong_type(w, "object");
    for (size_t i = 0; i < type->rule_count && s == STATUS_OK; i++)
        s = write_property(w, &type->rules[i], next_member(v, type->rules[i].itemprop, &cursor), true);
    return s;
}

static enum status write_content(struct writer *w, const struct value_type *type, const struct value *v)
{
    switch (type->kind) {
    case TYPE_STRING:
        return write_string(w, type, v);
    case TYPE_INTEGER:
    case TYPE_NUMBER:
        return write_number(w, type, v);
    case TYPE_BOOLEAN:
        return write_boolean(w, v);
    case TYPE_STRINGIFIABLE:
        return write_stringifiable(w, v);
    case TYPE_REF_OBJ:
    case TYPE_REF_ID:
    case TYPE_REF_CLOB:
    case TYPE_REF_BLOB:
        return write_reference(w, v);
    case TYPE_MAP:
        return write_map(w, type, v);
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        return write_list(w, type, v);
    case TYPE_OBJECT:
        return write_nested(w, type, v);
    }
    return STATUS_INTERNAL;
}

enum status microdata_write_value(const struct value_type *type, const struct value *v, struct buf *out,
                                  struct error *e)
{
    return write_inside(&(struct writer){out, e}, type, v);
}

static enum status refuse_unknown_members(struct writer *w, const struct recipe *recipe, const struct value *object)
{
    for (size_t i = 0; i < object->object.count; i++) {
        struct span name = object->object.members[i].name;
        bool known = span_eq_text(name, "$versionHash$");
        for (size_t k = 0; k < recipe->rule_count && !known; k++)
            known = span_eq(recipe->rules[k].itemprop, name);
        if (!known)
            return error_set(w->e, STATUS_INVALID, "O2M-COBJ2", "the type has no property " SPAN_FMT, SPAN_ARG(name));
    }
    return STATUS_OK;
}

static enum status write_object(struct writer *w, const struct recipe *recipe, const struct value *object,
                                enum microdata_form form)
{
    bool id = form == MICRODATA_ID_OBJECT;
    enum status s = STATUS_OK;
    size_t cursor = 0;
    if (id && !recipe->versioned)
        return error_set(w->e, STATUS_INVALID, "O2M-COBJ1", "the type " SPAN_FMT " has no id properties",
                         SPAN_ARG(recipe->name));
    buf_add_span(w->out, id ? recipe->id_envelope : recipe->envelope);
    for (size_t i = 0; i < recipe->rule_count && s == STATUS_OK; i++) {
        const struct rule *rule = &recipe->rules[i];
        if (!id || rule->is_id)
            s = write_property(w, rule, next_member(object, rule->itemprop, &cursor), false);
    }
    if (s == STATUS_OK && !id)
        s = refuse_unknown_members(w, recipe, object);
    buf_add_span(w->out, MICRODATA_END);
    return s;
}

enum status microdata_write(const struct recipes *r, const struct value *object, enum microdata_form form,
                            struct buf *out, struct error *e)
{
    struct writer w = {out, e};
    const struct recipe *recipe = NULL;
    size_t start = out->len;
    if (object == NULL || object->kind != VALUE_OBJECT)
        return error_set(e, STATUS_INVALID, "O2M-CONV", "the value is not an object");
    enum status s = recipes_get(r, object->object.type, &recipe, e);
    if (s == STATUS_OK)
        s = write_object(&w, recipe, object, form);
    if (s == STATUS_OK && out->len - start > MICRODATA_MAX_SIZE)
        s = error_set(e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the object is bigger than %d bytes", MICRODATA_MAX_SIZE);
    if (s == STATUS_OK && !utf8_valid((struct span){out->data + start, out->len - start}))
        s = error_set(e, STATUS_INVALID, "BAD-TEXT", "a text of the object is not UTF-8");
    if (s != STATUS_OK)
        out->len = start;
    return s;
}
