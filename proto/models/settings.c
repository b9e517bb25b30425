// An object of Settings is a map under a name, and a change writes the whole map as a new version: what grows without
// end, like one value per object, gets a name of its own each (origin.c).
#include "models/settings.h"

#include "base/text.h"

enum { MAX_TEXT = 64 << 10 };

static struct value *make_id(struct model *m, struct span store_id)
{
    struct value *object = model_object(m, "Settings");
    model_set_text(m, object, "id", store_id);
    return object;
}

enum status settings_id(struct model *m, struct span store_id, struct hash *id_hash, struct error *e)
{
    return model_id(m, make_id(m, store_id), id_hash, e);
}

static enum status load(struct model *m, struct span store_id, struct value **properties, struct error *e)
{
    struct value *object;
    enum status status = model_latest(m, make_id(m, store_id), "Settings", &object, e);
    *properties = object != NULL ? value_get(object, SPAN("properties")) : NULL;
    if (*properties == NULL)
        *properties = value_map(m->arena);
    return status;
}

enum status settings_set(struct model *m, struct span store_id, struct span key, struct span value, struct error *e)
{
    struct value *properties;
    if (store_id.len == 0 || key.len == 0 || store_id.len + key.len + value.len > MAX_TEXT || !utf8_valid(store_id) ||
        !utf8_valid(key) || !utf8_valid(value))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "settings are up to %d bytes of UTF-8", MAX_TEXT);
    enum status status = load(m, store_id, &properties, e);
    if (status != STATUS_OK)
        return status;
    struct value *object = make_id(m, store_id);
    value_put(m->arena, properties, value_string(m->arena, key), value_string(m->arena, value));
    value_set_member(m->arena, object, SPAN("properties"), properties);
    return model_change(m, object, NULL, e);
}

enum status settings_get(struct model *m, struct span store_id, struct span key, struct span *value, struct error *e)
{
    struct value *properties;
    enum status status = load(m, store_id, &properties, e);
    if (status != STATUS_OK)
        return status;
    const struct value *found = value_map_get(properties, key);
    if (found == NULL || found->kind != VALUE_STRING)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such setting");
    *value = found->string;
    return STATUS_OK;
}

enum status settings_list(struct model *m, struct span store_id, struct settings *out, struct error *e)
{
    struct value *properties;
    *out = (struct settings){0};
    enum status status = load(m, store_id, &properties, e);
    if (status != STATUS_OK)
        return status;
    out->items = arena_alloc(m->arena, (properties->map.count + 1) * sizeof *out->items);
    for (size_t i = 0; i < properties->map.count; i++) {
        const struct value_pair *pair = &properties->map.pairs[i];
        if (pair->key->kind == VALUE_STRING && pair->value->kind == VALUE_STRING)
            out->items[out->count++] = (struct setting){pair->key->string, pair->value->string};
    }
    return STATUS_OK;
}
