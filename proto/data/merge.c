// For each value the nearest versions on either side that touched it are asked (graph_nearest), and of several the
// later counts. Only members that some version changed are merged; the others are those of the version that both have
// in common.
#include "data/merge.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "data/difference.h"
#include "data/linkedlist.h"
#include "data/merge_internal.h"

static enum status merge_value(struct merger *m, struct subject s, struct value **out, struct error *e);

struct operation_test {
    struct span path;
    enum algorithm algorithm;
};

static bool sets(const struct graph_node *n, const void *arg)
{
    const struct operation_test *t = arg;
    return operations_set(n->operations, t->path, t->algorithm);
}

static bool sets_or_deletes(const struct graph_node *n, const void *arg)
{
    const struct operation_test *t = arg;
    return sets(n, arg) || operations_delete(n->operations, t->path);
}

// The nearest node that sets a register or link; the later one where branches offer several. NULL if there is none.
static struct graph_node *best_setter(const struct graph_view *v, struct graph_node *from, struct span path,
                                      enum algorithm algorithm)
{
    struct operation_test test = {.path = path, .algorithm = algorithm};
    struct graph_nodes found = {0};
    struct graph_node *best = NULL;
    graph_nearest(v, from, sets, &test, &found);
    for (size_t i = 0; i < found.count; i++) {
        if (best == NULL || graph_is_later(found.items[i], best))
            best = found.items[i];
    }
    free(found.items);
    return best;
}

static enum status merge_register(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct graph_node *a = best_setter(s.view, s.view->first, s.path, ALGORITHM_REGISTER);
    struct graph_node *b = best_setter(s.view, s.view->second, s.path, ALGORITHM_REGISTER);
    const struct graph_node *winner = s.view->common;
    if (a != NULL && b != NULL)
        winner = graph_is_later(a, b) ? a : b;
    if (winner == NULL)
        return merge_fail(s.path, "no version sets it", e);
    enum status status = merge_value_in(m, winner, s.path, out, e);
    return status == STATUS_OK && *out == NULL ? merge_fail(s.path, "the winning version has no such value", e)
                                               : status;
}

// Optional properties and map entries: present wins. *out is NULL where nothing is left.
static enum status merge_optional(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct operation_test test = {.path = s.path, .algorithm = ALGORITHM_OPTIONAL};
    struct graph_nodes found = {0};
    struct graph_view reduced;
    *out = NULL;
    graph_nearest(s.view, s.view->first, sets_or_deletes, &test, &found);
    graph_nearest(s.view, s.view->second, sets_or_deletes, &test, &found);
    size_t setters = 0;
    for (size_t i = 0; i < found.count; i++) {
        if (sets(found.items[i], &test))
            found.items[setters++] = found.items[i];
    }
    found.count = setters;
    enum status status = STATUS_OK;
    if (setters != 0) {
        graph_reduce(s.view, &found, &reduced);
        s.view = &reduced;
        status = merge_value(m, s, out, e);
        graph_view_release(&reduced);
    } else if (s.view->common != NULL) {
        status = merge_value_in(m, s.view->common, s.path, out, e);
        if (status == STATUS_OK && *out != NULL)
            status = merge_value(m, s, out, e);
    }
    free(found.items);
    return status;
}

static bool has_part(const struct span_list *parts, struct span name)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (span_eq(parts->items[i], name))
            return true;
    }
    return false;
}

// The value that merging starts from. A link stands for the object it leads to.
static enum status base_of(struct merger *m, struct subject s, enum value_kind kind, struct value **out,
                           struct error *e)
{
    const struct graph_node *base = s.view->common != NULL ? s.view->common : s.view->first;
    struct hash link;
    enum status status = merge_value_in(m, base, s.path, out, e);
    if (status == STATUS_OK && *out != NULL && kind == VALUE_OBJECT && value_as_hash(*out, &link))
        status = lookup_object(m->lookup, &link, out, e);
    if (status == STATUS_OK && (*out == NULL || (*out)->kind != kind))
        return merge_fail(s.path, "the version to start from has no such value", e);
    return status;
}

static enum status merge_members(struct merger *m, struct subject s, const struct rule *rules, size_t count,
                                 struct value **out, struct error *e)
{
    struct value *base;
    enum status status = base_of(m, s, VALUE_OBJECT, &base, e);
    if (status != STATUS_OK)
        return status;
    struct value *object = value_object(m->arena, base->object.type);
    for (size_t i = 0; i < base->object.count; i++)
        value_append_member(m->arena, object, base->object.members[i].name, base->object.members[i].value);
    struct span_list changed = operations_changed(s.view, s.path, m->arena);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (!has_part(&changed, rules[i].itemprop))
            continue;
        struct subject child = {&rules[i].type, lookup_join(m->arena, s.path, rules[i].itemprop), s.view};
        struct value *v = NULL;
        status = rules[i].optional ? merge_optional(m, child, &v, e) : merge_value(m, child, &v, e);
        if (v != NULL)
            value_set_member(m->arena, object, rules[i].itemprop, v);
        else
            value_remove_member(object, rules[i].itemprop);
    }
    *out = object;
    return status;
}

struct entries {              // of a map while it is merged: existing keys keep their place
    struct value_pair *pairs; // value NULL: deleted
    size_t count;
    struct hash_map *index; // key -> pair
};

static void put_entry(struct merger *m, struct entries *entries, struct span key, struct value *v)
{
    struct hash hash = sha256(key);
    struct value_pair *p = hash_map_get(entries->index, &hash);
    if (p == NULL && v == NULL)
        return;
    if (p == NULL) {
        p = &entries->pairs[entries->count++];
        p->key = value_string(m->arena, key);
        hash_map_set(entries->index, &hash, p);
    }
    p->value = v;
}

static void copy_entries(const struct value *map, struct entries *out)
{
    for (size_t i = 0; i < map->map.count; i++) {
        struct value_pair *p = &out->pairs[out->count++];
        *p = map->map.pairs[i];
        if (p->key->kind != VALUE_STRING) // changed keys are texts, which never equal numbers or booleans
            continue;
        struct hash hash = sha256(p->key->string);
        hash_map_set(out->index, &hash, p);
    }
}

static enum status merge_map(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct value *base;
    enum status status = base_of(m, s, VALUE_MAP, &base, e);
    if (status != STATUS_OK)
        return status;
    struct span_list changed = operations_changed(s.view, s.path, m->arena);
    struct entries entries = {.index = hash_map_create()};
    entries.pairs = mem_array(base->map.count + changed.count, sizeof *entries.pairs);
    copy_entries(base, &entries);
    for (size_t i = 0; i < changed.count && status == STATUS_OK; i++) {
        struct subject child = {s.type->item, lookup_join(m->arena, s.path, changed.items[i]), s.view};
        struct value *v = NULL;
        status = merge_optional(m, child, &v, e);
        if (status == STATUS_OK)
            put_entry(m, &entries, changed.items[i], v);
    }
    *out = value_map(m->arena);
    for (size_t i = 0; i < entries.count; i++) {
        if (entries.pairs[i].value != NULL)
            value_append_pair(m->arena, *out, entries.pairs[i].key, entries.pairs[i].value);
    }
    hash_map_destroy(entries.index);
    free(entries.pairs);
    return status;
}

static enum status store_linked(struct merger *m, const struct value *v, struct value **out, struct error *e)
{
    const struct version_source *s = m->source;
    struct object o;
    enum status status = object_make(s->recipes, m->arena, v, MICRODATA_OBJECT, &o, e);
    if (status != STATUS_OK)
        return status;
    if (o.recipe->versioned) {
        struct version_result result;
        status = version_store(s, v, VERSION_CHANGE, m->time, &result, e);
    } else {
        status = s->write(s->ctx, &o, e);
    }
    *out = value_hash(m->arena, &o.hash);
    return status;
}

static enum status rebuild_linked(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct value *link;
    struct value *object;
    struct hash hash;
    enum status status = merge_value_in(m, s.view->first, s.path, &link, e);
    if (status != STATUS_OK)
        return status;
    if (link == NULL || !value_as_hash(link, &hash))
        return merge_fail(s.path, "a version has no such link", e);
    status = lookup_object(m->lookup, &hash, &object, e);
    if (status != STATUS_OK)
        return status;
    const struct recipe *recipe = recipes_find(m->source->recipes, object->object.type);
    status = merge_members(m, s, recipe->rules, recipe->rule_count, &object, e);
    return status == STATUS_OK ? store_linked(m, object, out, e) : status;
}

static enum status merge_reference(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct graph_node *a = best_setter(s.view, s.view->first, s.path, ALGORITHM_REFERENCE);
    struct graph_node *b = best_setter(s.view, s.view->second, s.path, ALGORITHM_REFERENCE);
    if (a == NULL && b == NULL)
        return rebuild_linked(m, s, out, e);
    if (a == b && a != s.view->first && a != s.view->second) {
        struct graph_view reduced;
        graph_reduce(s.view, &(struct graph_nodes){.items = &a, .count = 1}, &reduced);
        s.view = &reduced;
        enum status status = rebuild_linked(m, s, out, e);
        graph_view_release(&reduced);
        return status;
    }
    bool first_wins = b == NULL || (a != NULL && graph_is_later(a, b));
    enum status status = merge_value_in(m, first_wins ? s.view->first : s.view->second, s.path, out, e);
    return status == STATUS_OK && *out == NULL ? merge_fail(s.path, "the winning version has no such link", e) : status;
}

static enum status join_lists(struct merger *m, const struct value *first, const struct value *second,
                              struct value **out, struct error *e)
{
    struct hash a = {{0}};
    struct hash b = {{0}};
    struct hash head;
    if (first != NULL)
        value_as_hash(first, &a);
    if (second != NULL)
        value_as_hash(second, &b);
    enum status status = list_merge(m->source, &a, &b, &head, e);
    *out = status == STATUS_OK && !hash_is_zero(&head) ? value_hash(m->arena, &head) : NULL;
    return status;
}

static enum status merge_list(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    struct value *first;
    struct value *second;
    enum status status = merge_value_in(m, s.view->first, s.path, &first, e);
    if (status == STATUS_OK)
        status = merge_value_in(m, s.view->second, s.path, &second, e);
    if (status == STATUS_OK)
        status = join_lists(m, first, second, out, e);
    return status == STATUS_OK && *out == NULL ? merge_fail(s.path, "no version has a list", e) : status;
}

static enum status merge_parts(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    if (s.type->kind == TYPE_MAP)
        return merge_map(m, s, out, e);
    return merge_members(m, s, s.type->rules, s.type->rule_count, out, e);
}

static enum status merge_value(struct merger *m, struct subject s, struct value **out, struct error *e)
{
    enum algorithm algorithm;
    enum status status = algorithm_of_value(m->recipe, s.path, s.type->kind, &algorithm, e);
    if (status != STATUS_OK)
        return status;
    switch (algorithm) {
    case ALGORITHM_REGISTER:
        return merge_register(m, s, out, e);
    case ALGORITHM_SET:
        return merge_set(m, s, out, e);
    case ALGORITHM_REFERENCE:
        return merge_reference(m, s, out, e);
    case ALGORITHM_LIST:
        return merge_list(m, s, out, e);
    default:
        return merge_parts(m, s, out, e);
    }
}

static enum status merge_graph(struct merger *m, const struct graph_view *v, struct value **merged, struct error *e)
{
    struct value *first;
    enum status status = lookup_object(m->lookup, &v->first->data, &first, e);
    if (status != STATUS_OK)
        return status;
    m->recipe = recipes_find(m->source->recipes, first->object.type);
    m->time = v->first->creation_time > v->second->creation_time ? v->first->creation_time : v->second->creation_time;
    status = difference_compute(m->source, m->recipe, m->arena, v, e);
    if (status != STATUS_OK)
        return status;
    struct subject whole = {NULL, SPAN(""), v};
    return merge_members(m, whole, m->recipe->rules, m->recipe->rule_count, merged, e);
}

enum status merge_versions(const struct version_source *s, struct arena *a, const struct hash *first,
                           const struct hash *second, bool *contained, struct hash *current, struct value **merged,
                           struct error *e)
{
    struct graph_view view;
    enum status status = graph_build(s, a, first, second, &view, contained, current, e);
    if (status != STATUS_OK || *contained)
        return status;
    struct merger m = {.source = s, .arena = a, .lookup = lookup_create(s, a)};
    status = merge_graph(&m, &view, merged, e);
    lookup_destroy(m.lookup);
    return status;
}

bool merge_needs_history(const struct recipe *recipe)
{
    return !algorithm_only_lists(recipe);
}

static enum status merge_heads(struct merger *m, const struct value *first, const struct value *second,
                               struct value **merged, struct error *e)
{
    enum status status = STATUS_OK;
    *merged = value_copy(m->arena, first);
    for (size_t i = 0; i < m->recipe->rule_count && status == STATUS_OK; i++) {
        struct span name = m->recipe->rules[i].itemprop;
        struct value *head;
        if (m->recipe->rules[i].is_id)
            continue;
        status = join_lists(m, lookup_member(first, name), lookup_member(second, name), &head, e);
        if (status == STATUS_OK && head != NULL)
            value_set_member(m->arena, *merged, name, head);
    }
    return status;
}

enum status merge_lists(const struct version_source *s, struct arena *a, const struct hash *first_data,
                        const struct hash *second_data, struct value **merged, struct error *e)
{
    struct merger m = {.source = s, .arena = a, .lookup = lookup_create(s, a)};
    struct value *first;
    struct value *second;
    enum status status = lookup_object(m.lookup, first_data, &first, e);
    if (status == STATUS_OK)
        status = lookup_object(m.lookup, second_data, &second, e);
    if (status == STATUS_OK) {
        m.recipe = recipes_find(s->recipes, first->object.type);
        status = merge_heads(&m, first, second, merged, e);
    }
    lookup_destroy(m.lookup);
    return status;
}
