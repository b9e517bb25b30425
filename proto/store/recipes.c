// The recipes a store brings along: those that the current versions of its instances name.
#include <stdlib.h>

#include "base/log.h"
#include "store/heads.h"
#include "store/links.h"
#include "store/recipes.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"

static void register_recipe(struct store *s, const struct hash *hash)
{
    struct arena *a = arena_create();
    struct object o;
    struct error e = {0};
    struct span name;
    if (store_get_object(s, hash, a, &o, &e) != STATUS_OK)
        LOG(LOG_ERROR, "store.recipeUnreadable", LOG_HASH("hash", hash), LOG_TEXT("code", e.code));
    else if (value_get_string(o.value, "name", &name) && recipes_find(s->recipes, name) == NULL &&
             recipes_add(s->recipes, o.value, &e) != STATUS_OK)
        LOG(LOG_ERROR, "store.recipeRefused", LOG_HASH("hash", hash), LOG_TEXT("code", e.code));
    arena_destroy(a);
}

static enum status register_instance(struct store *s, const struct hash *id_hash, struct error *e)
{
    struct head_row head;
    struct object_row row;
    struct child_rows links = {0};
    enum status status = heads_get(s, id_hash, &head, e);
    if (status == STATUS_OK)
        status = object_need(s, &head.data, &row, e);
    if (status == STATUS_OK)
        status = links_load(s, row.seq, &links, e);
    for (size_t i = 0; i < links.count; i++) {
        const struct store_type *type = links.items[i].row.type;
        if (links.items[i].kind == LINK_OBJECT && type != NULL)
            register_recipe(s, &links.items[i].target);
    }
    free(links.items);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status recover_recipes(struct store *s, struct error *e)
{
    struct hash_list instances = {0};
    enum status status = store_ids_of_type(s, SPAN("Instance"), &instances, e);
    for (size_t i = 0; i < instances.count && status == STATUS_OK; i++)
        status = register_instance(s, &instances.items[i], e);
    hash_list_free(&instances);
    return status;
}
