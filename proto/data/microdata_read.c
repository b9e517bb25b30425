// Text without entities is borrowed from what is read; only other text is copied. What could be written in two ways is
// refused in all but one (NOT-CANONICAL).
#include "data/microdata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/microdata_parts.h"
#include "data/microdata_tags.h"
#include "data/number.h"
#include "data/stringify.h"

#define ENVELOPE SPAN("<div itemscope itemtype=\"//refin.io/")
#define ID_ENVELOPE SPAN("<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/")
#define ENVELOPE_END SPAN("\">")

struct reader {
    struct span rest; // what has not been read yet
    struct arena *arena;
    struct error *e;
};

static enum status read_content(struct reader *r, const struct value_type *type, struct value **out);

static enum status refuse(struct reader *r, const char *code, const char *what)
{
    return error_set(r->e, STATUS_INVALID, code, "the microdata is malformed: %s", what);
}

// Takes text away from the front; false leaves everything as it was.
static bool take(struct reader *r, struct span text)
{
    if (!span_starts_with(r->rest, text))
        return false;
    r->rest = span_from(r->rest, text.len);
    return true;
}

static enum status expect(struct reader *r, struct span tag)
{
    if (take(r, tag))
        return STATUS_OK;
    return refuse(r, r->rest.len < tag.len ? "US-SSFMC1" : "M2IH-FET1", "a closing tag is missing");
}

// Takes everything up to the next tag.
static enum status take_text(struct reader *r, struct span *text)
{
    const char *end = r->rest.len != 0 ? memchr(r->rest.ptr, '<', r->rest.len) : NULL;
    if (end == NULL)
        return refuse(r, "US-SSFMC1", "it ends inside a value");
    *text = (struct span){r->rest.ptr, (size_t)(end - r->rest.ptr)};
    r->rest = span_from(r->rest, text->len);
    return STATUS_OK;
}

// Reads the entity at the front of s; 0 if there is none.
static size_t entity(struct span s, char *out)
{
    static const struct {
        const char *text;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}};
    for (size_t i = 0; i < 3; i++) {
        if (span_starts_with(s, span_of(entities[i].text))) {
            *out = entities[i].c;
            return strlen(entities[i].text);
        }
    }
    return 0;
}

// Undoes escaping. Text without entities is borrowed, other text goes to the arena.
static enum status unescape(struct reader *r, struct span text, struct span *out)
{
    *out = text;
    if (text.len == 0)
        return STATUS_OK;
    if (memchr(text.ptr, '>', text.len) != NULL)
        return refuse(r, "NOT-CANONICAL", "a > is not escaped");
    const char *next = memchr(text.ptr, '&', text.len);
    if (next == NULL)
        return STATUS_OK;
    char *copy = arena_alloc(r->arena, text.len);
    char *end = copy;
    const char *done = text.ptr;
    while (next != NULL) {
        memcpy(end, done, (size_t)(next - done));
        end += next - done;
        size_t n = entity(span_from(text, (size_t)(next - text.ptr)), end++);
        if (n == 0)
            return refuse(r, "NOT-CANONICAL", "an & is not escaped");
        done = next + n;
        next = memchr(done, '&', text.len - (size_t)(done - text.ptr));
    }
    memcpy(end, done, text.len - (size_t)(done - text.ptr));
    end += text.len - (size_t)(done - text.ptr);
    *out = (struct span){copy, (size_t)(end - copy)};
    return STATUS_OK;
}

static enum status take_unescaped(struct reader *r, struct span *out)
{
    struct span text = {0};
    enum status s = take_text(r, &text);
    return s == STATUS_OK ? unescape(r, text, out) : s;
}

static enum status read_string(struct reader *r, const struct value_type *type, struct value **out)
{
    struct span text;
    enum status s = take_unescaped(r, &text);
    if (s != STATUS_OK)
        return s;
    if (type->regexp != NULL && !regexp_matches(type->regexp, text))
        return refuse(r, "M2O-PV3", "a text does not match the expression of its property");
    *out = value_make(r->arena, VALUE_STRING);
    (*out)->string = text;
    return STATUS_OK;
}

static enum status read_number(struct reader *r, const struct value_type *type, struct value **out)
{
    struct span text;
    double n;
    enum status s = take_text(r, &text);
    if (s != STATUS_OK)
        return s;
    if (!number_read(text, &n))
        return refuse(r, "NOT-CANONICAL", "a number is not in its canonical form");
    if (type->kind == TYPE_INTEGER && (!isfinite(n) || n != floor(n)))
        return refuse(r, "NOT-CANONICAL", "an integer has a fraction");
    *out = value_number(r->arena, n);
    return STATUS_OK;
}

static enum status read_boolean(struct reader *r, struct value **out)
{
    struct span text;
    enum status s = take_text(r, &text);
    if (s != STATUS_OK)
        return s;
    bool yes = span_eq_text(text, "true");
    if (!yes && !span_eq_text(text, "false"))
        return refuse(r, "NOT-CANONICAL", "a boolean is neither true nor false");
    *out = value_bool(r->arena, yes);
    return STATUS_OK;
}

static enum status read_stringifiable(struct reader *r, struct value **out)
{
    struct span text;
    struct buf again = {0};
    enum status s = take_unescaped(r, &text);
    if (s == STATUS_OK)
        s = stringify_read(r->arena, text, out, r->e);
    if (s == STATUS_OK)
        s = stringify_write(*out, &again, NULL, r->e);
    if (s == STATUS_OK && !span_eq(text, buf_span(&again)))
        s = refuse(r, "NOT-CANONICAL", "a stringifiable value is not in its canonical form");
    buf_free(&again);
    return s;
}

static enum status read_reference(struct reader *r, struct value **out)
{
    struct hash hash;
    struct span text;
    enum status s = take_text(r, &text);
    if (s != STATUS_OK)
        return s;
    if (!hash_parse(text, &hash))
        return refuse(r, "M2O-PV1", "a reference is not a hash of 64 hex digits");
    *out = value_make(r->arena, VALUE_STRING);
    (*out)->string = text;
    return STATUS_OK;
}

// A value inside li, dt or dd, up to and including the closing tag of that element.
static enum status read_inside(struct reader *r, const struct value_type *type, struct span end, struct value **out)
{
    const struct microdata_tag *tag = &microdata_tags[type->kind];
    enum status s = expect(r, tag->inside);
    if (s == STATUS_OK)
        s = read_content(r, type, out);
    if (s == STATUS_OK)
        s = expect(r, tag->inside_close);
    return s == STATUS_OK ? expect(r, end) : s;
}

static int compare_texts(const void *a, const void *b)
{
    return utf16_compare(*(const struct span *)a, *(const struct span *)b);
}

// The texts of items or keys, collected to find out whether one occurs twice.
struct texts {
    struct span *items;
    size_t count;
    size_t cap;
    bool ascending;
};

static void texts_add(struct texts *t, struct span text)
{
    if (t->count == t->cap) {
        t->cap = t->cap != 0 ? t->cap * 2 : 16;
        t->items = mem_resize(t->items, t->cap * sizeof *t->items);
    }
    t->ascending = t->count == 0 || (t->ascending && compare_texts(&t->items[t->count - 1], &text) < 0);
    t->items[t->count++] = text;
}

static bool texts_repeat(struct texts *t)
{
    if (t->count < 2 || t->ascending)
        return false;
    qsort(t->items, t->count, sizeof *t->items, compare_texts);
    for (size_t i = 1; i < t->count; i++) {
        if (span_eq(t->items[i - 1], t->items[i]))
            return true;
    }
    return false;
}

static enum status read_map(struct reader *r, const struct value_type *type, struct value **out)
{
    enum status s = STATUS_OK;
    struct texts keys = {0};
    *out = value_map(r->arena);
    while (s == STATUS_OK && take(r, MICRODATA_KEY)) {
        struct value *key = NULL;
        struct value *v = NULL;
        const char *start = r->rest.ptr;
        s = read_inside(r, type->key, MICRODATA_KEY_END, &key);
        if (s == STATUS_OK) {
            texts_add(&keys, (struct span){start, (size_t)(r->rest.ptr - start)});
            s = expect(r, MICRODATA_ENTRY);
        }
        if (s == STATUS_OK)
            s = read_inside(r, type->item, MICRODATA_ENTRY_END, &v);
        if (s == STATUS_OK)
            value_append_pair(r->arena, *out, key, v);
    }
    if (s == STATUS_OK && texts_repeat(&keys))
        s = refuse(r, "NOT-CANONICAL", "a map has a key twice");
    free(keys.items);
    return s;
}

static size_t first_equal(const struct texts *sorted, const struct span *text)
{
    size_t low = 0;
    size_t high = sorted->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_texts(&sorted->items[middle], text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Leaves only the first of equal items. Rare, so it may cost a second look at every item.
static void drop_repeated(struct arena *a, struct value *set, struct texts *sorted, const struct span *original)
{
    bool *seen = mem_array(sorted->count, sizeof *seen);
    struct value **items = set->list.items;
    size_t count = set->list.count;
    set->list.items = NULL;
    set->list.count = 0;
    for (size_t i = 0; i < count; i++) {
        bool *mark = &seen[first_equal(sorted, &original[i])];
        if (!*mark)
            value_add(a, set, items[i]);
        *mark = true;
    }
    free(seen);
}

static void collapse_set(struct reader *r, struct value *set, struct texts *texts)
{
    struct span *original = mem_array(texts->count, sizeof *original);
    if (texts->count != 0)
        memcpy(original, texts->items, texts->count * sizeof *original);
    if (texts_repeat(texts))
        drop_repeated(r->arena, set, texts, original);
    free(original);
}

static enum status read_list(struct reader *r, const struct value_type *type, struct value **out)
{
    // Only items that a set compares by value can be the same item twice (DATA-MODEL.md 3.8).
    bool collapse = type->kind == TYPE_SET && type->item->kind < TYPE_MAP;
    enum status s = STATUS_OK;
    struct texts texts = {0};
    *out = value_make(r->arena, type->kind == TYPE_SET ? VALUE_SET : VALUE_LIST);
    while (s == STATUS_OK && take(r, MICRODATA_ITEM)) {
        struct value *item = NULL;
        const char *start = r->rest.ptr;
        s = read_inside(r, type->item, MICRODATA_ITEM_END, &item);
        if (s == STATUS_OK)
            value_add(r->arena, *out, item);
        if (s == STATUS_OK && collapse)
            texts_add(&texts, (struct span){start, (size_t)(r->rest.ptr - start)});
    }
    if (s == STATUS_OK && !texts.ascending && texts.count > 1)
        collapse_set(r, *out, &texts);
    free(texts.items);
    return s;
}

// Reads a property if it is there.
static enum status read_property(struct reader *r, const struct rule *rule, const char *missing, struct value *object)
{
    struct value *v = NULL;
    if (!take(r, rule->open_tag)) {
        if (rule->optional)
            return STATUS_OK;
        return error_set(r->e, STATUS_INVALID, missing, "the mandatory property " SPAN_FMT " is missing",
                         SPAN_ARG(rule->itemprop));
    }
    enum status s = read_content(r, &rule->type, &v);
    if (s == STATUS_OK)
        s = expect(r, microdata_tags[rule->type.kind].close);
    if (s == STATUS_OK)
        value_append_member(r->arena, object, rule->itemprop, v);
    return s;
}

static enum status read_nested(struct reader *r, const struct value_type *type, struct value **out)
{
    enum status s = STATUS_OK;
    *out = value_object(r->arena, (struct span){0});
    for (size_t i = 0; i < type->rule_count && s == STATUS_OK; i++)
        s = read_property(r, &type->rules[i], "M2O-EOTFM1", *out);
    return s;
}

static enum status read_content(struct reader *r, const struct value_type *type, struct value **out)
{
    switch (type->kind) {
    case TYPE_STRING:
        return read_string(r, type, out);
    case TYPE_INTEGER:
    case TYPE_NUMBER:
        return read_number(r, type, out);
    case TYPE_BOOLEAN:
        return read_boolean(r, out);
    case TYPE_STRINGIFIABLE:
        return read_stringifiable(r, out);
    case TYPE_REF_OBJ:
    case TYPE_REF_ID:
    case TYPE_REF_CLOB:
    case TYPE_REF_BLOB:
        return read_reference(r, out);
    case TYPE_MAP:
        return read_map(r, type, out);
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        return read_list(r, type, out);
    case TYPE_OBJECT:
        return read_nested(r, type, out);
    }
    return STATUS_INTERNAL;
}

static bool take_envelope(struct span *rest, enum microdata_form form)
{
    struct span envelope = form == MICRODATA_OBJECT ? ENVELOPE : ID_ENVELOPE;
    if (!span_starts_with(*rest, envelope))
        return false;
    *rest = span_from(*rest, envelope.len);
    return true;
}

static bool take_type(struct span *rest, struct span *type)
{
    const char *end = rest->len != 0 ? memmem(rest->ptr, rest->len, ENVELOPE_END.ptr, ENVELOPE_END.len) : NULL;
    if (end == NULL)
        return false;
    *type = (struct span){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = span_from(*rest, type->len + ENVELOPE_END.len);
    return true;
}

static enum status read_header(struct reader *r, const struct recipes *recipes, enum microdata_form form,
                               struct span expected_type, const struct recipe **recipe)
{
    struct span type;
    if (!take_envelope(&r->rest, form))
        return refuse(r, "M2O-PH1", "it does not begin like an object of the expected form");
    if (!take_type(&r->rest, &type))
        return refuse(r, "US-SSFMC1", "the type does not end");
    if (expected_type.len != 0 && !span_eq(type, expected_type))
        return error_set(r->e, STATUS_INVALID, "M2O-PHM1", "the object is not of the type " SPAN_FMT,
                         SPAN_ARG(expected_type));
    *recipe = recipes_find(recipes, type);
    if (*recipe == NULL)
        return error_set(r->e, STATUS_NOT_FOUND, "OR-ET1", "the type %.*s is not known here or not usable",
                         (int)(type.len < 100 ? type.len : 100), type.ptr);
    return STATUS_OK;
}

static enum status read_properties(struct reader *r, const struct recipe *recipe, bool id, struct value *object,
                                   struct microdata_parts *parts)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < recipe->rule_count && s == STATUS_OK; i++) {
        const struct rule *rule = &recipe->rules[i];
        const char *start = r->rest.ptr;
        if (id && !rule->is_id)
            continue;
        s = read_property(r, rule, "M2O-PD1", object);
        if (rule->is_id && parts != NULL)
            buf_add(&parts->id_properties, start, (size_t)(r->rest.ptr - start));
    }
    if (s == STATUS_OK && !take(r, MICRODATA_END))
        s = refuse(r, "M2O-POM1", "something else than its end follows the last property");
    if (s == STATUS_OK && r->rest.len != 0)
        s = refuse(r, "M2O-PCONV2", "something follows its end");
    return s;
}

enum status microdata_read_parts(const struct recipes *recipes, struct arena *a, struct span text,
                                 enum microdata_form form, struct span expected_type, struct value **object,
                                 struct microdata_parts *parts, struct error *e)
{
    struct reader r = {text, a, e};
    const struct recipe *recipe = NULL;
    if (text.len > MICRODATA_MAX_SIZE)
        return error_set(e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the object is bigger than %d bytes", MICRODATA_MAX_SIZE);
    if (!utf8_valid(text))
        return refuse(&r, "BAD-TEXT", "it is not UTF-8");
    enum status s = read_header(&r, recipes, form, expected_type, &recipe);
    if (recipe == NULL)
        return s;
    struct value *v = value_object(a, recipe->name);
    s = read_properties(&r, recipe, form == MICRODATA_ID_OBJECT, v, parts);
    if (s != STATUS_OK)
        return s;
    *object = v;
    if (parts != NULL)
        parts->recipe = recipe;
    return STATUS_OK;
}

enum status microdata_read(const struct recipes *r, struct arena *a, struct span text, enum microdata_form form,
                           struct span expected_type, struct value **object, struct error *e)
{
    return microdata_read_parts(r, a, text, form, expected_type, object, NULL, e);
}

bool microdata_sniff(struct span bytes, struct span *type, enum microdata_form *form)
{
    enum microdata_form found = MICRODATA_OBJECT;
    if (!take_envelope(&bytes, MICRODATA_OBJECT)) {
        found = MICRODATA_ID_OBJECT;
        if (!take_envelope(&bytes, MICRODATA_ID_OBJECT))
            return false;
    }
    if (!take_type(&bytes, type) || type->len == 0)
        return false;
    *form = found;
    return true;
}
