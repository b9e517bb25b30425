// Bytes as a program that builds objects and version nodes of any shape, loses some, and stores, merges and lists them.
#include "data/linkedlist.h"
#include "data/merge.h"
#include "fixture.h"
#include "fuzz.h"

enum { THINGS_MAX = 64 };

struct program {
    const uint8_t *data;
    size_t left;
    struct memory_source *m;
    struct arena *a;
    struct hash things[THINGS_MAX]; // everything made so far, of all kinds
    size_t count;
};

static uint8_t next(struct program *p)
{
    if (p->left == 0)
        return 0;
    p->left--;
    return *p->data++;
}

static struct hash any(struct program *p)
{
    struct hash none = {{next(p)}};
    return p->count != 0 ? p->things[none.b[0] % p->count] : none;
}

static void keep(struct program *p, struct hash hash)
{
    p->things[p->count < THINGS_MAX ? p->count++ : next(p) % THINGS_MAX] = hash;
}

static struct value *text(struct program *p)
{
    static const char *const texts[] = {"", "a", "b", "a.b", "a#b", "set", "o", "\xF0\x9F\x98\x80"};
    return value_text(p->a, texts[next(p) % 8]);
}

static struct value *items(struct program *p, struct value *list)
{
    for (uint8_t n = next(p) % 4; n > 0; n--)
        value_add(p->a, list, text(p));
    return list;
}

static struct value *map(struct program *p)
{
    struct value *v = value_map(p->a);
    for (uint8_t n = next(p) % 4; n > 0; n--)
        value_put(p->a, v, text(p), text(p));
    return v;
}

static struct value *nested(struct program *p)
{
    struct value *v = value_object(p->a, SPAN(""));
    value_set_member(p->a, v, SPAN("a"), text(p));
    if (next(p) % 2 != 0)
        value_set_member(p->a, v, SPAN("b"), text(p));
    return v;
}

static struct value *document(struct program *p)
{
    struct hash link = any(p);
    struct value *v = value_object(p->a, SPAN("Doc"));
    uint8_t present = next(p);
    value_set_member(p->a, v, SPAN("id"), value_text(p->a, present & 128 ? "d" : "e"));
    if (present & 1)
        value_set_member(p->a, v, SPAN("s"), text(p));
    if (present & 2)
        value_set_member(p->a, v, SPAN("set"), items(p, value_set(p->a)));
    if (present & 4)
        value_set_member(p->a, v, SPAN("arr"), items(p, value_list(p->a)));
    if (present & 8)
        value_set_member(p->a, v, SPAN("map"), map(p));
    if (present & 16)
        value_set_member(p->a, v, SPAN("o"), nested(p));
    if (present & 32)
        value_set_member(p->a, v, SPAN("ref"), value_hash(p->a, &link));
    if (present & 64) {
        struct value *imap = value_map(p->a);
        value_put(p->a, imap, value_number(p->a, next(p)), text(p));
        value_set_member(p->a, v, SPAN("imap"), imap);
    }
    return v;
}

static struct value *channel(struct program *p)
{
    struct hash head = any(p);
    struct value *v = value_object(p->a, SPAN("ChannelInfo"));
    value_set_member(p->a, v, SPAN("id"), value_text(p->a, "c"));
    if (next(p) % 4 != 0)
        value_set_member(p->a, v, SPAN("head"), value_hash(p->a, &head));
    return v;
}

static struct value *link_object(struct program *p)
{
    struct hash target = any(p);
    struct value *v = value_object(p->a, SPAN("Link"));
    value_set_member(p->a, v, SPAN("text"), text(p));
    value_set_member(p->a, v, SPAN("next"), value_hash(p->a, &target));
    return v;
}

static void make_node(struct program *p)
{
    static const char *const kinds[] = {"Edge", "Change", "Merge"};
    uint8_t kind = next(p) % 3;
    struct hash before[] = {any(p), any(p)};
    struct hash data = any(p);
    size_t count = kind == 0 ? 0 : next(p) % (kind + 1u);
    double depth = next(p) % 8 - 1.0;
    keep(p, fixture_node(p->m, kinds[kind], before, count, &data, depth, next(p) % 4));
}

static void check(enum status status, const struct error *e)
{
    FUZZ_CHECK(status == STATUS_OK || (e->code[0] != '\0' && e->status == status));
}

static void store(struct program *p)
{
    struct error e = {0};
    struct version_result r;
    static const enum version_mode modes[] = {VERSION_CHANGE, VERSION_MERGE, VERSION_NONE};
    enum version_mode mode = modes[next(p) % 3];
    struct value *v = next(p) % 2 != 0 ? document(p) : channel(p);
    enum status status = version_store(&p->m->source, v, mode, next(p) % 8, &r, &e);
    check(status, &e);
    if (status == STATUS_OK)
        keep(p, r.hash);
    if (status == STATUS_OK && mode != VERSION_NONE)
        keep(p, r.node);
}

static void take_in(struct program *p)
{
    struct error e = {0};
    struct version_result r;
    struct hash data = any(p);
    enum status status = version_merge_foreign(&p->m->source, &data, next(p) % 8, &r, &e);
    check(status, &e);
    if (status == STATUS_OK)
        keep(p, r.node);
}

static void note_loss(void *ctx, const struct version_loss *loss)
{
    struct span text;
    FUZZ_CHECK(memory_source_text(ctx, &loss->hash, &text) && loss->property.len != 0 && loss->value.len != 0);
}

// Whoever follows a node twice has nothing new of it.
static void follow(struct program *p)
{
    struct error e = {0};
    struct version_result r;
    struct version_result again;
    struct hash node = any(p);
    enum status status = version_follow(&p->m->source, &node, &r, &e);
    check(status, &e);
    if (status != STATUS_OK)
        return;
    keep(p, r.node);
    FUZZ_CHECK(version_follow(&p->m->source, &node, &again, &e) == STATUS_OK && !again.changed &&
               hash_eq(&again.node, &r.node));
}

static void find_lost(struct program *p)
{
    struct error e = {0};
    struct hash head = any(p);
    struct hash node = any(p);
    struct hash made = any(p);
    check(version_find_lost(&p->m->source, &head, &node, &made, &e), &e);
}

static void merge(struct program *p)
{
    struct error e = {0};
    struct hash first = any(p);
    struct hash second = any(p);
    bool contained;
    struct hash current;
    struct value *merged;
    enum status status = merge_versions(&p->m->source, p->a, &first, &second, &contained, &current, &merged, &e);
    check(status, &e);
    if (status == STATUS_OK)
        FUZZ_CHECK(contained ? hash_eq(&current, &first) || hash_eq(&current, &second) : merged->kind == VALUE_OBJECT);
}

static void list_versions(struct program *p)
{
    struct error e = {0};
    struct hash_list nodes = {0};
    struct hash head = any(p);
    check(version_list(&p->m->source, &head, &nodes, &e), &e);
    hash_list_free(&nodes);
}

static void change_list(struct program *p)
{
    struct error e = {0};
    struct hash none = {{0}};
    struct hash a = next(p) % 4 != 0 ? any(p) : none;
    struct hash b = any(p);
    struct hash head;
    enum status status = next(p) % 2 != 0 ? list_insert(&p->m->source, &a, &b, NULL, &head, &e)
                                          : list_merge(&p->m->source, &a, &b, &head, &e);
    check(status, &e);
    if (status == STATUS_OK)
        keep(p, head);
}

static void step(struct program *p)
{
    struct hash gone;
    switch (next(p) % 12) {
    case 0:
        keep(p, memory_source_add(p->m, document(p)));
        break;
    case 1:
        keep(p, memory_source_add(p->m, channel(p)));
        break;
    case 2:
        keep(p, memory_source_add(p->m, link_object(p)));
        break;
    case 3:
        keep(p, fixture_message(p->m, "m", next(p) % 8));
        break;
    case 4:
        make_node(p);
        break;
    case 5:
        store(p);
        break;
    case 6:
        take_in(p);
        break;
    case 7:
        merge(p);
        break;
    case 8:
        change_list(p);
        break;
    case 9:
        follow(p);
        break;
    case 10:
        find_lost(p);
        break;
    default:
        gone = any(p);
        if (next(p) % 16 == 0)
            memory_source_lose(p->m, &gone);
        list_versions(p);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recipes *recipes;
    if (recipes == NULL)
        recipes = fixture_recipes();
    struct program p = {.data = data, .left = size < 2048 ? size : 2048};
    p.m = memory_source_create(recipes);
    p.m->source.lost = note_loss;
    p.a = arena_create();
    while (p.left > 0)
        step(&p);
    arena_destroy(p.a);
    memory_source_destroy(p.m);
    return 0;
}
