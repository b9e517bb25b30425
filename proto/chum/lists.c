#include "chum/lists.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "chum/chum.h"

static const char *const root_names[] = {"unversioned", "versioned", "id", "version_node"};
static const struct {
    const char *name;
    enum link_kind kind;
} child_names[] = {{"object", LINK_OBJECT}, {"id", LINK_ID}, {"blob", LINK_BLOB}, {"clob", LINK_CLOB}};

struct list_codes { // what is wrong with a list, by the reference's codes
    const char *text, *list, *kind, *hash;
};
static const struct list_codes root_codes = {"DAH-PAO1", "DAH-PAO2", "DAH-PAO3", NULL};
static const struct list_codes child_codes = {"DC-PC1", "DC-PC2", "DC-PC3", "DC-PC4"};

// Lists are read entry by entry: as one JSON value a long one would take many times the memory of its text.
struct list_reader {
    const struct list_codes *codes;
    struct span rest;
    size_t count; // entries read
    size_t limit;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct list_reader *r)
{
    while (r->rest.len != 0 && is_space(r->rest.ptr[0]))
        r->rest = span_from(r->rest, 1);
}

static bool skip_char(struct list_reader *r, char c)
{
    skip_space(r);
    if (r->rest.len == 0 || r->rest.ptr[0] != c)
        return false;
    r->rest = span_from(r->rest, 1);
    return true;
}

static enum status not_json(const struct list_reader *r, struct error *e)
{
    return error_set(e, STATUS_INVALID, r->codes->text, "the list is not JSON");
}

static enum status not_a_list(const struct list_reader *r, struct error *e)
{
    json_t *other = json_loadb(r->rest.ptr, r->rest.len, JSON_DECODE_ANY, NULL);
    if (other == NULL)
        return not_json(r, e);
    json_decref(other);
    return error_set(e, STATUS_INVALID, r->codes->list, "the list is not a JSON array");
}

static enum status begin_list(struct list_reader *r, struct span json, size_t limit, const struct list_codes *codes,
                              struct error *e)
{
    *r = (struct list_reader){.codes = codes, .rest = json, .limit = limit};
    if (json.len > CHUM_LIST_MAX)
        return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has %zu bytes", json.len);
    return skip_char(r, '[') ? STATUS_OK : not_a_list(r, e);
}

// *item is the next entry, a new reference, or NULL behind the last one.
static enum status next_entry(struct list_reader *r, json_t **item, struct error *e)
{
    json_error_t parsed;
    *item = NULL;
    bool at_end = skip_char(r, ']');
    if (at_end) {
        skip_space(r);
        return r->rest.len == 0 ? STATUS_OK : not_json(r, e);
    }
    if (r->count == r->limit)
        return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has more than %zu entries", r->limit);
    if (r->count != 0 && !skip_char(r, ','))
        return not_json(r, e);
    *item = json_loadb(r->rest.ptr, r->rest.len, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &parsed);
    if (*item == NULL)
        return not_json(r, e);
    r->rest = span_from(r->rest, (size_t)parsed.position);
    r->count++;
    return STATUS_OK;
}

static bool member_hash(const json_t *item, const char *name, struct hash *out)
{
    const json_t *text = json_object_get(item, name);
    return json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, out);
}

// Lists name few types: the text of the entry before is used again where it can be.
static struct span member_text(struct arena *a, const json_t *item, const char *name, struct span before)
{
    const json_t *text = json_object_get(item, name);
    if (!json_is_string(text))
        return (struct span){0};
    struct span s = {json_string_value(text), json_string_length(text)};
    return span_eq(s, before) ? before : arena_copy(a, s);
}

// *usable is false for an entry without proper hashes, which concerns nobody but itself.
static enum status read_root(struct arena *a, const json_t *item, struct span type_before, struct chum_root *out,
                             bool *usable, struct error *e)
{
    const char *kind = json_string_value(json_object_get(item, "type"));
    size_t i = 0;
    while (i < 4 && (kind == NULL || strcmp(kind, root_names[i]) != 0))
        i++;
    if (i == 4)
        return error_set(e, STATUS_INVALID, root_codes.kind, "unknown kind of root: %.40s",
                         kind != NULL ? kind : "none");
    memset(out, 0, sizeof *out);
    out->kind = (enum chum_root_kind)i;
    out->type = member_text(a, item, i == CHUM_ROOT_VERSION_NODE ? "dataType" : "oneType", type_before);
    switch (out->kind) {
    case CHUM_ROOT_UNVERSIONED:
        *usable = member_hash(item, "hash", &out->hash);
        break;
    case CHUM_ROOT_VERSIONED:
        *usable = member_hash(item, "hash", &out->hash) && member_hash(item, "idHash", &out->id_hash);
        break;
    case CHUM_ROOT_ID:
        *usable = member_hash(item, "idHash", &out->id_hash);
        break;
    case CHUM_ROOT_VERSION_NODE:
        *usable = member_hash(item, "node", &out->hash) && member_hash(item, "dataIdHash", &out->id_hash);
        break;
    }
    return STATUS_OK;
}

static void add_root(struct chum_roots *roots, size_t *cap, const struct chum_root *root)
{
    if (roots->count == *cap) {
        *cap = *cap != 0 ? 2 * *cap : 64;
        roots->items = mem_resize(roots->items, *cap * sizeof *roots->items);
    }
    roots->items[roots->count++] = *root;
}

enum status chum_roots_read(struct arena *a, struct span json, struct chum_roots *out, struct error *e)
{
    struct list_reader r;
    struct chum_root root = {0};
    size_t cap = 0;
    json_t *item = NULL;
    memset(out, 0, sizeof *out);
    enum status st = begin_list(&r, json, CHUM_ROOTS_MAX, &root_codes, e);
    while (st == STATUS_OK && (st = next_entry(&r, &item, e)) == STATUS_OK && item != NULL) {
        bool usable = false;
        st = read_root(a, item, root.type, &root, &usable, e);
        if (st == STATUS_OK && usable)
            add_root(out, &cap, &root);
        json_decref(item);
    }
    if (st != STATUS_OK)
        chum_roots_free(out);
    return st;
}

void chum_roots_free(struct chum_roots *roots)
{
    free(roots->items);
    memset(roots, 0, sizeof *roots);
}

static enum status read_child(const json_t *item, struct store_child *out, struct error *e)
{
    const char *kind = json_string_value(json_object_get(item, "type"));
    for (size_t i = 0; kind != NULL && i < 4; i++) {
        if (strcmp(kind, child_names[i].name) != 0)
            continue;
        out->kind = child_names[i].kind;
        if (!member_hash(item, "hash", &out->hash))
            return error_set(e, STATUS_INVALID, child_codes.hash, "a child has no hash");
        return STATUS_OK;
    }
    return error_set(e, STATUS_INVALID, child_codes.kind, "unknown kind of child: %.40s", kind != NULL ? kind : "none");
}

static void add_child(struct store_children *children, size_t *cap, const struct store_child *child)
{
    if (children->count == *cap) {
        *cap = *cap != 0 ? 2 * *cap : 16;
        children->items = mem_resize(children->items, *cap * sizeof *children->items);
    }
    children->items[children->count++] = *child;
}

enum status chum_children_read(struct span json, struct store_children *out, struct error *e)
{
    struct list_reader r;
    struct store_child child;
    size_t cap = 0;
    json_t *item = NULL;
    memset(out, 0, sizeof *out);
    enum status st = begin_list(&r, json, CHUM_CHILDREN_MAX, &child_codes, e);
    while (st == STATUS_OK && (st = next_entry(&r, &item, e)) == STATUS_OK && item != NULL) {
        st = read_child(item, &child, e);
        if (st == STATUS_OK)
            add_child(out, &cap, &child);
        json_decref(item);
    }
    if (st != STATUS_OK) {
        free(out->items);
        memset(out, 0, sizeof *out);
    }
    return st;
}

void chum_child_write(const struct store_child *child, struct buf *out)
{
    const char *name = child_names[0].name;
    for (size_t k = 0; k < 4; k++) {
        if (child_names[k].kind == child->kind)
            name = child_names[k].name;
    }
    buf_printf(out, "{\"type\":\"%s\",\"hash\":\"%s\"}", name, hash_text(&child->hash).s);
}

void chum_children_write(const struct store_children *children, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < children->count; i++) {
        if (i != 0)
            buf_add_char(out, ',');
        chum_child_write(&children->items[i], out);
    }
    buf_add_char(out, ']');
}
