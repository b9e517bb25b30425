// Random histories on several nodes: merging is deterministic, and nodes that exchange versions come to the same
// content wherever the specification promises it (DATA-MODEL.md 8.8 lists where it does not).
#include <stdio.h>

#include "data/linkedlist.h"
#include "data/versionnode.h"
#include "fixture.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { CASES = 10000, NODES = 3 };

static struct recipes *recipes;

struct world {
    struct memory_source *nodes[NODES];
    struct arena *a;
    double clock;
};

static struct world world_create(void)
{
    struct world w = {.a = arena_create(), .clock = 1000};
    for (size_t i = 0; i < NODES; i++)
        w.nodes[i] = memory_source_create(recipes);
    return w;
}

static void world_destroy(struct world *w)
{
    for (size_t i = 0; i < NODES; i++)
        memory_source_destroy(w->nodes[i]);
    arena_destroy(w->a);
}

// ---- Random values -------------------------------------------------------------------------------------------------

static const char *letter(void)
{
    static const char *const letters[] = {"a", "b", "c", "d", "<e>", "\xC3\xA4"};
    return letters[property_below(6)];
}

static struct value *some_hash(struct arena *a)
{
    struct hash h = {{(uint8_t)(1 + property_below(4))}};
    return value_hash(a, &h);
}

static struct value *some_items(struct arena *a, struct value *list, struct value *(*item)(struct arena *a))
{
    for (uint32_t n = property_below(4); n > 0; n--)
        value_add(a, list, item(a));
    return list;
}

static struct value *some_text(struct arena *a)
{
    return value_text(a, letter());
}

static struct value *some_number(struct arena *a)
{
    return value_number(a, property_below(4));
}

static void maybe_set(struct arena *a, struct value *object, const char *name, struct value *v)
{
    if (property_chance(2))
        value_set_member(a, object, span_of(name), v);
}

static struct value *some_linked(struct memory_source *m, struct arena *a)
{
    static const char *const types[] = {"Child", "Item"};
    const char *type = types[property_below(2)];
    struct value *v = value_object(a, span_of(type));
    if (type[0] == 'I')
        value_set_member(a, v, SPAN("id"), value_text(a, "i"));
    maybe_set(a, v, "x", some_text(a));
    maybe_set(a, v, "y", some_text(a));
    struct hash hash = memory_source_add(m, v);
    return value_hash(a, &hash);
}

static struct value *some_nested(struct arena *a)
{
    struct value *o = value_object(a, SPAN(""));
    value_set_member(a, o, SPAN("a"), some_text(a));
    maybe_set(a, o, "b", some_text(a));
    maybe_set(a, o, "l", some_items(a, value_set(a), some_number));
    return o;
}

static struct value *one_entry(struct arena *a, struct value *v)
{
    struct value *map = value_map(a);
    struct hash person = {{9}};
    value_put(a, map, value_hash(a, &person), v);
    return map;
}

// Everything whose merge does not depend on the side it happens on.
static struct value *some_doc(struct memory_source *m, struct arena *a)
{
    struct value *v = value_object(a, SPAN("Doc"));
    value_set_member(a, v, SPAN("id"), value_text(a, "d"));
    maybe_set(a, v, "s", some_text(a));
    maybe_set(a, v, "t", some_text(a));
    maybe_set(a, v, "n", some_number(a));
    maybe_set(a, v, "j", property_chance(2) ? some_nested(a) : some_number(a));
    maybe_set(a, v, "set", some_items(a, value_set(a), some_text));
    maybe_set(a, v, "bag", some_items(a, value_list(a), some_number));
    maybe_set(a, v, "map", one_entry(a, some_text(a)));
    maybe_set(a, v, "o", some_nested(a));
    maybe_set(a, v, "ref", some_linked(m, a));
    return v;
}

static struct value *some_someone(struct memory_source *m, struct arena *a)
{
    (void)m;
    struct value *v = value_object(a, SPAN("Someone"));
    value_set_member(a, v, SPAN("someoneId"), value_text(a, "s"));
    value_set_member(a, v, SPAN("mainProfile"), some_hash(a));
    value_set_member(a, v, SPAN("identities"), one_entry(a, some_items(a, value_set(a), some_hash)));
    return v;
}

static struct value *some_profile(struct memory_source *m, struct arena *a)
{
    (void)m;
    struct hash person = {{9}};
    struct value *v = value_object(a, SPAN("Profile"));
    value_set_member(a, v, SPAN("profileId"), value_text(a, "p"));
    value_set_member(a, v, SPAN("personId"), value_hash(a, &person));
    value_set_member(a, v, SPAN("owner"), value_hash(a, &person));
    value_set_member(a, v, SPAN("communicationEndpoint"), some_items(a, value_list(a), some_hash));
    value_set_member(a, v, SPAN("personDescription"), some_items(a, value_list(a), some_hash));
    return v;
}

// Arrays, maps of several entries, and maps that cannot be merged.
static struct value *some_wild_doc(struct memory_source *m, struct arena *a)
{
    struct value *v = some_doc(m, a);
    struct value *map = value_map(a);
    for (uint32_t n = property_below(4); n > 0; n--)
        value_put(a, map, value_text(a, letter()), some_text(a));
    maybe_set(a, v, "map", map);
    maybe_set(a, v, "arr", some_items(a, value_list(a), some_text));
    struct value *imap = value_map(a);
    value_put(a, imap, some_number(a), some_text(a));
    if (property_chance(20))
        value_set_member(a, v, SPAN("imap"), imap);
    return v;
}

typedef struct value *(*some_fn)(struct memory_source *m, struct arena *a);
static const some_fn some_versions[] = {some_doc, some_someone, some_profile};

// ---- Storing and exchanging ----------------------------------------------------------------------------------------

static struct hash id_of(const struct value *object)
{
    struct hash id;
    assert_int_equal(object_id_hash(recipes, object, &id, NULL), STATUS_OK);
    return id;
}

static void store(struct memory_source *m, const struct value *object, double now)
{
    struct error e = {0};
    struct version_result r;
    if (version_store(&m->source, object, VERSION_CHANGE, now, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
}

static bool current(struct world *w, size_t node, const struct hash *id, struct versionnode *out)
{
    struct hash head;
    if (!memory_source_head(w->nodes[node], id, &head))
        return false;
    assert_int_equal(versionnode_read(&w->nodes[node]->source, &head, w->a, out, NULL), STATUS_OK);
    return true;
}

static struct value *current_value(struct world *w, size_t node, const struct hash *id)
{
    struct versionnode head;
    struct span text;
    struct value *v;
    assert_true(current(w, node, id, &head));
    assert_true(memory_source_text(w->nodes[node], &head.data, &text));
    assert_int_equal(microdata_read(recipes, w->a, text, MICRODATA_OBJECT, SPAN(""), &v, NULL), STATUS_OK);
    return v;
}

// Hands over one version with everything it needs; returns whether the receiver's head moved.
static bool hand_over(struct world *w, const struct versionnode *version, size_t from, size_t to)
{
    struct error e = {0};
    struct version_result r;
    memory_source_copy(w->nodes[to], w->nodes[from]);
    if (version_merge_foreign(&w->nodes[to]->source, &version->data, version->creation_time, &r, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return r.changed;
}

static bool send_to(struct world *w, const struct hash *id, size_t from, size_t to)
{
    struct versionnode version;
    return current(w, from, id, &version) && hand_over(w, &version, from, to);
}

// Both send what they have before either has received anything.
static void exchange(struct world *w, const struct hash *id)
{
    struct versionnode first;
    struct versionnode second;
    assert_true(current(w, 0, id, &first) && current(w, 1, id, &second));
    hand_over(w, &first, 0, 1);
    hand_over(w, &second, 1, 0);
}

static void expect_equal(struct world *w, const struct hash *id, size_t nodes)
{
    struct versionnode first;
    struct versionnode other;
    struct span first_text;
    struct span other_text;
    assert_true(current(w, 0, id, &first));
    for (size_t i = 1; i < nodes; i++) {
        assert_true(current(w, i, id, &other));
        if (hash_eq(&first.data, &other.data))
            continue;
        memory_source_text(w->nodes[0], &first.data, &first_text);
        memory_source_text(w->nodes[i], &other.data, &other_text);
        fail_msg("node 0 has\n" SPAN_FMT "\nnode %zu has\n" SPAN_FMT, SPAN_ARG(first_text), i, SPAN_ARG(other_text));
    }
}

// ---- Laws ----------------------------------------------------------------------------------------------------------

// Two first versions, at random times (often the same).
static void first_versions_converge(void **state)
{
    (void)state;
    for (long i = property_cases(CASES); i > 0; i--) {
        struct world w = world_create();
        some_fn some = some_versions[property_below(3)];
        struct value *mine = some(w.nodes[0], w.a);
        struct hash id = id_of(mine);
        store(w.nodes[0], mine, 10 + property_below(3));
        store(w.nodes[1], some(w.nodes[1], w.a), 10 + property_below(3));
        exchange(&w, &id);
        expect_equal(&w, &id, 2);
        exchange(&w, &id);
        expect_equal(&w, &id, 2);
        world_destroy(&w);
    }
}

static struct value *some_lists(struct arena *a, bool keep)
{
    struct value *v = value_object(a, SPAN("Doc"));
    value_set_member(a, v, SPAN("id"), value_text(a, "d"));
    struct value *lists[] = {some_items(a, value_set(a), some_text), some_items(a, value_list(a), some_number),
                             some_items(a, value_set(a), some_hash)};
    if (keep || property_chance(2))
        value_set_member(a, v, SPAN("set"), lists[0]);
    if (keep || property_chance(2))
        value_set_member(a, v, SPAN("bag"), lists[1]);
    if (keep || property_chance(2))
        value_set_member(a, v, SPAN("refs"), lists[2]);
    return v;
}

// Items and whole lists come and go on both sides, then they meet. The first versions have times of their own, so that
// neither side takes a version of the other for one of its own past.
static void lists_converge_after_any_history(void **state)
{
    (void)state;
    for (long i = property_cases(CASES); i > 0; i--) {
        struct world w = world_create();
        struct value *v = some_lists(w.a, false);
        struct hash id = id_of(v);
        store(w.nodes[0], v, 100);
        store(w.nodes[1], some_lists(w.a, false), 101);
        for (uint32_t n = property_below(6); n > 0; n--)
            store(w.nodes[property_below(2)], some_lists(w.a, false), property_below(20));
        exchange(&w, &id);
        expect_equal(&w, &id, 2);
        world_destroy(&w);
    }
}

static void add_items(struct arena *a, struct value *object, const char *name, const struct value *more)
{
    struct value *list = value_get(object, span_of(name));
    for (size_t i = 0; i < more->list.count; i++) {
        bool known = false;
        for (size_t k = 0; k < list->list.count; k++)
            known |= value_eq(list->list.items[k], more->list.items[i]);
        if (!known)
            value_add(a, list, more->list.items[i]);
    }
}

static void grow(struct world *w, size_t node, const struct hash *id)
{
    struct value *v = current_value(w, node, id);
    struct value *more = some_lists(w->a, true);
    add_items(w->a, v, "set", value_get(more, SPAN("set")));
    add_items(w->a, v, "refs", value_get(more, SPAN("refs")));
    store(w->nodes[node], v, property_below(1000));
}

// Everybody hears of everybody until nothing moves any more.
static void settle(struct world *w, const struct hash *id)
{
    for (int round = 0; round < 10; round++) {
        bool moved = false;
        for (size_t from = 0; from < NODES; from++) {
            for (size_t to = 0; to < NODES; to++)
                moved |= from != to && send_to(w, id, from, to);
        }
        if (!moved)
            return;
    }
    fail_msg("the nodes never come to rest");
}

static void growing_lists_converge_in_any_order(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 5); i > 0; i--) {
        struct world w = world_create();
        struct value *v = some_lists(w.a, true);
        struct hash id = id_of(v);
        for (size_t n = 0; n < NODES; n++)
            store(w.nodes[n], some_lists(w.a, true), property_below(1000));
        for (uint32_t n = property_below(12); n > 0; n--) {
            if (property_chance(2))
                grow(&w, property_below(NODES), &id);
            else
                send_to(&w, &id, property_below(NODES), property_below(NODES));
        }
        settle(&w, &id);
        expect_equal(&w, &id, NODES);
        world_destroy(&w);
    }
}

// Takes over what the other version has, and keeps the rest: an edit that removes nothing.
static struct value *edited(struct world *w, size_t node, const struct hash *id)
{
    struct value *v = current_value(w, node, id);
    struct value *more = some_doc(w->nodes[node], w->a);
    static const char *const registers[] = {"s", "t", "n", "ref"};
    for (size_t i = 0; i < 4; i++) {
        struct value *changed = value_get(more, span_of(registers[i]));
        if (changed != NULL)
            value_set_member(w->a, v, span_of(registers[i]), changed);
    }
    if (value_get(v, SPAN("set")) == NULL)
        value_set_member(w->a, v, SPAN("set"), value_set(w->a));
    add_items(w->a, v, "set", some_items(w->a, value_set(w->a), some_text));
    if (value_get(v, SPAN("o")) == NULL)
        value_set_member(w->a, v, SPAN("o"), some_nested(w->a));
    value_set_member(w->a, value_get(v, SPAN("o")), SPAN("a"), some_text(w->a));
    return v;
}

// Whoever has the turn edits and sends: the other one always ends with the same content.
static void edits_in_turn_are_copied(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 5); i > 0; i--) {
        struct world w = world_create();
        struct value *v = fixture_value(w.a, "{\"$type$\":\"Doc\",\"id\":\"d\"}");
        struct hash id = id_of(v);
        store(w.nodes[0], v, w.clock++);
        send_to(&w, &id, 0, 1);
        for (uint32_t n = 1 + property_below(6); n > 0; n--) {
            size_t writer = property_below(2);
            store(w.nodes[writer], edited(&w, writer, &id), w.clock++);
            send_to(&w, &id, writer, 1 - writer);
            expect_equal(&w, &id, 2);
        }
        world_destroy(&w);
    }
}

static struct value *channel_info(struct arena *a)
{
    return fixture_value(a, "{\"$type$\":\"ChannelInfo\",\"id\":\"c\"}");
}

// Writers post with growing clocks of their own, never older than the head (MODELS.md 5.5).
static void post(struct world *w, size_t node, const struct hash *id)
{
    struct memory_source *m = w->nodes[node];
    struct value *info = current_value(w, node, id);
    struct hash head = {{0}};
    struct hash_list tags = {0};
    value_get_hash(info, "head", &head);
    struct hash_list *metadata = NULL;
    w->clock += property_below(2);
    struct hash message = fixture_message(m, letter(), w->clock);
    if (property_chance(2)) {
        hash_list_add(&tags, &message);
        metadata = &tags;
    }
    assert_int_equal(list_insert(&m->source, &head, &message, metadata, &head, NULL), STATUS_OK);
    value_set_member(w->a, info, SPAN("head"), value_hash(w->a, &head));
    store(m, info, w->clock);
    hash_list_free(&tags);
}

static void channels_of_three_writers_converge(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 5); i > 0; i--) {
        struct world w = world_create();
        struct value *v = channel_info(w.a);
        struct hash id = id_of(v);
        for (size_t n = 0; n < NODES; n++)
            store(w.nodes[n], v, 1);
        for (uint32_t n = property_below(16); n > 0; n--) {
            if (property_chance(2)) {
                w.clock += 1; // so that no two writers post the same element with other metadata
                post(&w, property_below(NODES), &id);
            } else {
                send_to(&w, &id, property_below(NODES), property_below(NODES));
            }
        }
        settle(&w, &id);
        expect_equal(&w, &id, NODES);
        world_destroy(&w);
    }
}

// One random operation; both nodes are asked to do the same.
static enum status operate(struct world *w, struct memory_source *m, const struct value *v, uint32_t kind, double time,
                           struct version_result *r, struct error *e)
{
    static const enum version_mode modes[] = {VERSION_CHANGE, VERSION_MERGE, VERSION_NONE};
    (void)w;
    if (kind < 3)
        return version_store(&m->source, v, modes[kind], time, r, e);
    struct hash data = memory_source_add(m, v);
    return version_merge_foreign(&m->source, &data, time, r, e);
}

// Any operations, also such that cannot be merged: the same in the same order gives the same, to the last byte.
static void merging_is_deterministic(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 2); i > 0; i--) {
        struct world w = world_create();
        for (uint32_t n = 1 + property_below(8); n > 0; n--) {
            struct value *v = some_wild_doc(w.nodes[0], w.a);
            memory_source_copy(w.nodes[1], w.nodes[0]);
            struct version_result r[2] = {{.changed = false}, {.changed = false}};
            struct error e[2] = {{0}, {0}};
            uint32_t kind = property_below(6);
            double time = property_below(20);
            enum status first = operate(&w, w.nodes[0], v, kind, time, &r[0], &e[0]);
            enum status second = operate(&w, w.nodes[1], v, kind, time, &r[1], &e[1]);
            assert_int_equal(first, second);
            assert_string_equal(e[0].code, e[1].code);
            assert_true(first == STATUS_OK || strcmp(e[0].code, "MERGE-FAILED") == 0);
            assert_true(first != STATUS_OK || (hash_eq(&r[0].hash, &r[1].hash) && hash_eq(&r[0].node, &r[1].node)));
        }
        assert_int_equal(hash_map_count(w.nodes[0]->texts), hash_map_count(w.nodes[1]->texts));
        world_destroy(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_versions_converge),
        cmocka_unit_test(lists_converge_after_any_history),
        cmocka_unit_test(growing_lists_converge_in_any_order),
        cmocka_unit_test(edits_in_turn_are_copied),
        cmocka_unit_test(channels_of_three_writers_converge),
        cmocka_unit_test(merging_is_deterministic),
    };
    property_begin();
    recipes = fixture_recipes();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    recipes_destroy(recipes);
    return failed;
}
