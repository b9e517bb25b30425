// Edits made apart: nodes that take in each other's versions with their history come to the same content, whoever heard
// of what first, and what only one of them changed is changed. Clocks are of no help: every edit has any time.
#include <stdio.h>
#include <stdlib.h>

#include "data/versionnode.h"
#include "fixture.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { CASES = 500, NODES = 3, ROUNDS = 3, SLOTS = 6, ITEMS = 400, TEXT = 16 };

struct slot { // of single values
    unsigned writers;
    char first[TEXT]; // before the round; "" = missing
    char last[NODES][TEXT];
};

struct item {
    bool there, gone;
};

struct world {
    struct memory_source *nodes[NODES];
    struct arena *a;
    struct hash id;
    struct slot slots[SLOTS];
    struct item items[ITEMS];
    unsigned edits;
};

static struct recipes *recipes;

// ---- Nodes ----------------------------------------------------------------------------------------------------------

static struct versionnode head_of(struct world *w, size_t node)
{
    struct hash head;
    struct versionnode n;
    assert_true(memory_source_head(w->nodes[node], &w->id, &head));
    assert_int_equal(versionnode_read(&w->nodes[node]->source, &head, w->a, &n, NULL), STATUS_OK);
    return n;
}

static struct value *current(struct world *w, size_t node)
{
    struct versionnode head = head_of(w, node);
    struct span text;
    struct value *v;
    assert_true(memory_source_text(w->nodes[node], &head.data, &text));
    assert_int_equal(microdata_read(recipes, w->a, text, MICRODATA_OBJECT, SPAN(""), &v, NULL), STATUS_OK);
    return v;
}

static void store(struct world *w, size_t node, const struct value *v)
{
    struct error e = {0};
    struct version_result r;
    if (version_store(&w->nodes[node]->source, v, VERSION_CHANGE, property_below(1000), &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    w->id = r.id_hash;
}

static bool follow(struct world *w, size_t node, const struct hash *version)
{
    struct error e = {0};
    struct version_result r;
    if (version_follow(&w->nodes[node]->source, version, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return r.changed;
}

// Everything behind the head of a node, the head first.
static struct hash_list history_of(struct world *w, size_t node)
{
    struct hash_list all = {0};
    struct hash_map *met = hash_map_create();
    struct versionnode n = head_of(w, node);
    hash_list_add(&all, &n.hash);
    for (size_t i = 0; i < all.count; i++) {
        assert_int_equal(versionnode_read(&w->nodes[node]->source, &all.items[i], w->a, &n, NULL), STATUS_OK);
        for (size_t k = 0; k < n.before_count; k++)
            if (hash_map_add(met, &n.before[k]))
                hash_list_add(&all, &n.before[k]);
    }
    hash_map_destroy(met);
    return all;
}

// The versions come in any order, some of them more than once.
static bool send(struct world *w, size_t from, size_t to)
{
    struct versionnode head = head_of(w, from);
    struct hash_list all = history_of(w, from);
    bool moved = false;
    memory_source_copy(w->nodes[to], w->nodes[from]);
    for (uint32_t n = property_below(4); n > 0; n--)
        moved |= follow(w, to, &all.items[property_below((uint32_t)all.count)]);
    moved |= follow(w, to, &head.hash);
    hash_list_free(&all);
    return moved;
}

static void expect_equal(struct world *w, size_t one, size_t other)
{
    struct versionnode a = head_of(w, one);
    struct versionnode b = head_of(w, other);
    struct span x;
    struct span y;
    if (hash_eq(&a.data, &b.data))
        return;
    memory_source_text(w->nodes[one], &a.data, &x);
    memory_source_text(w->nodes[other], &b.data, &y);
    fail_msg("node %zu has\n" SPAN_FMT "\nnode %zu has\n" SPAN_FMT, one, SPAN_ARG(x), other, SPAN_ARG(y));
}

static void settle(struct world *w)
{
    for (int turn = 0; turn < 6; turn++) {
        bool moved = false;
        for (size_t from = 0; from < NODES; from++)
            for (size_t to = 0; to < NODES; to++)
                moved |= from != to && send(w, from, to);
        if (!moved)
            return;
    }
    fail_msg("the nodes never come to rest");
}

// ---- Edits ----------------------------------------------------------------------------------------------------------

static struct value *part(struct value *doc, const char *name)
{
    return value_get(doc, span_of(name));
}

// s, t and an entry of the map may be missing; of the nested object a may not.
static struct value *value_in(struct value *doc, size_t slot)
{
    switch (slot) {
    case 0:
        return part(doc, "s");
    case 1:
        return part(doc, "t");
    case 2:
        return value_map_get(part(doc, "map"), SPAN("a"));
    case 3:
        return value_map_get(part(doc, "map"), SPAN("b"));
    case 4:
        return part(part(doc, "o"), "a");
    default:
        return part(part(doc, "o"), "b");
    }
}

static void set_member(struct world *w, struct value *object, const char *name, const char *text)
{
    if (text[0] == '\0')
        value_remove_member(object, span_of(name));
    else
        value_set_member(w->a, object, span_of(name), value_text(w->a, text));
}

static void set_entry(struct world *w, struct value *doc, const char *key, const char *text)
{
    struct value *old = part(doc, "map");
    struct value *map = value_map(w->a);
    for (size_t i = 0; i < old->map.count; i++)
        if (!span_eq_text(old->map.pairs[i].key->string, key))
            value_put(w->a, map, old->map.pairs[i].key, old->map.pairs[i].value);
    if (text[0] != '\0')
        value_put(w->a, map, value_text(w->a, key), value_text(w->a, text));
    value_set_member(w->a, doc, SPAN("map"), map);
}

static void write_slot(struct world *w, struct value *doc, size_t slot, const char *text)
{
    if (slot < 2)
        set_member(w, doc, slot == 0 ? "s" : "t", text);
    else if (slot < 4)
        set_entry(w, doc, slot == 2 ? "a" : "b", text);
    else
        set_member(w, part(doc, "o"), slot == 4 ? "a" : "b", text);
}

static void edit_slot(struct world *w, size_t node, struct value *doc)
{
    size_t slot = property_below(SLOTS);
    char *text = w->slots[slot].last[node];
    const struct value *old = value_in(doc, slot);
    text[0] = '\0';
    if (slot == 4 || old == NULL || !property_chance(5))
        snprintf(text, TEXT, "v%u", w->edits);
    w->slots[slot].writers |= 1U << node;
    write_slot(w, doc, slot, text);
}

static void remove_item(struct world *w, struct value *doc, const char *name)
{
    struct value *list = part(doc, name);
    if (list->list.count == 0)
        return;
    size_t i = property_below((uint32_t)list->list.count);
    struct span text = list->list.items[i]->string;
    w->items[strtoul(text.ptr, NULL, 10)].gone = true;
    struct value *rest = list->kind == VALUE_SET ? value_set(w->a) : value_list(w->a);
    for (size_t k = 0; k < list->list.count; k++)
        if (k != i)
            value_add(w->a, rest, list->list.items[k]);
    value_set_member(w->a, doc, span_of(name), rest);
}

// Even items are of the set, odd ones of the array.
static void edit_items(struct world *w, struct value *doc)
{
    unsigned n = w->edits % ITEMS;
    const char *name = n % 2 == 0 ? "set" : "arr";
    char text[TEXT];
    if (property_chance(3)) {
        remove_item(w, doc, name);
        return;
    }
    snprintf(text, sizeof text, "%u", n);
    w->items[n].there = true;
    value_add(w->a, part(doc, name), value_text(w->a, text));
}

static void edit(struct world *w, size_t node)
{
    struct value *doc = current(w, node);
    w->edits++;
    if (property_chance(2))
        edit_items(w, doc);
    else
        edit_slot(w, node, doc);
    store(w, node, doc);
}

// ---- What must be there ---------------------------------------------------------------------------------------------

static bool has_item(const struct value *list, size_t n)
{
    char text[TEXT];
    size_t found = 0;
    snprintf(text, sizeof text, "%zu", n);
    for (size_t i = 0; i < list->list.count; i++)
        found += span_eq_text(list->list.items[i]->string, text);
    assert_true(found <= 1);
    return found != 0;
}

static void expect_slot(struct slot *slot, const struct value *v, size_t number)
{
    struct span text = v != NULL ? v->string : SPAN("");
    bool fits = slot->writers == 0 && span_eq_text(text, slot->first);
    for (size_t n = 0; n < NODES; n++)
        fits = fits || ((slot->writers & (1U << n)) != 0 && span_eq_text(text, slot->last[n]));
    bool alone = (slot->writers & (slot->writers - 1)) == 0;
    if (!fits && alone)
        fail_msg("slot %zu is '" SPAN_FMT "', which its only writer has not left there", number, SPAN_ARG(text));
    snprintf(slot->first, TEXT, SPAN_FMT, SPAN_ARG(text));
    slot->writers = 0;
}

static void expect_edits(struct world *w)
{
    struct value *doc = current(w, 0);
    for (size_t i = 0; i < SLOTS; i++)
        expect_slot(&w->slots[i], value_in(doc, i), i);
    for (size_t i = 0; i < ITEMS; i++)
        if (has_item(part(doc, i % 2 == 0 ? "set" : "arr"), i) != (w->items[i].there && !w->items[i].gone))
            fail_msg("item %zu was %s", i, w->items[i].gone ? "removed, and is there" : "lost");
}

static struct world world_create(void)
{
    struct world w = {.a = arena_create()};
    for (size_t i = 0; i < NODES; i++)
        w.nodes[i] = memory_source_create(recipes);
    store(&w, 0,
          fixture_value(w.a, "{\"$type$\":\"Doc\",\"id\":\"d\",\"set\":{\"$set\":[]},\"arr\":[],"
                             "\"map\":{\"$map\":[]},\"o\":{\"a\":\"x\"}}"));
    snprintf(w.slots[4].first, TEXT, "x");
    return w;
}

static void world_destroy(struct world *w)
{
    for (size_t i = 0; i < NODES; i++)
        memory_source_destroy(w->nodes[i]);
    arena_destroy(w->a);
}

// Now and then more edits than are looked at one by one.
static uint32_t some_edits(void)
{
    return property_chance(30) ? 120 : property_below(12);
}

static void no_edit_is_lost(void **state)
{
    (void)state;
    for (long i = property_cases(CASES); i > 0; i--) {
        struct world w = world_create();
        settle(&w);
        for (int round = 0; round < ROUNDS; round++) {
            for (uint32_t n = some_edits(); n > 0; n--) {
                size_t node = property_below(NODES);
                if (property_chance(4))
                    send(&w, node, (node + 1 + property_below(NODES - 1)) % NODES);
                else
                    edit(&w, node);
            }
            settle(&w);
            expect_equal(&w, 0, 1);
            expect_equal(&w, 0, 2);
            expect_edits(&w);
        }
        world_destroy(&w);
    }
}

// ---- A peer that merges in its own way ------------------------------------------------------------------------------

enum { STRANGER = 2 };

// The versions that are new, without merges, the deepest first.
static bool send_versions(struct world *w, size_t from, size_t to)
{
    struct versionnode head = head_of(w, from);
    struct hash_list nodes = {0};
    struct hash_list fresh = {0};
    struct error e = {0};
    struct version_result r;
    struct span text;
    bool moved = false;
    assert_int_equal(version_list(&w->nodes[from]->source, &head.hash, &nodes, NULL), STATUS_OK);
    for (size_t i = nodes.count; i-- > 0;)
        if (!memory_source_text(w->nodes[to], &nodes.items[i], &text) && !hash_list_has(&fresh, &nodes.items[i]))
            hash_list_add(&fresh, &nodes.items[i]);
    memory_source_copy(w->nodes[to], w->nodes[from]);
    for (size_t i = 0; i < fresh.count; i++) {
        struct versionnode n;
        assert_int_equal(versionnode_read(&w->nodes[from]->source, &fresh.items[i], w->a, &n, NULL), STATUS_OK);
        if (version_merge_foreign(&w->nodes[to]->source, &n.data, n.creation_time, &r, &e) != STATUS_OK)
            fail_msg("%s: %s", e.code, e.message);
        moved |= r.changed;
    }
    hash_list_free(&nodes);
    hash_list_free(&fresh);
    return moved;
}

static bool exchange(struct world *w, size_t from, size_t to)
{
    return from == STRANGER || to == STRANGER ? send_versions(w, from, to) : send(w, from, to);
}

static void settle_with_stranger(struct world *w)
{
    for (int turn = 0; turn < 10; turn++) {
        bool moved = false;
        for (size_t from = 0; from < NODES; from++)
            for (size_t to = 0; to < NODES; to++)
                moved |= from != to && exchange(w, from, to);
        if (!moved)
            return;
    }
    fail_msg("the nodes never come to rest");
}

static void own_nodes_agree_whoever_is_in_the_middle(void **state)
{
    (void)state;
    for (long i = property_cases(CASES); i > 0; i--) {
        struct world w = world_create();
        settle_with_stranger(&w);
        for (uint32_t n = property_below(16); n > 0; n--) {
            size_t node = property_below(NODES);
            if (property_chance(3))
                exchange(&w, node, (node + 1 + property_below(NODES - 1)) % NODES);
            else
                edit(&w, node);
        }
        settle_with_stranger(&w);
        expect_equal(&w, 0, 1);
        world_destroy(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_edit_is_lost),
        cmocka_unit_test(own_nodes_agree_whoever_is_in_the_middle),
    };
    property_begin();
    recipes = fixture_recipes();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    recipes_destroy(recipes);
    return failed;
}
