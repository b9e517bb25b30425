// Not found and lost are told apart here, for the whole layer: model_latest gives NULL only where there never was a
// version. A node that took "lost" for "none" would write a first version anew, and its peers would merge that into
// what they have.
#include "models/model.h"

#include <string.h>

// ---- Objects --------------------------------------------------------------------------------------------------------

static enum status put(struct model *m, const struct value *object, enum microdata_form form, struct hash *hash,
                       struct error *e)
{
    struct object o;
    enum status status = object_make(store_recipes(m->store), m->arena, object, form, &o, e);
    if (status == STATUS_OK)
        status = store_put(m->store, &o, NULL, e);
    if (status == STATUS_OK)
        *hash = o.hash;
    return status;
}

enum status model_put(struct model *m, const struct value *object, struct hash *hash, struct error *e)
{
    return put(m, object, MICRODATA_OBJECT, hash, e);
}

enum status model_put_id(struct model *m, const struct value *object, struct hash *id_hash, struct error *e)
{
    return put(m, object, MICRODATA_ID_OBJECT, id_hash, e);
}

enum status model_keep_id(struct model *m, const struct value *object, struct error *e)
{
    struct hash id;
    struct object known;
    enum status status = model_id(m, object, &id, e);
    if (status == STATUS_OK && store_get_object(m->store, &id, m->arena, &known, NULL) != STATUS_OK)
        status = model_put_id(m, object, &id, e);
    return status;
}

enum status model_change(struct model *m, const struct value *object, struct version_result *out, struct error *e)
{
    struct version_result ignored;
    return version_store(store_versions(m->store), object, VERSION_CHANGE, (double)m->now_ms,
                         out != NULL ? out : &ignored, e);
}

static enum status check_type(const struct object *o, const char *type, struct error *e)
{
    if (object_is_type(o, type))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-OBJECT", "%s is a " SPAN_FMT ", not a %s", hash_text(&o->hash).s,
                     SPAN_ARG(o->recipe->name), type);
}

enum status model_read(struct model *m, const struct hash *hash, const char *type, struct value **out, struct error *e)
{
    struct object o;
    enum status status = store_get_object(m->store, hash, m->arena, &o, e);
    if (status == STATUS_OK)
        status = check_type(&o, type, e);
    if (status == STATUS_OK)
        *out = o.value;
    return status;
}

bool model_has_head(struct model *m, const struct hash *id_hash)
{
    struct hash node;
    return store_head(m->store, id_hash, &node, NULL) == STATUS_OK;
}

enum status model_current(struct model *m, const struct hash *id_hash, const char *type, struct value **out,
                          struct hash *hash, struct error *e)
{
    struct object o;
    enum status status = store_current(m->store, id_hash, m->arena, &o, e);
    if (status == STATUS_OK)
        status = check_type(&o, type, e);
    if (status != STATUS_OK)
        return status;
    *out = o.value;
    if (hash != NULL)
        *hash = o.hash;
    return STATUS_OK;
}

enum status model_latest(struct model *m, const struct value *object, const char *type, struct value **out,
                         struct error *e)
{
    struct hash id;
    struct hash head;
    *out = NULL;
    enum status status = model_id(m, object, &id, e);
    if (status == STATUS_OK)
        status = store_head(m->store, &id, &head, e);
    if (status == STATUS_OK) // what is lost is not the same as none
        return model_current(m, &id, type, out, NULL, e);
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e);
    return STATUS_OK;
}

enum status model_id(struct model *m, const struct value *object, struct hash *out, struct error *e)
{
    return object_id_hash(store_recipes(m->store), object, out, e);
}

// ---- Values ---------------------------------------------------------------------------------------------------------

struct value *model_object(struct model *m, const char *type)
{
    return value_object(m->arena, span_of(type));
}

void model_set_text(struct model *m, struct value *object, const char *name, struct span text)
{
    value_set_member(m->arena, object, span_of(name), value_string(m->arena, text));
}

void model_set_hash(struct model *m, struct value *object, const char *name, const struct hash *hash)
{
    value_set_member(m->arena, object, span_of(name), value_hash(m->arena, hash));
}

void model_set_number(struct model *m, struct value *object, const char *name, double number)
{
    value_set_member(m->arena, object, span_of(name), value_number(m->arena, number));
}

struct value *model_hashes(struct model *m, const struct hash *items, size_t count, bool as_set)
{
    struct value *list = as_set ? value_set(m->arena) : value_list(m->arena);
    for (size_t i = 0; i < count; i++)
        value_add(m->arena, list, value_hash(m->arena, &items[i]));
    return list;
}

void model_read_hashes(const struct value *list, struct hash_list *out)
{
    if (list == NULL || (list->kind != VALUE_LIST && list->kind != VALUE_SET))
        return;
    for (size_t i = 0; i < list->list.count; i++) {
        struct hash h;
        if (value_as_hash(list->list.items[i], &h))
            hash_list_add(out, &h);
    }
}

struct hash *model_keep_hashes(struct model *m, const struct hash_list *list)
{
    struct hash *items = arena_alloc(m->arena, (list->count + 1) * sizeof *items);
    if (list->count != 0)
        memcpy(items, list->items, list->count * sizeof *items);
    return items;
}

struct span model_random_text(struct model *m, size_t len)
{
    char *text = arena_alloc(m->arena, len + 1);
    if (m->fixed != NULL && m->fixed->random_text != NULL)
        m->fixed->random_text(text, len);
    else
        random_text(text, len);
    return (struct span){text, len};
}
