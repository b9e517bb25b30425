// Items are compared by the hash of their text. One that only one side has stays if the nearest version that touched it
// added it; of two that are as near, adding wins over removing.
#include "data/merge_internal.h"

#include <stdlib.h>

struct item {
    struct hash hash;
    struct value *value;
    bool in_first;
    bool in_second;
};

struct items {
    struct item *list;
    size_t count;
    struct hash_map *index; // hash -> item
};

enum status merge_fail(struct span path, const char *why, struct error *e)
{
    return error_set(e, STATUS_CONFLICT, "MERGE-FAILED", "cannot merge " SPAN_FMT ": %s", SPAN_ARG(path), why);
}

enum status merge_value_in(struct merger *m, const struct graph_node *n, struct span path, struct value **out,
                           struct error *e)
{
    return lookup_path(m->lookup, &n->data, path, out, e);
}

static enum status add_items(struct subject s, const struct value *list, bool second, struct items *items,
                             struct error *e)
{
    for (size_t i = 0; i < list->list.count; i++) {
        struct item item = {.value = list->list.items[i], .in_first = !second, .in_second = second};
        enum status status = difference_item(s.type->item, item.value, &item.hash, e);
        if (status != STATUS_OK)
            return status;
        struct item *known = hash_map_get(items->index, &item.hash);
        if (known != NULL) {
            known->in_first |= item.in_first;
            known->in_second |= item.in_second;
            continue;
        }
        items->list[items->count] = item;
        hash_map_set(items->index, &item.hash, &items->list[items->count++]);
    }
    return STATUS_OK;
}

struct item_test {
    struct span path;
    const struct hash *item;
};

static bool touches_item(const struct graph_node *n, const void *arg)
{
    const struct item_test *t = arg;
    return operations_add_item(n->operations, t->path, t->item) ||
           operations_remove_item(n->operations, t->path, t->item);
}

static bool beats(const struct graph_node *a, const struct graph_node *b, struct span path, const struct hash *item)
{
    bool a_adds = operations_add_item(a->operations, path, item);
    bool b_adds = operations_add_item(b->operations, path, item);
    return a_adds != b_adds ? a_adds : graph_is_later(a, b);
}

// Whether an item that only one side has stays.
static bool keeps(const struct subject *s, const struct hash *item, bool in_common)
{
    struct item_test test = {s->path, item};
    struct graph_nodes found = {0};
    graph_nearest(s->view, s->view->first, touches_item, &test, &found);
    graph_nearest(s->view, s->view->second, touches_item, &test, &found);
    const struct graph_node *best = NULL;
    for (size_t i = 0; i < found.count; i++) {
        if (best == NULL || beats(found.items[i], best, s->path, item))
            best = found.items[i];
    }
    free(found.items);
    return best != NULL ? operations_add_item(best->operations, s->path, item) : in_common;
}

static enum status list_in(struct merger *m, const struct graph_node *n, struct span path, struct value **out,
                           struct error *e)
{
    enum status status = merge_value_in(m, n, path, out, e);
    if (status != STATUS_OK)
        return status;
    if (*out == NULL || ((*out)->kind != VALUE_LIST && (*out)->kind != VALUE_SET))
        return merge_fail(path, "it is not a list in both versions", e);
    return STATUS_OK;
}

static enum status hash_common_items(struct merger *m, struct subject s, struct hash_map *out, struct error *e)
{
    struct value *list = NULL;
    enum status status = s.view->common != NULL ? merge_value_in(m, s.view->common, s.path, &list, e) : STATUS_OK;
    if (list == NULL || (list->kind != VALUE_LIST && list->kind != VALUE_SET))
        return status;
    for (size_t i = 0; i < list->list.count && status == STATUS_OK; i++) {
        struct hash hash;
        status = difference_item(s.type->item, list->list.items[i], &hash, e);
        if (status == STATUS_OK)
            hash_map_add(out, &hash);
    }
    return status;
}

static enum status unite(struct merger *m, struct subject s, const struct value *first, const struct value *second,
                         struct items *items, struct value **out, struct error *e)
{
    struct hash_map *common = hash_map_create();
    enum status status = add_items(s, first, false, items, e);
    if (status == STATUS_OK)
        status = add_items(s, second, true, items, e);
    if (status == STATUS_OK)
        status = hash_common_items(m, s, common, e);
    if (status == STATUS_OK)
        *out = s.type->kind == TYPE_SET ? value_set(m->arena) : value_list(m->arena);
    for (size_t i = 0; i < items->count && status == STATUS_OK; i++) {
        const struct item *item = &items->list[i];
        if ((item->in_first && item->in_second) || keeps(&s, &item->hash, hash_map_has(common, &item->hash)))
            value_add(m->arena, *out, item->value);
    }
    hash_map_destroy(common);
    return status;
}

enum status merge_set(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct value *first;
    struct value *second;
    if (s.type->item == NULL)
        return merge_fail(s.path, "its type has no items", e);
    enum status status = list_in(m, s.view->first, s.path, &first, e);
    if (status == STATUS_OK)
        status = list_in(m, s.view->second, s.path, &second, e);
    if (status != STATUS_OK)
        return status;
    struct items items = {.index = hash_map_create()};
    items.list = mem_array(first->list.count + second->list.count, sizeof *items.list);
    status = unite(m, s, first, second, &items, out, e);
    hash_map_destroy(items.index);
    free(items.list);
    return status;
}
