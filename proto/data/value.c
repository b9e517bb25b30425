// Appending in an arena leaves the smaller array behind: capacities double, so that is at most as much as is in use.
#include "data/value.h"

#include <math.h>
#include <string.h>

// An array for n entries has room for the next power of two, at least 4: capacity follows from the count, so values
// need no field for it.
enum { LEAST_CAPACITY = 4 };

static bool is_full(size_t count)
{
    return count == 0 || (count >= LEAST_CAPACITY && (count & (count - 1)) == 0);
}

static size_t capacity(size_t count)
{
    size_t n = LEAST_CAPACITY;
    while (n < count)
        n *= 2;
    return n;
}

// Returns the array to append to: the old one, or a copy with more room.
static void *grown(struct arena *a, void *items, size_t count, size_t size)
{
    if (!is_full(count))
        return items;
    void *bigger = arena_alloc(a, capacity(count + 1) * size);
    if (count != 0)
        memcpy(bigger, items, count * size);
    return bigger;
}

struct value *value_make(struct arena *a, enum value_kind kind)
{
    struct value *v = arena_alloc(a, sizeof *v);
    v->kind = kind;
    return v;
}

struct value *value_undefined(struct arena *a)
{
    return value_make(a, VALUE_UNDEFINED);
}

struct value *value_null(struct arena *a)
{
    return value_make(a, VALUE_NULL);
}

struct value *value_bool(struct arena *a, bool b)
{
    struct value *v = value_make(a, VALUE_BOOL);
    v->boolean = b;
    return v;
}

struct value *value_number(struct arena *a, double n)
{
    struct value *v = value_make(a, VALUE_NUMBER);
    v->number = n;
    return v;
}

struct value *value_string(struct arena *a, struct span s)
{
    struct value *v = value_make(a, VALUE_STRING);
    v->string = arena_copy(a, s);
    return v;
}

struct value *value_text(struct arena *a, const char *s)
{
    return value_string(a, span_of(s));
}

struct value *value_hash(struct arena *a, const struct hash *h)
{
    return value_text(a, hash_text(h).s);
}

struct value *value_list(struct arena *a)
{
    return value_make(a, VALUE_LIST);
}

struct value *value_set(struct arena *a)
{
    return value_make(a, VALUE_SET);
}

struct value *value_map(struct arena *a)
{
    return value_make(a, VALUE_MAP);
}

struct value *value_object(struct arena *a, struct span type)
{
    struct value *v = value_make(a, VALUE_OBJECT);
    v->object.type = type;
    return v;
}

void value_add(struct arena *a, struct value *v, struct value *item)
{
    v->list.items = grown(a, v->list.items, v->list.count, sizeof(struct value *));
    v->list.items[v->list.count++] = item;
}

void value_append_pair(struct arena *a, struct value *map, struct value *key, struct value *v)
{
    map->map.pairs = grown(a, map->map.pairs, map->map.count, sizeof *map->map.pairs);
    map->map.pairs[map->map.count++] = (struct value_pair){key, v};
}

void value_put(struct arena *a, struct value *map, struct value *key, struct value *v)
{
    for (size_t i = 0; i < map->map.count; i++) {
        if (value_eq(map->map.pairs[i].key, key)) {
            map->map.pairs[i].value = v;
            return;
        }
    }
    value_append_pair(a, map, key, v);
}

static struct value_member *find_member(const struct value *object, struct span name)
{
    for (size_t i = 0; i < object->object.count; i++) {
        if (span_eq(object->object.members[i].name, name))
            return &object->object.members[i];
    }
    return NULL;
}

void value_append_member(struct arena *a, struct value *object, struct span name, struct value *v)
{
    object->object.members = grown(a, object->object.members, object->object.count, sizeof *object->object.members);
    object->object.members[object->object.count++] = (struct value_member){name, v};
}

void value_set_member(struct arena *a, struct value *object, struct span name, struct value *v)
{
    struct value_member *m = find_member(object, name);
    if (m != NULL)
        m->value = v;
    else
        value_append_member(a, object, name, v);
}

void value_remove_member(struct value *object, struct span name)
{
    struct value_member *m = find_member(object, name);
    if (m == NULL)
        return;
    size_t behind = object->object.count - 1 - (size_t)(m - object->object.members);
    memmove(m, m + 1, behind * sizeof *m);
    object->object.count--;
}

static void copy_content(struct arena *a, const struct value *v, struct value *copy)
{
    switch (v->kind) {
    case VALUE_STRING:
    case VALUE_REGEXP:
    case VALUE_FOREIGN:
        copy->string = arena_copy(a, v->string);
        break;
    case VALUE_LIST:
    case VALUE_SET:
        for (size_t i = 0; i < v->list.count; i++)
            value_add(a, copy, value_copy(a, v->list.items[i]));
        break;
    case VALUE_MAP:
        for (size_t i = 0; i < v->map.count; i++)
            value_append_pair(a, copy, value_copy(a, v->map.pairs[i].key), value_copy(a, v->map.pairs[i].value));
        break;
    case VALUE_OBJECT:
        copy->object.type = arena_copy(a, v->object.type);
        for (size_t i = 0; i < v->object.count; i++)
            value_append_member(a, copy, arena_copy(a, v->object.members[i].name),
                                value_copy(a, v->object.members[i].value));
        break;
    case VALUE_BOOL:
        copy->boolean = v->boolean;
        break;
    case VALUE_NUMBER:
    case VALUE_DATE:
        copy->number = v->number;
        break;
    case VALUE_UNDEFINED:
    case VALUE_NULL:
        break;
    }
}

struct value *value_copy(struct arena *a, const struct value *v)
{
    struct value *copy = value_make(a, v->kind);
    copy_content(a, v, copy);
    return copy;
}

struct value *value_get(const struct value *object, struct span name)
{
    if (object == NULL || object->kind != VALUE_OBJECT)
        return NULL;
    struct value_member *m = find_member(object, name);
    return m != NULL ? m->value : NULL;
}

bool value_get_string(const struct value *object, const char *name, struct span *out)
{
    const struct value *v = value_get(object, span_of(name));
    if (v == NULL || v->kind != VALUE_STRING)
        return false;
    *out = v->string;
    return true;
}

bool value_get_number(const struct value *object, const char *name, double *out)
{
    const struct value *v = value_get(object, span_of(name));
    if (v == NULL || v->kind != VALUE_NUMBER)
        return false;
    *out = v->number;
    return true;
}

bool value_get_hash(const struct value *object, const char *name, struct hash *out)
{
    return value_as_hash(value_get(object, span_of(name)), out);
}

struct value *value_map_get(const struct value *map, struct span key)
{
    if (map == NULL || map->kind != VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < map->map.count; i++) {
        const struct value *k = map->map.pairs[i].key;
        if (k->kind == VALUE_STRING && span_eq(k->string, key))
            return map->map.pairs[i].value;
    }
    return NULL;
}

bool value_as_hash(const struct value *v, struct hash *out)
{
    return v != NULL && v->kind == VALUE_STRING && hash_parse(v->string, out);
}

static bool lists_eq(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->list.count; i++) {
        if (!value_eq(a->list.items[i], b->list.items[i]))
            return false;
    }
    return true;
}

static size_t count_equal(const struct value *set, const struct value *item)
{
    size_t n = 0;
    for (size_t i = 0; i < set->list.count; i++)
        n += value_eq(set->list.items[i], item);
    return n;
}

// Usually both are in the same order; otherwise every item must occur equally often on both sides.
static bool sets_eq(const struct value *a, const struct value *b)
{
    if (lists_eq(a, b))
        return true;
    for (size_t i = 0; i < a->list.count; i++) {
        if (count_equal(a, a->list.items[i]) != count_equal(b, a->list.items[i]))
            return false;
    }
    return true;
}

static bool maps_eq(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->map.count; i++) {
        if (!value_eq(a->map.pairs[i].key, b->map.pairs[i].key) ||
            !value_eq(a->map.pairs[i].value, b->map.pairs[i].value))
            return false;
    }
    return true;
}

static bool objects_eq(const struct value *a, const struct value *b)
{
    if (!span_eq(a->object.type, b->object.type))
        return false;
    for (size_t i = 0; i < a->object.count; i++) {
        const struct value_member *m = &a->object.members[i];
        const struct value_member *same = &b->object.members[i];
        if (!span_eq(same->name, m->name))
            same = find_member(b, m->name);
        if (same == NULL || !value_eq(m->value, same->value))
            return false;
    }
    return true;
}

bool value_eq(const struct value *a, const struct value *b)
{
    if (a == NULL || b == NULL || a->kind != b->kind)
        return a == b;
    switch (a->kind) {
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_NUMBER:
    case VALUE_DATE:
        return a->number == b->number || (isnan(a->number) && isnan(b->number));
    case VALUE_STRING:
    case VALUE_REGEXP:
    case VALUE_FOREIGN:
        return span_eq(a->string, b->string);
    case VALUE_LIST:
        return a->list.count == b->list.count && lists_eq(a, b);
    case VALUE_SET:
        return a->list.count == b->list.count && sets_eq(a, b);
    case VALUE_MAP:
        return a->map.count == b->map.count && maps_eq(a, b);
    case VALUE_OBJECT:
        return a->object.count == b->object.count && objects_eq(a, b);
    case VALUE_UNDEFINED:
    case VALUE_NULL:
        break;
    }
    return true;
}
