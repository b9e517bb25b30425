// Objects that paths lead through are read once and kept until lookup_forget. How many bytes that were is counted for
// whoever has to stop at a limit.
#include "data/lookup.h"

#include <stdlib.h>
#include <string.h>

struct lookup {
    const struct version_source *source;
    struct arena *arena;
    struct hash_map *objects; // hash -> struct value
    size_t bytes;
};

struct place { // where a walk along a path has come to
    struct value *value;
    const struct value_type *type; // NULL: value is an object with a recipe of its own
    bool opaque;                   // the type was inherited, so the value cannot be seen
};

struct lookup *lookup_create(const struct version_source *s, struct arena *a)
{
    struct lookup *l = mem_alloc(sizeof *l);
    l->source = s;
    l->arena = a;
    l->objects = hash_map_create();
    return l;
}

void lookup_destroy(struct lookup *l)
{
    if (l == NULL)
        return;
    hash_map_destroy(l->objects);
    free(l);
}

void lookup_forget(struct lookup *l)
{
    hash_map_clear(l->objects);
}

size_t lookup_bytes(const struct lookup *l)
{
    return l->bytes;
}

enum status lookup_object(struct lookup *l, const struct hash *hash, struct value **out, struct error *e)
{
    *out = hash_map_get(l->objects, hash);
    if (*out != NULL)
        return STATUS_OK;
    const struct version_source *s = l->source;
    struct span text;
    enum status status = s->read(s->ctx, hash, l->arena, &text, e);
    if (status != STATUS_OK)
        return status;
    l->bytes += text.len;
    status = microdata_read(s->recipes, l->arena, text, MICRODATA_OBJECT, SPAN(""), out, e);
    if (status == STATUS_OK)
        hash_map_set(l->objects, hash, *out);
    return status;
}

struct value *lookup_member(const struct value *object, struct span name)
{
    struct value *v = value_get(object, name);
    return v != NULL && v->kind != VALUE_UNDEFINED ? v : NULL;
}

struct span lookup_join(struct arena *a, struct span path, struct span name)
{
    if (path.len == 0)
        return arena_copy(a, name);
    char *joined = arena_alloc(a, path.len + 1 + name.len);
    memcpy(joined, path.ptr, path.len);
    joined[path.len] = '.';
    if (name.len != 0)
        memcpy(joined + path.len + 1, name.ptr, name.len);
    return (struct span){joined, path.len + 1 + name.len};
}

static bool is_allowed(const struct value_type *type, struct span name)
{
    for (size_t i = 0; i < type->allowed_count; i++) {
        if (span_eq_text(type->allowed_types[i], "*") || span_eq(type->allowed_types[i], name))
            return true;
    }
    return type->allowed_count == 0;
}

static enum status enter_link(struct lookup *l, struct place *p, struct error *e)
{
    const struct value_type *type = p->type;
    struct hash hash;
    if (!value_as_hash(p->value, &hash)) {
        p->value = NULL;
        return STATUS_OK;
    }
    enum status status = lookup_object(l, &hash, &p->value, e);
    if (status == STATUS_OK && !is_allowed(type, p->value->object.type))
        p->value = NULL;
    p->type = NULL;
    return status;
}

static void enter_member(struct place *p, const struct rule *rules, size_t count, struct span name)
{
    const struct value *object = p->value;
    p->value = NULL;
    for (size_t i = 0; i < count && object->kind == VALUE_OBJECT; i++) {
        if (!span_eq(rules[i].itemprop, name))
            continue;
        p->value = lookup_member(object, name);
        p->type = &rules[i].type;
        p->opaque = rules[i].inherited && rules[i].type.kind != TYPE_STRING;
        return;
    }
}

static void enter_entry(struct place *p, struct span key)
{
    p->value = value_map_get(p->value, key);
    p->type = p->type->item;
}

static enum status enter(struct lookup *l, struct place *p, struct span part, struct error *e)
{
    if (p->type != NULL && p->type->kind == TYPE_REF_OBJ) {
        enum status status = enter_link(l, p, e);
        if (status != STATUS_OK || p->value == NULL)
            return status;
    }
    if (p->type == NULL) {
        const struct recipe *recipe = recipes_find(l->source->recipes, p->value->object.type);
        enter_member(p, recipe->rules, recipe->rule_count, part);
    } else if (p->type->kind == TYPE_OBJECT) {
        enter_member(p, p->type->rules, p->type->rule_count, part);
    } else if (p->type->kind == TYPE_MAP) {
        enter_entry(p, part);
    } else {
        p->value = NULL;
    }
    if (p->opaque)
        p->value = NULL;
    return STATUS_OK;
}

enum status lookup_path(struct lookup *l, const struct hash *object, struct span path, struct value **out,
                        struct error *e)
{
    struct place p = {0};
    enum status status = lookup_object(l, object, &p.value, e);
    bool more = path.len != 0;
    while (status == STATUS_OK && more && p.value != NULL) {
        const char *dot = memchr(path.ptr, '.', path.len);
        struct span part = {path.ptr, dot != NULL ? (size_t)(dot - path.ptr) : path.len};
        status = enter(l, &p, part, e);
        more = dot != NULL;
        if (more)
            path = span_from(path, part.len + 1);
    }
    *out = p.value;
    return status;
}
