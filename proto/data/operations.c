// Sorted by path and algorithm, and items by hash, so that each question of the merge is a binary search. In which
// order they were found is kept beside, for the order of new members.
#include "data/operations.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "data/graph.h"
#include "data/lookup.h"

static int compare_changes(const void *a, const void *b)
{
    const struct item_change *x = a;
    const struct item_change *y = b;
    return hash_compare(&x->item, &y->item);
}

static int compare_places(const struct operation *x, struct span path, enum algorithm algorithm)
{
    size_t common = x->path.len < path.len ? x->path.len : path.len;
    int order = common != 0 ? memcmp(x->path.ptr, path.ptr, common) : 0;
    if (order != 0)
        return order;
    if (x->path.len != path.len)
        return x->path.len < path.len ? -1 : 1;
    return (x->algorithm > algorithm) - (x->algorithm < algorithm);
}

static int compare_operations(const void *a, const void *b)
{
    const struct operation *y = b;
    return compare_places(a, y->path, y->algorithm);
}

struct operations *operations_make(struct arena *a, const struct operation *list, size_t count)
{
    struct operations *ops = arena_alloc(a, sizeof *ops);
    if (count == 0)
        return ops;
    ops->count = count;
    ops->items = arena_alloc(a, count * sizeof *ops->items);
    memcpy(ops->items, list, count * sizeof *ops->items);
    qsort(ops->items, count, sizeof *ops->items, compare_operations);
    for (size_t i = 0; i < count; i++) {
        if (ops->items[i].item_count > 1)
            qsort(ops->items[i].items, ops->items[i].item_count, sizeof *ops->items[i].items, compare_changes);
    }
    return ops;
}

static size_t lower_bound(const struct operations *ops, struct span path, enum algorithm algorithm)
{
    size_t low = 0;
    for (size_t high = ops->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare_places(&ops->items[middle], path, algorithm) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Steps through the operations of one path and algorithm: the one at *cursor, or NULL behind the last.
static const struct operation *next_operation(const struct operations *ops, struct span path, enum algorithm algorithm,
                                              size_t *cursor)
{
    if (*cursor >= ops->count || compare_places(&ops->items[*cursor], path, algorithm) != 0)
        return NULL;
    return &ops->items[(*cursor)++];
}

static bool has_flag(const struct operations *ops, struct span path, enum algorithm algorithm, bool deletes)
{
    if (ops == NULL)
        return false;
    size_t cursor = lower_bound(ops, path, algorithm);
    for (const struct operation *op; (op = next_operation(ops, path, algorithm, &cursor)) != NULL;) {
        if (deletes ? op->deletes : op->sets)
            return true;
    }
    return false;
}

bool operations_set(const struct operations *ops, struct span path, enum algorithm algorithm)
{
    return has_flag(ops, path, algorithm, false);
}

bool operations_delete(const struct operations *ops, struct span path)
{
    return has_flag(ops, path, ALGORITHM_OPTIONAL, true);
}

static bool has_item(const struct operations *ops, struct span path, const struct hash *item, bool adds)
{
    if (ops == NULL)
        return false;
    size_t cursor = lower_bound(ops, path, ALGORITHM_SET);
    struct item_change key = {.item = *item};
    for (const struct operation *op; (op = next_operation(ops, path, ALGORITHM_SET, &cursor)) != NULL;) {
        const struct item_change *found = bsearch(&key, op->items, op->item_count, sizeof *op->items, compare_changes);
        if (found != NULL && found->adds == adds)
            return true;
    }
    return false;
}

bool operations_add_item(const struct operations *ops, struct span path, const struct hash *item)
{
    return has_item(ops, path, item, true);
}

bool operations_remove_item(const struct operations *ops, struct span path, const struct hash *item)
{
    return has_item(ops, path, item, false);
}

static int compare_order(const void *a, const void *b)
{
    const struct operation *const *x = a;
    const struct operation *const *y = b;
    return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

static struct span first_part(struct span rest)
{
    const char *dot = memchr(rest.ptr, '.', rest.len);
    if (dot != NULL)
        rest.len = (size_t)(dot - rest.ptr);
    const char *kind = memchr(rest.ptr, '#', rest.len);
    if (kind != NULL)
        rest.len = (size_t)(kind - rest.ptr);
    return rest;
}

struct changed {
    struct span_list list;
    size_t cap;
    struct hash_map *seen;
};

static void add_part(struct changed *c, struct span part)
{
    struct hash hash = sha256(part);
    if (!hash_map_add(c->seen, &hash))
        return;
    if (c->list.count == c->cap) {
        c->cap = c->cap != 0 ? 2 * c->cap : 16;
        c->list.items = mem_resize(c->list.items, c->cap * sizeof *c->list.items);
    }
    c->list.items[c->list.count++] = part;
}

static void add_parts(struct changed *c, const struct operations *ops, struct span prefix)
{
    size_t begin = lower_bound(ops, prefix, (enum algorithm)0);
    size_t end = begin;
    while (end < ops->count && span_starts_with(ops->items[end].path, prefix))
        end++;
    const struct operation **range = mem_array(end - begin, sizeof(struct operation *));
    for (size_t i = begin; i < end; i++)
        range[i - begin] = &ops->items[i];
    qsort(range, end - begin, sizeof(struct operation *), compare_order);
    for (size_t i = 0; i < end - begin; i++)
        add_part(c, first_part(span_from(range[i]->path, prefix.len)));
    free(range);
}

struct span_list operations_changed(const struct graph_view *v, struct span path, struct arena *a)
{
    struct span prefix = path.len != 0 ? lookup_join(a, path, SPAN("")) : path;
    struct changed c = {.seen = hash_map_create()};
    for (size_t i = 0; i < v->graph->count; i++) {
        const struct graph_node *n = v->graph->nodes[i];
        if (graph_has(v, n) && n->operations != NULL)
            add_parts(&c, n->operations, prefix);
    }
    struct span_list list = {arena_alloc(a, c.list.count * sizeof *list.items), c.list.count};
    if (list.count != 0)
        memcpy(list.items, c.list.items, list.count * sizeof *list.items);
    free(c.list.items);
    hash_map_destroy(c.seen);
    return list;
}
