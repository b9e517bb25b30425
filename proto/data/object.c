// Making an object writes it and reads its text back, so one that was made and one that was received cannot differ in
// what follows from the bytes.
#include "data/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "data/microdata_parts.h"
#include "data/microdata_tags.h"
#include "data/number.h"

// Walks a value along its type and collects the links with their paths.
struct walk {
    struct arena *arena;
    struct link *links;
    size_t count;
    size_t cap;
    struct buf path;
};

static void walk_value(struct walk *w, const struct value_type *type, const struct value *v);

static void add_link(struct walk *w, enum link_kind kind, const struct value *v)
{
    if (w->count == w->cap) {
        w->cap = w->cap != 0 ? w->cap * 2 : 8;
        w->links = mem_resize(w->links, w->cap * sizeof *w->links);
    }
    struct link *link = &w->links[w->count++];
    link->kind = kind;
    value_as_hash(v, &link->target);
    link->path = arena_copy(w->arena, buf_span(&w->path));
}

// Adds a part to the path and returns the length to restore afterwards.
static size_t enter(struct walk *w, struct span part)
{
    size_t before = w->path.len;
    if (before != 0)
        buf_add_char(&w->path, '.');
    buf_add_span(&w->path, part);
    return before;
}

static void walk_list(struct walk *w, const struct value_type *type, const struct value *v)
{
    char number[24];
    for (size_t i = 0; i < v->list.count; i++) {
        snprintf(number, sizeof number, "%zu", i);
        size_t before = enter(w, span_of(number));
        walk_value(w, type->item, v->list.items[i]);
        w->path.len = before;
    }
}

static struct span key_text(const struct value *key, char number[NUMBER_TEXT])
{
    switch (key->kind) {
    case VALUE_STRING:
        return key->string;
    case VALUE_BOOL:
        return key->boolean ? SPAN("true") : SPAN("false");
    default:
        return (struct span){number, number_write(key->number, number)};
    }
}

static void walk_map(struct walk *w, const struct value_type *type, const struct value *v)
{
    char number[NUMBER_TEXT];
    for (size_t i = 0; i < v->map.count; i++) {
        struct span key = key_text(v->map.pairs[i].key, number);
        size_t before = enter(w, SPAN("!key!"));
        buf_add_span(&w->path, key);
        walk_value(w, type->key, v->map.pairs[i].key);
        w->path.len = before;
        enter(w, key);
        walk_value(w, type->item, v->map.pairs[i].value);
        w->path.len = before;
    }
}

static void walk_rules(struct walk *w, const struct rule *rules, size_t count, const struct value *v)
{
    for (size_t i = 0; i < count; i++) {
        const struct value *member = value_get(v, rules[i].itemprop);
        if (member == NULL)
            continue;
        size_t before = enter(w, rules[i].itemprop);
        walk_value(w, &rules[i].type, member);
        w->path.len = before;
    }
}

static void walk_value(struct walk *w, const struct value_type *type, const struct value *v)
{
    if (!type->has_links)
        return;
    switch (type->kind) {
    case TYPE_REF_OBJ:
        add_link(w, LINK_OBJECT, v);
        break;
    case TYPE_REF_ID:
        add_link(w, LINK_ID, v);
        break;
    case TYPE_REF_CLOB:
        add_link(w, LINK_CLOB, v);
        break;
    case TYPE_REF_BLOB:
        add_link(w, LINK_BLOB, v);
        break;
    case TYPE_MAP:
        walk_map(w, type, v);
        break;
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        walk_list(w, type, v);
        break;
    case TYPE_OBJECT:
        walk_rules(w, type->rules, type->rule_count, v);
        break;
    default:
        break;
    }
}

void object_links(struct arena *a, const struct recipe *recipe, const struct value *value, const struct link **links,
                  size_t *count)
{
    struct walk w = {.arena = a};
    walk_rules(&w, recipe->rules, recipe->rule_count, value);
    if (w.count != 0)
        *links = memcpy(arena_alloc(a, w.count * sizeof *w.links), w.links, w.count * sizeof *w.links);
    *count = w.count;
    free(w.links);
    buf_free(&w.path);
}

// The id properties are taken over as they stand in the text, which is the rule-driven form for everything a peer
// writes (DATA-MODEL.md 3.9).
static void make_id(struct arena *a, const struct microdata_parts *parts, struct object *o)
{
    if (o->form == MICRODATA_ID_OBJECT) {
        o->id_hash = o->hash;
        o->id_microdata = o->microdata;
    } else if (o->recipe->versioned) {
        struct buf text = {0};
        buf_add_span(&text, o->recipe->id_envelope);
        buf_add_span(&text, buf_span(&parts->id_properties));
        buf_add_span(&text, MICRODATA_END);
        o->id_microdata = arena_copy(a, buf_span(&text));
        buf_free(&text);
        o->id_hash = sha256(o->id_microdata);
    }
}

enum status object_read(const struct recipes *r, struct arena *a, struct span text, enum microdata_form form,
                        const struct hash *expected, struct object *out, struct error *e)
{
    struct microdata_parts parts = {0};
    struct object o = {.form = form, .microdata = text, .hash = sha256(text)};
    if (expected != NULL && !hash_eq(&o.hash, expected))
        return error_set(e, STATUS_INVALID, form == MICRODATA_OBJECT ? "CIEC-FO2" : "CIEC-FIDO2",
                         "the bytes do not have the hash %s", hash_text(expected).s);
    enum status s = microdata_read_parts(r, a, text, form, (struct span){0}, &o.value, &parts, e);
    if (s == STATUS_OK) {
        o.recipe = parts.recipe;
        make_id(a, &parts, &o);
        object_links(a, o.recipe, o.value, &o.links, &o.link_count);
        *out = o;
    }
    buf_free(&parts.id_properties);
    return s;
}

enum status object_make(const struct recipes *r, struct arena *a, const struct value *value, enum microdata_form form,
                        struct object *out, struct error *e)
{
    struct buf text = {0};
    enum status s = microdata_write(r, value, form, &text, e);
    if (s == STATUS_OK)
        s = object_read(r, a, arena_copy(a, buf_span(&text)), form, NULL, out, e);
    buf_free(&text);
    return s;
}

enum status object_id_hash(const struct recipes *r, const struct value *value, struct hash *out, struct error *e)
{
    struct buf text = {0};
    enum status s = microdata_write(r, value, MICRODATA_ID_OBJECT, &text, e);
    if (s == STATUS_OK)
        *out = sha256(buf_span(&text));
    buf_free(&text);
    return s;
}

bool object_is_type(const struct object *o, const char *name)
{
    return span_eq_text(o->recipe->name, name);
}
