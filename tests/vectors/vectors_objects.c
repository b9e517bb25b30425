// What follows from objects: children, blobs-clobs (hash and kind of file; storing them: vectors_store.c).
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "data/object.h"
#include "runner.h"

struct children { // the list of DATA-MODEL.md 10.2, in the order of adding
    const struct link **items;
    size_t count;
};

struct collector {
    struct vector_run *run;
    const struct recipes *recipes;
    const json_t *objects; // hash → {type, text}
    struct hash_map *seen;
    struct children children;
};

static const char *kind_name(enum link_kind kind)
{
    static const char *const names[] = {"object", "id", "clob", "blob"};
    return names[kind];
}

static bool collect(struct collector *c, const struct object *o, struct error *e)
{
    for (size_t i = 0; i < o->link_count; i++) {
        const struct link *link = &o->links[i];
        struct object child;
        const json_t *stored = json_object_get(c->objects, hash_text(&link->target).s);
        if (!hash_map_add(c->seen, &link->target))
            continue;
        if (stored == NULL)
            return error_set(e, STATUS_NOT_FOUND, "SB-READ2", "file not found") == STATUS_OK;
        if (link->kind == LINK_OBJECT || link->kind == LINK_ID) {
            enum microdata_form form = link->kind == LINK_ID ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT;
            if (object_read(c->recipes, c->run->arena, vector_text(stored, "text"), form, &link->target, &child, e) !=
                    STATUS_OK ||
                !collect(c, &child, e))
                return false;
        }
        c->children.items = mem_resize(c->children.items, (c->children.count + 1) * sizeof(struct link *));
        c->children.items[c->children.count++] = link;
    }
    return true;
}

static void compare_children(struct collector *c, const json_t *wanted)
{
    size_t count = c->children.count;
    vector_expect(c->run, count == json_array_size(wanted), "%zu children", count);
    for (size_t i = 0; i < count && i < json_array_size(wanted); i++) {
        const struct link *link = c->children.items[count - 1 - i];
        const json_t *entry = json_array_get(wanted, i);
        vector_expect_text(c->run, span_of(kind_name(link->kind)), vector_text(entry, "type"), "the kind of a child");
        vector_expect_text(c->run, span_of(hash_text(&link->target).s), vector_text(entry, "hash"), "a child");
    }
}

static bool link_is(const struct link *link, const json_t *wanted)
{
    struct hash hash;
    return vector_hash(wanted, "hash", &hash) && hash_eq(&hash, &link->target) &&
           span_eq_text(vector_text(wanted, "type"), kind_name(link->kind)) &&
           span_eq(vector_text(wanted, "path"), link->path);
}

// The reference keeps one path per target, so there may be more links than it lists.
static void compare_links(struct vector_run *run, const struct object *o, const json_t *wanted)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(wanted, i, entry)
    {
        bool found = false;
        for (size_t k = 0; k < o->link_count; k++)
            found = found || link_is(&o->links[k], entry);
        vector_expect(run, found, "no link at " SPAN_FMT, SPAN_ARG(vector_text(entry, "path")));
    }
    vector_expect(run, o->link_count >= json_array_size(wanted), "%zu links", o->link_count);
}

// The recorded lists follow the order of the given value, not that of its text.
static void check_children_case(struct vector_run *run, const struct recipes *r, const json_t *wanted)
{
    struct error e = {0};
    struct object o;
    const json_t *code = json_object_get(wanted, "errorCode");
    bool id = span_eq_text(vector_text(wanted, "form"), "id");
    struct collector c = {run, r, json_object_get(run->root, "objects"), hash_map_create(), {0}};
    const struct value *v = vector_value(run, json_object_get(wanted, "object"));
    enum status s = object_make(r, run->arena, v, id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, &o, &e);
    if (vector_expect(run, s == STATUS_OK, "unwritable: %s", e.message)) {
        object_links(run->arena, o.recipe, v, &o.links, &o.link_count);
        if (!collect(&c, &o, &e))
            vector_expect_error(run, STATUS_NOT_FOUND, &e, code != NULL ? json_string_value(code) : "success");
        else
            compare_children(&c, json_object_get(wanted, "children"));
        compare_links(run, &o, json_object_get(wanted, "directLinksWithPath"));
    }
    free(c.children.items);
    hash_map_destroy(c.seen);
}

static void check_children(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = vector_recipes(run, json_object_get(run->root, "recipes"));
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        check_children_case(run, r, c);
    }
    recipes_destroy(r);
}

struct span vector_file_bytes(struct vector_run *run, const json_t *c)
{
    struct span hex = vector_text(c, "bytes");
    const char *repeated = hex.ptr != NULL ? strstr(hex.ptr, " repeated ") : NULL;
    if (repeated != NULL) {
        size_t count = strtoul(repeated + strlen(" repeated "), NULL, 10);
        return (struct span){arena_alloc(run->arena, count), count};
    }
    if (hex.ptr != NULL)
        return vector_hex(run, c, "bytes");
    if (json_object_get(c, "base64") != NULL) {
        struct buf out = {0};
        vector_expect(run, base64_decode(vector_text(c, "base64"), &out), "bad base64");
        struct span copy = arena_copy(run->arena, buf_span(&out));
        buf_free(&out);
        return copy;
    }
    return vector_utf8(run, json_object_get(c, "text"));
}

// DATA-MODEL.md 13: only the first bytes of a file are looked at.
static struct span detected_type(struct vector_run *run, struct span bytes)
{
    struct span type;
    enum microdata_form form;
    struct span head = {bytes.ptr, bytes.len < 257 ? bytes.len : 257};
    if (!utf8_valid(head))
        return SPAN("BLOB");
    if (!microdata_sniff(head, &type, &form))
        return SPAN("CLOB");
    return arena_printf(run->arena, SPAN_FMT "%s", SPAN_ARG(type), form == MICRODATA_ID_OBJECT ? " [ID]" : "");
}

static void check_blobs(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct hash wanted;
        struct span type = vector_text(c, "detectedType");
        if (json_object_get(c, "hash") == NULL)
            continue;
        vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        struct span bytes = vector_file_bytes(run, c);
        struct hash hash = sha256(bytes);
        vector_expect(run, vector_hash(c, "hash", &wanted) && hash_eq(&wanted, &hash), "the hash is another one");
        if (!span_starts_with(type, SPAN("ERROR")))
            vector_expect_text(run, detected_type(run, bytes), type, "the kind of file");
    }
}

const struct vector_handler vector_handlers_objects[] = {
    {"children", check_children},
    {"blobs-clobs", check_blobs},
    {NULL, NULL},
};
