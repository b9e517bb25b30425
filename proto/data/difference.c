// The reference ends its comparison of a map at the first key that is gone, and what it does not compare it does not
// merge: so does this.
#include "data/difference.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "data/lookup.h"
#include "data/number.h"

enum { SCRATCH_LIMIT = 8 << 20 }; // bytes of parsed versions to keep while going through a history

struct differ {
    const struct recipe *recipe; // whose crdtConfig counts
    const struct recipes *recipes;
    struct arena *arena;   // for what stays
    struct arena *scratch; // for the versions
    struct lookup *lookup;
    struct hash_map *versions; // seen so far
    struct operation *found;
    size_t count;
    size_t cap;
    size_t steps;
    size_t steps_max;
    size_t arena_before; // bytes in it
};

struct pair { // before is NULL where there was nothing
    const struct value *before;
    const struct value *after;
};

static enum status diff_members(struct differ *d, struct span path, const struct rule *rules, size_t count,
                                struct pair objects, size_t depth, struct error *e);
static enum status diff_value(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                              size_t depth, struct error *e);

static struct span child_path(struct differ *d, struct span path, struct span name)
{
    struct span child = lookup_join(d->scratch, path, name);
    d->steps += child.len / DIFFERENCE_STEP_BYTES;
    return child;
}

static struct operation *record(struct differ *d, struct span path, enum algorithm algorithm)
{
    if (d->count == d->cap) {
        d->cap = d->cap != 0 ? 2 * d->cap : 32;
        d->found = mem_resize(d->found, d->cap * sizeof *d->found);
    }
    struct operation *op = &d->found[d->count];
    *op = (struct operation){.path = arena_copy(d->arena, path), .algorithm = algorithm, .order = d->count};
    d->count++;
    return op;
}

static enum status hash_item(const struct value_type *type, const struct value *item, size_t *bytes, struct hash *out,
                             struct error *e)
{
    struct buf text = {0};
    enum status status = microdata_write_value(type, item, &text, e);
    if (status == STATUS_OK)
        *out = sha256(buf_span(&text));
    *bytes = text.len;
    buf_free(&text);
    return status;
}

enum status difference_item(const struct value_type *type, const struct value *item, struct hash *out, struct error *e)
{
    size_t bytes;
    return hash_item(type, item, &bytes, out, e);
}

static enum status hash_value(struct differ *d, const struct value_type *type, const struct value *v, struct hash *out,
                              struct error *e)
{
    size_t bytes;
    enum status status = hash_item(type, v, &bytes, out, e);
    d->steps += bytes / DIFFERENCE_STEP_BYTES;
    return status;
}

static enum status diff_register(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                                 struct error *e)
{
    struct hash before = {{0}};
    struct hash after = {{0}};
    enum status status = STATUS_OK;
    if (v.before != NULL) {
        status = hash_value(d, type, v.before, &before, e);
        if (status == STATUS_OK)
            status = hash_value(d, type, v.after, &after, e);
    }
    if (status == STATUS_OK && (v.before == NULL || !hash_eq(&before, &after)))
        record(d, path, ALGORITHM_REGISTER)->sets = true;
    return status;
}

static bool is_list(const struct value *v)
{
    return v->kind == VALUE_LIST || v->kind == VALUE_SET;
}

static enum status hash_items(struct differ *d, const struct value_type *type, const struct value *list,
                              struct hash_list *out, struct hash_map *set, struct error *e)
{
    d->steps += list != NULL ? list->list.count : 0;
    for (size_t i = 0; list != NULL && i < list->list.count; i++) {
        struct hash item;
        enum status status = hash_value(d, type->item, list->list.items[i], &item, e);
        if (status != STATUS_OK)
            return status;
        if (hash_map_add(set, &item))
            hash_list_add(out, &item);
    }
    return STATUS_OK;
}

static void record_items(struct differ *d, struct span path, const struct hash_list lists[2],
                         struct hash_map *const sets[2])
{
    struct item_change *changes = arena_alloc(d->arena, (lists[0].count + lists[1].count) * sizeof *changes);
    size_t count = 0;
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < lists[side].count; i++) {
            if (!hash_map_has(sets[1 - side], &lists[side].items[i]))
                changes[count++] = (struct item_change){lists[side].items[i], side == 1};
        }
    }
    if (count == 0)
        return;
    struct operation *op = record(d, path, ALGORITHM_SET);
    op->items = changes;
    op->item_count = count;
}

static enum status diff_list(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                             struct error *e)
{
    if (type->item == NULL || !is_list(v.after) || (v.before != NULL && !is_list(v.before)))
        return error_set(e, STATUS_CONFLICT, "MERGE-FAILED", "the value at " SPAN_FMT " is not a list", SPAN_ARG(path));
    struct hash_list lists[2] = {{0}};
    struct hash_map *sets[2] = {hash_map_create(), hash_map_create()};
    enum status status = hash_items(d, type, v.before, &lists[0], sets[0], e);
    if (status == STATUS_OK)
        status = hash_items(d, type, v.after, &lists[1], sets[1], e);
    if (status == STATUS_OK)
        record_items(d, path, lists, sets);
    for (size_t side = 0; side < 2; side++) {
        hash_list_free(&lists[side]);
        hash_map_destroy(sets[side]);
    }
    return status;
}

static enum status diff_reference(struct differ *d, struct span path, struct pair v, size_t depth, struct error *e)
{
    struct hash before;
    struct hash after;
    struct value *old = NULL;
    struct value *new;
    if (!value_as_hash(v.after, &after) || (v.before != NULL && !value_as_hash(v.before, &before)))
        return error_set(e, STATUS_CONFLICT, "MERGE-FAILED", "the value at " SPAN_FMT " is not a link", SPAN_ARG(path));
    if (v.before != NULL && hash_eq(&before, &after))
        return STATUS_OK;
    size_t bytes = lookup_bytes(d->lookup);
    enum status status = lookup_object(d->lookup, &after, &new, e);
    if (status == STATUS_OK && v.before != NULL)
        status = lookup_object(d->lookup, &before, &old, e);
    if (status != STATUS_OK)
        return status;
    d->steps += (lookup_bytes(d->lookup) - bytes) / DIFFERENCE_STEP_BYTES;
    bool other_type = old != NULL && !span_eq(old->object.type, new->object.type);
    if (old == NULL || other_type)
        record(d, path, ALGORITHM_REFERENCE)->sets = true;
    if (other_type)
        return STATUS_OK;
    const struct recipe *recipe = recipes_find(d->recipes, new->object.type);
    return diff_members(d, path, recipe->rules, recipe->rule_count, (struct pair){old, new}, depth, e);
}

static struct span key_text(struct arena *a, const struct value *key)
{
    char text[NUMBER_TEXT];
    switch (key->kind) {
    case VALUE_STRING:
        return key->string;
    case VALUE_NUMBER:
        return arena_copy(a, (struct span){text, number_write(key->number, text)});
    default:
        return key->boolean ? SPAN("true") : SPAN("false");
    }
}

static struct hash_map *index_map(struct differ *d, const struct value *map)
{
    struct hash_map *index = hash_map_create();
    d->steps += map != NULL ? map->map.count : 0;
    for (size_t i = 0; map != NULL && i < map->map.count; i++) {
        struct hash key = sha256(key_text(d->scratch, map->map.pairs[i].key));
        hash_map_set(index, &key, map->map.pairs[i].value);
    }
    return index;
}

static void record_existence(struct differ *d, struct span path, struct pair v)
{
    if ((v.before == NULL) == (v.after == NULL))
        return;
    struct operation *op = record(d, path, ALGORITHM_OPTIONAL);
    op->sets = v.before == NULL;
    op->deletes = v.before != NULL;
}

static enum status diff_entry(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                              size_t depth, struct error *e)
{
    enum status status = algorithm_check_existence(d->recipe, path, true, e);
    if (status != STATUS_OK)
        return status;
    record_existence(d, path, v);
    return v.after != NULL ? diff_value(d, type->item, path, v, depth, e) : STATUS_OK;
}

// The comparison of a map ends at the first key that is gone, as in the reference.
static enum status diff_map(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                            size_t depth, struct error *e)
{
    enum status status = STATUS_OK;
    struct hash_map *old = index_map(d, v.before);
    struct hash_map *new = index_map(d, v.after);
    size_t old_count = v.before != NULL ? v.before->map.count : 0;
    bool ended = false;
    for (size_t i = 0; i < old_count + v.after->map.count && status == STATUS_OK && !ended; i++) {
        const struct value_pair *p = i < old_count ? &v.before->map.pairs[i] : &v.after->map.pairs[i - old_count];
        struct span key = key_text(d->scratch, p->key);
        struct hash hash = sha256(key);
        if (i >= old_count && hash_map_has(old, &hash))
            continue;
        struct pair entry = {hash_map_get(old, &hash), hash_map_get(new, &hash)};
        status = diff_entry(d, type, child_path(d, path, key), entry, depth, e);
        ended = entry.after == NULL;
    }
    hash_map_destroy(old);
    hash_map_destroy(new);
    return status;
}

static enum status diff_value(struct differ *d, const struct value_type *type, struct span path, struct pair v,
                              size_t depth, struct error *e)
{
    if (depth >= DIFFERENCE_MAX_DEPTH || ++d->steps > d->steps_max ||
        arena_used(d->arena) - d->arena_before > DIFFERENCE_MAX_BYTES)
        return error_set(e, STATUS_TOO_BIG, "MERGE-TOO-BIG", "the versions are too deep or too big to be compared");
    if (type->kind == TYPE_MAP)
        return diff_map(d, type, path, v, depth + 1, e);
    if (type->kind == TYPE_OBJECT)
        return diff_members(d, path, type->rules, type->rule_count, v, depth + 1, e);
    enum algorithm algorithm;
    enum status status = algorithm_of_value(d->recipe, path, type->kind, &algorithm, e);
    if (status != STATUS_OK)
        return status;
    switch (algorithm) {
    case ALGORITHM_REGISTER:
        return diff_register(d, type, path, v, e);
    case ALGORITHM_SET:
        return diff_list(d, type, path, v, e);
    case ALGORITHM_REFERENCE:
        return diff_reference(d, path, v, depth + 1, e);
    default:
        return STATUS_OK; // lists are merged from their heads alone
    }
}

static enum status diff_members(struct differ *d, struct span path, const struct rule *rules, size_t count,
                                struct pair objects, size_t depth, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct pair v = {objects.before != NULL ? lookup_member(objects.before, rules[i].itemprop) : NULL,
                         lookup_member(objects.after, rules[i].itemprop)};
        if (v.before == NULL && v.after == NULL)
            continue;
        struct span child = child_path(d, path, rules[i].itemprop);
        status = algorithm_check_existence(d->recipe, child, false, e);
        if (status != STATUS_OK)
            return status;
        if (rules[i].optional)
            record_existence(d, child, v);
        if (v.after != NULL)
            status = diff_value(d, &rules[i].type, child, v, depth, e);
    }
    return status;
}

static enum status load_version(struct differ *d, const struct hash *data, const struct value **out, struct error *e)
{
    struct value *object;
    size_t before = lookup_bytes(d->lookup);
    enum status status = lookup_object(d->lookup, data, &object, e);
    size_t bytes = lookup_bytes(d->lookup) - before;
    if (hash_map_add(d->versions, data))
        d->steps_max += bytes / DIFFERENCE_TEXT_BYTES;
    else
        d->steps += bytes / DIFFERENCE_STEP_BYTES;
    if (status == STATUS_OK && !span_eq(object->object.type, d->recipe->name))
        return error_set(e, STATUS_CORRUPT, "VERSION-GRAPH", "version %s is of another type than the others",
                         hash_text(data).s);
    *out = object;
    return status;
}

static enum status diff_node(struct differ *d, struct graph_node *n, struct error *e)
{
    if (n->kind == VERSIONNODE_MERGE)
        return STATUS_OK;
    if (arena_used(d->scratch) > SCRATCH_LIMIT) {
        lookup_forget(d->lookup);
        arena_reset(d->scratch);
    }
    struct pair v = {NULL, NULL};
    enum status status = load_version(d, &n->data, &v.after, e);
    if (status == STATUS_OK && n->kind == VERSIONNODE_CHANGE)
        status = load_version(d, &n->before[0]->data, &v.before, e);
    if (status == STATUS_OK)
        status = diff_members(d, SPAN(""), d->recipe->rules, d->recipe->rule_count, v, 0, e);
    if (status == STATUS_OK)
        n->operations = operations_make(d->arena, d->found, d->count);
    d->count = 0;
    return status;
}

enum status difference_compute(const struct version_source *s, const struct recipe *recipe, struct arena *a,
                               const struct graph_view *v, struct error *e)
{
    struct differ d = {.recipe = recipe, .recipes = s->recipes, .arena = a, .scratch = arena_create()};
    d.lookup = lookup_create(s, d.scratch);
    d.versions = hash_map_create();
    d.steps_max = DIFFERENCE_MAX_STEPS + DIFFERENCE_NODE_STEPS * v->graph->count;
    d.arena_before = arena_used(a);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < v->graph->count && status == STATUS_OK; i++) {
        if (v->graph->nodes[i] != v->common)
            status = diff_node(&d, v->graph->nodes[i], e);
    }
    free(d.found);
    hash_map_destroy(d.versions);
    lookup_destroy(d.lookup);
    arena_destroy(d.scratch);
    return status;
}
