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

static enum status read_list(struct span json, size_t limit, const struct list_codes *codes, json_t **out,
                             struct error *e)
{
    *out = NULL;
    if (json.len > CHUM_LIST_MAX)
        return error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has %zu bytes", json.len);
    json_t *list = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, NULL);
    if (list == NULL)
        return error_set(e, STATUS_INVALID, codes->text, "the list is not JSON");
    enum status st = STATUS_OK;
    if (!json_is_array(list))
        st = error_set(e, STATUS_INVALID, codes->list, "the list is not a JSON array");
    else if (json_array_size(list) > limit)
        st = error_set(e, STATUS_TOO_BIG, "LIST-TOO-BIG", "the peer's list has %zu entries", json_array_size(list));
    if (st == STATUS_OK)
        *out = list;
    else
        json_decref(list);
    return st;
}

static bool member_hash(const json_t *item, const char *name, struct hash *out)
{
    const json_t *text = json_object_get(item, name);
    return json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, out);
}

static struct span member_text(struct arena *a, const json_t *item, const char *name)
{
    const json_t *text = json_object_get(item, name);
    if (!json_is_string(text))
        return (struct span){0};
    return arena_copy(a, (struct span){json_string_value(text), json_string_length(text)});
}

// *usable is false for an entry without proper hashes, which concerns nobody but itself.
static enum status read_root(struct arena *a, const json_t *item, struct chum_root *out, bool *usable, struct error *e)
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
    out->type = member_text(a, item, i == CHUM_ROOT_VERSION_NODE ? "dataType" : "oneType");
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

enum status chum_roots_read(struct arena *a, struct span json, struct chum_roots *out, struct error *e)
{
    json_t *list;
    memset(out, 0, sizeof *out);
    enum status st = read_list(json, CHUM_ROOTS_MAX, &root_codes, &list, e);
    if (st != STATUS_OK)
        return st;
    size_t count = json_array_size(list);
    out->items = arena_alloc(a, (count + 1) * sizeof *out->items);
    for (size_t i = 0; st == STATUS_OK && i < count; i++) {
        bool usable = false;
        st = read_root(a, json_array_get(list, i), &out->items[out->count], &usable, e);
        out->count += usable;
    }
    json_decref(list);
    return st;
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

enum status chum_children_read(struct span json, struct store_children *out, struct error *e)
{
    json_t *list;
    memset(out, 0, sizeof *out);
    enum status st = read_list(json, CHUM_CHILDREN_MAX, &child_codes, &list, e);
    if (st != STATUS_OK)
        return st;
    out->count = json_array_size(list);
    out->items = mem_array(out->count, sizeof *out->items);
    for (size_t i = 0; st == STATUS_OK && i < out->count; i++)
        st = read_child(json_array_get(list, i), &out->items[i], e);
    json_decref(list);
    if (st != STATUS_OK) {
        free(out->items);
        memset(out, 0, sizeof *out);
    }
    return st;
}

void chum_children_write(const struct store_children *children, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < children->count; i++) {
        const char *name = "object";
        for (size_t k = 0; k < 4; k++) {
            if (child_names[k].kind == children->items[i].kind)
                name = child_names[k].name;
        }
        buf_printf(out, "%s{\"type\":\"%s\",\"hash\":\"%s\"}", i != 0 ? "," : "", name,
                   hash_text(&children->items[i].hash).s);
    }
    buf_add_char(out, ']');
}
