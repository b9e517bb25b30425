// Lists and sets. Items count by their content: a list may hold one twice.
#include <stdlib.h>

#include "crypto/sha256.h"
#include "data/combine_internal.h"

enum { FIRST, SECOND, SIDES };

struct item {
    size_t counts[SIDES];
    size_t base;       // the most that a base holds
    size_t put[SIDES]; // when a side put it in last: rank
    size_t taken[SIDES];
    size_t wanted; // in the result
    size_t made;   // there already
};

bool combine_is_same(const struct value *a, const struct value *b)
{
    return a == b || (a != NULL && b != NULL && value_eq(a, b));
}

void combine_tell(const struct place *p, const struct value *lost, bool was_first)
{
    if (p->all.lost != NULL)
        p->all.lost(p->all.ctx, p->path, lost, was_first);
}

bool combine_is_items(const struct value *v)
{
    return v != NULL && (v->kind == VALUE_LIST || v->kind == VALUE_SET);
}

static size_t count_of(const struct value *list)
{
    return combine_is_items(list) ? list->list.count : 0;
}

// ---- What an item is ------------------------------------------------------------------------------------------------

static int compare_hashes(const void *a, const void *b)
{
    return hash_compare(a, b);
}

static void add_hash(struct buf *out, struct hash h)
{
    buf_add(out, h.b, sizeof h.b);
}

static struct hash digest(const struct value *v);

static void add_part(struct buf *out, struct hash name, const struct value *v)
{
    struct buf part = {0};
    add_hash(&part, name);
    add_hash(&part, digest(v));
    add_hash(out, sha256(buf_span(&part)));
    buf_free(&part);
}

static void add_content(struct buf *out, const struct value *v)
{
    bool is_list = v->kind == VALUE_LIST || v->kind == VALUE_SET;
    for (size_t i = 0; is_list && i < v->list.count; i++)
        add_hash(out, digest(v->list.items[i]));
    for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++)
        add_part(out, digest(v->map.pairs[i].key), v->map.pairs[i].value);
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->object.count; i++)
        add_part(out, sha256(v->object.members[i].name), v->object.members[i].value);
    if (v->kind != VALUE_LIST && out->len != 0) // in any order
        qsort(out->data, out->len / HASH_SIZE, HASH_SIZE, compare_hashes);
}

// Equal for what value_eq calls equal.
static struct hash digest(const struct value *v)
{
    struct buf text = {0};
    struct buf content = {0};
    double number = v->kind == VALUE_NUMBER || v->kind == VALUE_DATE ? v->number + 0.0 : 0;
    add_content(&content, v);
    buf_add_char(&text, (char)('a' + v->kind));
    buf_add_char(&text, v->kind == VALUE_BOOL && v->boolean ? '1' : '0');
    buf_add(&text, &number, sizeof number);
    if (v->kind == VALUE_STRING || v->kind == VALUE_REGEXP || v->kind == VALUE_FOREIGN)
        buf_add_span(&text, v->string);
    buf_add_span(&text, buf_span(&content));
    struct hash h = sha256(buf_span(&text));
    buf_free(&content);
    buf_free(&text);
    return h;
}

// ---- What became of each --------------------------------------------------------------------------------------------

struct items {
    struct hash_map *index; // of what one of the sides holds: digest -> item
    struct arena *arena;
};

// How often a list holds each item: digest -> size_t.
static struct hash_map *bag_of(const struct items *items, const struct value *list)
{
    struct hash_map *bag = hash_map_create();
    for (size_t i = 0; i < count_of(list); i++) {
        struct hash h = digest(list->list.items[i]);
        size_t *n = hash_map_get(bag, &h);
        if (n == NULL) {
            n = arena_alloc(items->arena, sizeof *n);
            hash_map_set(bag, &h, n);
        }
        ++*n;
    }
    return bag;
}

static void note_base(const struct items *items, const struct value *base)
{
    struct hash_map *bag = bag_of(items, base);
    size_t cursor = 0;
    struct hash h;
    void *times;
    while (hash_map_next(bag, &cursor, &h, &times)) {
        struct item *item = hash_map_get(items->index, &h);
        if (item != NULL && *(size_t *)times > item->base)
            item->base = *(size_t *)times;
    }
    hash_map_destroy(bag);
}

// Of the items in one bag and not in the other.
static void note_ranks(const struct items *items, const struct hash_map *in, const struct hash_map *out, int side,
                       bool put, size_t rank)
{
    size_t cursor = 0;
    struct hash h;
    void *times;
    while (hash_map_next(in, &cursor, &h, &times)) {
        struct item *item = hash_map_get(items->index, &h);
        if (item == NULL || hash_map_has(out, &h))
            continue;
        size_t *last = put ? &item->put[side] : &item->taken[side];
        *last = rank > *last ? rank : *last;
    }
}

static void note_changes(const struct items *items, const struct combine_versions *versions, int side)
{
    for (size_t i = 0; i < versions->count; i++) {
        const struct combine_version *v = &versions->items[i];
        if (combine_is_same(v->value, v->before))
            continue;
        struct hash_map *now = bag_of(items, v->value);
        struct hash_map *before = bag_of(items, v->before);
        note_ranks(items, now, before, side, true, v->rank);
        note_ranks(items, before, now, side, false, v->rank);
        hash_map_destroy(now);
        hash_map_destroy(before);
    }
}

static void index_side(struct items *items, const struct value *list, int side)
{
    for (size_t i = 0; i < count_of(list); i++) {
        struct hash h = digest(list->list.items[i]);
        struct item *item = hash_map_get(items->index, &h);
        if (item == NULL) {
            item = arena_alloc(items->arena, sizeof *item);
            hash_map_set(items->index, &h, item);
        }
        item->counts[side]++;
    }
}

static struct items find_items(const struct place *p)
{
    struct items items = {.index = hash_map_create(), .arena = p->all.arena};
    index_side(&items, p->first, FIRST);
    index_side(&items, p->second, SECOND);
    for (size_t i = 0; i < p->all.base_count; i++)
        note_base(&items, p->all.bases[i]);
    for (size_t i = 0; i < count_of(p->made); i++) {
        struct hash h = digest(p->made->list.items[i]);
        struct item *item = hash_map_get(items.index, &h);
        if (item != NULL)
            item->made++;
    }
    note_changes(&items, &p->all.first, FIRST);
    note_changes(&items, &p->all.second, SECOND);
    return items;
}

// ---- Joining --------------------------------------------------------------------------------------------------------

static size_t times_wanted(const struct item *item)
{
    const size_t *n = item->counts;
    if (n[FIRST] != 0 && n[SECOND] != 0) {
        if (n[FIRST] == item->base)
            return n[SECOND];
        return n[SECOND] == item->base || n[FIRST] > n[SECOND] ? n[FIRST] : n[SECOND];
    }
    int with = n[FIRST] != 0 ? FIRST : SECOND;
    size_t put = item->put[with];
    size_t taken = item->taken[SIDES - 1 - with];
    bool stays = put != taken ? put > taken : item->base == 0;
    return stays ? n[with] : 0;
}

static void tell_lost(const struct place *p, const struct items *items, const struct value *list, int side)
{
    for (size_t i = 0; i < count_of(list); i++) {
        struct hash h = digest(list->list.items[i]);
        struct item *item = hash_map_get(items->index, &h);
        if ((p->judging ? item->made : item->wanted) == 0 && item->put[side] != 0)
            combine_tell(p, list->list.items[i], side == FIRST);
    }
}

static void add_wanted(const struct place *p, const struct items *items, const struct value *from, struct value *out)
{
    for (size_t i = 0; i < count_of(from); i++) {
        struct hash h = digest(from->list.items[i]);
        struct item *item = hash_map_get(items->index, &h);
        if (item->made == item->wanted)
            continue;
        item->made++;
        value_add(p->all.arena, out, from->list.items[i]);
    }
}

struct value *combine_items(const struct place *p)
{
    const struct value *kind = p->first != NULL ? p->first : p->second;
    struct value *out = kind->kind == VALUE_SET ? value_set(p->all.arena) : value_list(p->all.arena);
    struct items items = find_items(p);
    size_t cursor = 0;
    struct hash key;
    void *item;
    while (hash_map_next(items.index, &cursor, &key, &item))
        ((struct item *)item)->wanted = times_wanted(item);
    tell_lost(p, &items, p->first, FIRST);
    tell_lost(p, &items, p->second, SECOND);
    if (!p->judging) {
        add_wanted(p, &items, p->first, out);
        add_wanted(p, &items, p->second, out); // what the first has not brought
    }
    hash_map_destroy(items.index);
    return out->list.count == 0 && (p->first == NULL || p->second == NULL) ? NULL : out;
}
