// What a feed gives to a contact is what the list of roots and the lists of children would have given it at that
// moment, and nothing else: after every kind of change, in every order, and for several contacts of one store. Asked is
// the store itself; test_feed.c has the sessions.
#include "gallery.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "chum/export.h"
#include "chum/outflow.h"
#include "chum/veil.h"
#include "crypto/sha256.h"

enum { READERS = 2, STEPS = 100, WALKS = 6, BATCHES = 200 };

struct reader { // a contact, and what it was given
    struct hash person;
    struct chum_outflow flow;
    struct chum_cursor cursor;
    struct hash_map *got; // roots, objects and files
    size_t given;         // by the last question
    enum chum_batch_more more;
    bool unfinished;
};

struct scene {
    struct stage stage;
    struct side *alice;
    struct reader readers[READERS]; // bob and carol
    bool keeps_docs;                // the policy serves no Doc
    bool one_session;               // nobody begins anew, and nothing is withheld
};

// In jobs, which have a thread of their own: what was seen there is judged here.
static unsigned wrong;

static void expect_at(bool holds, const char *what, int line)
{
    if (holds)
        return;
    wrong++;
    fprintf(stderr, "line %d: not so: %s\n", line, what);
}

#define expect(holds) expect_at(holds, #holds, __LINE__)

static bool serves(void *ctx, struct store *s, const struct hash *person, struct span type, const struct hash *what)
{
    const struct scene *scene = ctx;
    (void)s, (void)person, (void)what;
    return !scene->keeps_docs || !span_eq_text(type, "Doc");
}

static int begin(void **state)
{
    struct scene *x = mem_alloc(sizeof *x);
    wrong = 0;
    stage_begin(&x->stage, 1 + READERS, gallery_recipes, NULL);
    x->alice = &x->stage.sides[0];
    x->alice->policy.serves = serves;
    x->alice->policy.ctx = x;
    for (size_t i = 0; i < READERS; i++) {
        x->readers[i].person = x->stage.sides[1 + i].node.identity.person_id;
        x->readers[i].got = hash_map_create();
    }
    *state = x;
    return 0;
}

static int end(void **state)
{
    struct scene *x = *state;
    for (size_t i = 0; i < READERS; i++) {
        chum_outflow_end(&x->readers[i].flow);
        hash_map_destroy(x->readers[i].got);
    }
    stage_end(&x->stage);
    free(x);
    return 0;
}

// ---- What version 8 would give --------------------------------------------------------------------------------------

struct allowed {
    struct hash_map *hashes;
    struct hash_list roots;
    struct buf list; // the JSON text
};

static json_t *ask_list(struct store *s, const struct scene *x, const struct reader *r, enum chum_service service,
                        const struct hash *hash, struct buf *text)
{
    struct hash_list shown = {0};
    struct error e = {0};
    buf_add_char(text, '"');
    enum status st = chum_export(s, &x->alice->policy, &r->person, service, hash, text, &shown, &e);
    buf_add_char(text, '"');
    hash_list_free(&shown);
    expect(st == STATUS_OK);
    json_t *string = json_loadb(buf_span(text).ptr, text->len, JSON_DECODE_ANY, NULL);
    json_t *list = json_loads(json_string_value(string), 0, NULL);
    buf_clear(text);
    buf_add_span(text, span_of(json_string_value(string)));
    json_decref(string);
    expect(json_is_array(list));
    return list;
}

static void add_hash(struct allowed *a, const char *hex, bool is_root)
{
    struct hash h;
    expect(hash_parse(span_of(hex), &h));
    hash_map_add(a->hashes, &h);
    if (is_root)
        hash_list_add(&a->roots, &h);
}

static void add_below(struct store *s, const struct scene *x, const struct reader *r, const char *hex, bool is_id,
                      struct allowed *a)
{
    struct hash h;
    size_t i;
    json_t *child;
    struct buf text = {0};
    hash_parse(span_of(hex), &h);
    json_t *list = ask_list(s, x, r, is_id ? CHUM_GET_ID_OBJECT_CHILDREN : CHUM_GET_OBJECT_CHILDREN, &h, &text);
    json_array_foreach(list, i, child) add_hash(a, json_string_value(json_object_get(child, "hash")), false);
    json_decref(list);
    buf_free(&text);
}

static void find_allowed(struct store *s, const struct scene *x, const struct reader *r, struct allowed *a)
{
    size_t i;
    json_t *root;
    a->hashes = hash_map_create();
    json_t *list = ask_list(s, x, r, CHUM_GET_ACCESSIBLE_ROOTS, NULL, &a->list);
    json_array_foreach(list, i, root)
    {
        const char *type = json_string_value(json_object_get(root, "type"));
        bool is_id = strcmp(type, "id") == 0;
        const char *member = strcmp(type, "version_node") == 0 ? "node" : is_id ? "idHash" : "hash";
        const char *hex = json_string_value(json_object_get(root, member));
        add_hash(a, hex, true);
        add_below(s, x, r, hex, is_id, a);
    }
    json_decref(list);
}

static void free_allowed(struct allowed *a)
{
    hash_map_destroy(a->hashes);
    hash_list_free(&a->roots);
    buf_free(&a->list);
}

// ---- What the feed gives --------------------------------------------------------------------------------------------

static void check_item(struct reader *r, const struct allowed *a, const struct chum_batch_item *item)
{
    if (item->what == BATCH_ROOT_OVER)
        return;
    r->given++;
    if (item->what == BATCH_ROOT) {
        expect(memmem(buf_span(&a->list).ptr, a->list.len, item->text.ptr, item->text.len) != NULL);
        return;
    }
    expect(hash_map_has(a->hashes, &item->hash));
    hash_map_add(r->got, &item->hash);
    struct hash made = item->what == BATCH_OBJECT ? sha256(item->text) : item->hash;
    expect(hash_eq(&made, &item->hash));
}

static void check_batch(struct reader *r, const struct allowed *a, const struct buf *json)
{
    json_t *string = json_loadb(buf_span(json).ptr, json->len, JSON_DECODE_ANY, NULL);
    expect(json_is_string(string));
    struct span rest = {json_string_value(string), json_string_length(string)};
    struct chum_batch_head head;
    struct chum_batch_item item;
    bool found = true;
    expect(chum_batch_read_head(&rest, &head, NULL) == STATUS_OK);
    r->cursor = head.next;
    r->more = head.more;
    for (;;) {
        expect(chum_batch_read(&rest, &item, &found, NULL) == STATUS_OK);
        if (!found)
            break;
        check_item(r, a, &item);
    }
    json_decref(string);
}

struct question {
    struct scene *scene;
    struct reader *reader;
};

static enum status ask_work(struct store *s, void *arg, struct error *e)
{
    struct question *q = arg;
    struct reader *r = q->reader;
    struct allowed allowed = {.hashes = NULL};
    struct buf text = {0};
    struct hash_list shown = {0};
    struct hash_list given = {0};
    struct chum_outbatch b = {.policy = &q->scene->alice->policy,
                              .person = &r->person,
                              .since = r->cursor,
                              .text = &text,
                              .shown = &shown,
                              .given = &given};
    find_allowed(s, q->scene, r, &allowed);
    buf_add_char(&text, '"');
    enum status st = chum_outflow_next(s, &r->flow, &b, e);
    buf_add_char(&text, '"');
    r->given = 0;
    r->unfinished = b.unfinished;
    if (st == STATUS_OK && !b.unfinished)
        check_batch(r, &allowed, &text);
    for (size_t i = 0; i < shown.count; i++)
        expect(hash_map_has(allowed.hashes, &shown.items[i]));
    free_allowed(&allowed);
    hash_list_free(&shown);
    hash_list_free(&given);
    buf_free(&text);
    return st;
}

static void ask(struct scene *x, size_t reader)
{
    struct question q = {x, &x->readers[reader]};
    side_must(x->alice, ask_work, &q);
    assert_int_equal(wrong, 0);
}

static void ask_all(struct scene *x, size_t reader)
{
    struct reader *r = &x->readers[reader];
    for (int i = 0; i < BATCHES; i++) {
        ask(x, reader);
        if (!r->unfinished && r->given == 0 && r->more == CHUM_BATCH_END)
            return;
    }
    fail_msg("the feed has no end");
}

// A new session.
static void begin_anew(struct reader *r)
{
    chum_outflow_end(&r->flow);
}

// ---- Grants ---------------------------------------------------------------------------------------------------------

// To those of the readers whose bits are set, and to nobody else.
static void grant(struct scene *x, const char *type, const char *property, const struct hash *what, unsigned to,
                  const char *group)
{
    char persons[300] = "";
    for (size_t i = 0; i < READERS; i++)
        if ((to >> i & 1) != 0)
            snprintf(persons + strlen(persons), sizeof persons - strlen(persons), "%s'%s'",
                     persons[0] != '\0' ? "," : "", hash_text(&x->readers[i].person).s);
    side_change(x->alice, "{'$type$':'%s','%s':'%s','person':[%s],'group':[%s]}", type, property, hash_text(what).s,
                persons, group);
}

static void grant_object(struct scene *x, const struct hash *what, unsigned to)
{
    grant(x, "Access", "object", what, to, "");
}

static void grant_id(struct scene *x, const struct hash *what, unsigned to)
{
    grant(x, "IdAccess", "id", what, to, "");
}

static struct hash put(struct scene *x, const char *name)
{
    return side_put(x->alice, "{'$type$':'Child','x':'%s'}", name);
}

static bool has(const struct scene *x, size_t reader, const struct hash *h)
{
    return hash_map_has(x->readers[reader].got, h);
}

static void each_gets_what_was_granted_to_it(void **state)
{
    struct scene *x = *state;
    struct hash one = put(x, "for bob");
    struct hash two = put(x, "for carol");
    struct hash both = put(x, "for both");
    struct hash none = put(x, "for nobody");
    grant_object(x, &one, 1);
    grant_object(x, &two, 2);
    grant_object(x, &both, 3);
    ask_all(x, 0);
    ask_all(x, 1);
    assert_true(has(x, 0, &one) && has(x, 0, &both) && !has(x, 0, &two) && !has(x, 0, &none));
    assert_true(has(x, 1, &two) && has(x, 1, &both) && !has(x, 1, &one) && !has(x, 1, &none));
}

static void a_later_grant_gives_what_was_there_before(void **state)
{
    struct scene *x = *state;
    struct hash old = put(x, "old");
    grant_object(x, &old, 1);
    ask_all(x, 0);
    ask_all(x, 1);
    assert_false(has(x, 1, &old));
    grant_object(x, &old, 3);
    ask_all(x, 1);
    assert_true(has(x, 1, &old));
}

// Enough for several batches, of which the first is given.
static void what_is_taken_back_between_two_batches_does_not_come(void **state)
{
    struct scene *x = *state;
    enum { MANY = 300 };
    char text[2001];
    struct hash roots[MANY];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < MANY; i++) {
        roots[i] = side_put(x->alice, "{'$type$':'Child','x':'%zu %s'}", i, text);
        grant_object(x, &roots[i], 1);
    }
    ask(x, 0);
    assert_int_equal(x->readers[0].more, CHUM_BATCH_MORE);
    size_t before = hash_map_count(x->readers[0].got);
    assert_in_range(before, 1, MANY - 1);
    for (size_t i = 0; i < MANY; i++)
        grant_object(x, &roots[i], 0);
    ask_all(x, 0);
    assert_int_equal(hash_map_count(x->readers[0].got), before);
}

static void one_object_in_the_middle_is_not_gone_on_with(void **state)
{
    struct scene *x = *state;
    enum { MANY = 200 };
    char text[2001];
    struct hash last = {{0}};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < MANY; i++) {
        char next[100] = "";
        if (i != 0)
            snprintf(next, sizeof next, ",'next':'%s'", hash_text(&last).s);
        last = side_put(x->alice, "{'$type$':'Album','title':'%zu %s'%s}", i, text, next);
    }
    grant_object(x, &last, 1);
    ask(x, 0);
    size_t before = hash_map_count(x->readers[0].got);
    assert_in_range(before, 1, MANY - 1);
    grant_object(x, &last, 0);
    ask_all(x, 0);
    assert_int_equal(hash_map_count(x->readers[0].got), before);
}

static void what_the_policy_keeps_back_does_not_come(void **state)
{
    struct scene *x = *state;
    struct hash node;
    struct hash id = side_change(x->alice, "{'$type$':'Doc','id':'d','n':1}");
    assert_true(side_head(x->alice, &id, &node));
    grant_id(x, &id, 1);
    x->keeps_docs = true;
    ask_all(x, 0);
    assert_false(has(x, 0, &node));
    assert_false(has(x, 0, &id));
}

// ---- Cursors --------------------------------------------------------------------------------------------------------

static void a_cursor_says_nothing_of_what_else_happens(void **state)
{
    struct scene *x = *state;
    struct hash seen = put(x, "seen");
    grant_object(x, &seen, 1);
    ask_all(x, 0);
    struct chum_cursor before = x->readers[0].cursor;
    for (size_t i = 0; i < 20; i++) {
        struct hash other = side_put(x->alice, "{'$type$':'Child','x':'%zu'}", i);
        grant_object(x, &other, 2);
        ask(x, 0);
        assert_int_equal(x->readers[0].given, 0);
        assert_memory_equal(&x->readers[0].cursor, &before, sizeof before);
    }
    assert_true(before.place > 1 << 20); // no number of what the store has learned
}

static void a_cursor_is_of_use_to_one_person_only(void **state)
{
    struct scene *x = *state;
    struct hash both = put(x, "both");
    grant_object(x, &both, 3);
    ask_all(x, 0);
    ask_all(x, 1);
    assert_int_not_equal(x->readers[0].cursor.epoch, x->readers[1].cursor.epoch);
    x->readers[1].cursor = x->readers[0].cursor;
    ask(x, 1);
    assert_int_equal(x->readers[1].more, CHUM_BATCH_RESET);
    assert_int_equal(x->readers[1].given, 0);
}

static void an_invented_cursor_is_none(void **state)
{
    struct scene *x = *state;
    struct hash root = put(x, "root");
    grant_object(x, &root, 1);
    ask_all(x, 0);
    const struct chum_cursor good = x->readers[0].cursor;
    const struct chum_cursor invented[] = {{good.epoch, good.place + 1},
                                           {good.epoch, INT64_MAX},
                                           {good.epoch, 1},
                                           {good.epoch + 1, good.place},
                                           {0, 5},
                                           {good.epoch, -1}};
    for (size_t i = 0; i < sizeof invented / sizeof *invented; i++) {
        x->readers[0].cursor = invented[i];
        ask(x, 0);
        assert_int_equal(x->readers[0].more, CHUM_BATCH_RESET);
        assert_int_equal(x->readers[0].given, 0);
    }
}

// Asked for the end alone, or with a cursor that is none, again and again.
static void the_end_says_nothing_of_what_else_happens(void **state)
{
    struct scene *x = *state;
    const struct chum_cursor nowhere = {0, -1};
    struct reader *bob = &x->readers[0];
    struct hash seen = put(x, "seen");
    grant_object(x, &seen, 1);
    bob->cursor = nowhere;
    ask(x, 0);
    const struct chum_cursor before = bob->cursor;
    for (size_t i = 0; i < 20; i++) {
        struct hash other = side_put(x->alice, "{'$type$':'Child','x':'%zu'}", i);
        grant_object(x, &other, 2);
        begin_anew(bob);
        bob->cursor = i % 2 == 0 ? nowhere : (struct chum_cursor){before.epoch, before.place + 1};
        ask(x, 0);
        assert_int_equal(bob->more, CHUM_BATCH_RESET);
        assert_memory_equal(&bob->cursor, &before, sizeof before);
    }
    struct hash news = put(x, "news");
    grant_object(x, &news, 1);
    ask_all(x, 0);
    assert_true(has(x, 0, &news));
    bob->cursor = nowhere;
    ask(x, 0);
    assert_int_not_equal(bob->cursor.place, before.place);
}

static void a_veil_can_be_taken_off_again(void **state)
{
    struct scene *x = *state;
    const struct hash *person = &x->readers[0].person;
    for (int64_t place = 1; place < (int64_t)1 << 61; place = place * 3 + 1) {
        struct chum_cursor c = chum_veil(person, &(struct chum_cursor){-7, place});
        assert_int_not_equal(c.place, place);
        assert_false(chum_unveil(&x->readers[1].person, -7, &(struct chum_cursor){c.epoch, c.place}));
        assert_false(chum_unveil(person, -8, &(struct chum_cursor){c.epoch, c.place}));
        assert_true(chum_unveil(person, -7, &c));
        assert_int_equal(c.place, place);
        assert_int_equal(c.epoch, -7);
    }
}

// ---- At random ------------------------------------------------------------------------------------------------------

static uint32_t seed;

static unsigned number(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

struct model {
    struct hash objects[STEPS];
    size_t count;
    struct hash ids[4];
    size_t id_count;
    struct hash group;
    bool has_group;
    unsigned version;
};

static void put_album(struct scene *x, struct model *m, size_t step)
{
    char next[100] = "";
    char image[100] = "";
    if (m->count != 0 && number(2) == 0)
        snprintf(next, sizeof next, ",'next':'%s'", hash_text(&m->objects[number((unsigned)m->count)]).s);
    if (number(3) == 0) {
        char content[32];
        snprintf(content, sizeof content, "\x01 file %zu", step);
        struct hash file = side_file(x->alice, span_of(content));
        snprintf(image, sizeof image, ",'image':'%s'", hash_text(&file).s);
    }
    m->objects[m->count++] = side_put(x->alice, "{'$type$':'Album','title':'%zu'%s%s}", step, image, next);
}

static void change_doc(struct scene *x, struct model *m)
{
    char id[2] = {(char)('a' + number(4)), '\0'};
    struct hash h = side_change(x->alice, "{'$type$':'Doc','id':'%s','n':%u}", id, m->version++);
    for (size_t i = 0; i < m->id_count; i++)
        if (hash_eq(&m->ids[i], &h))
            return;
    m->ids[m->id_count++] = h;
}

static void change_group(struct scene *x, struct model *m)
{
    char persons[300] = "";
    unsigned to = number(4);
    for (size_t i = 0; i < READERS; i++)
        if ((to >> i & 1) != 0)
            snprintf(persons + strlen(persons), sizeof persons - strlen(persons), "%s'%s'",
                     persons[0] != '\0' ? "," : "", hash_text(&x->readers[i].person).s);
    m->group = side_change(x->alice, "{'$type$':'Group','name':'g','person':[%s]}", persons);
    m->has_group = true;
}

static void grant_something(struct scene *x, struct model *m)
{
    char group[100] = "";
    if (m->has_group && number(3) == 0)
        snprintf(group, sizeof group, "'%s'", hash_text(&m->group).s);
    if (m->id_count != 0 && number(3) == 0)
        grant(x, "IdAccess", "id", &m->ids[number((unsigned)m->id_count)], number(4), group);
    else if (m->count != 0)
        grant(x, "Access", "object", &m->objects[number((unsigned)m->count)], number(4), group);
}

struct withholding {
    struct hash person;
    bool all;
};

static enum status withhold_work(struct store *s, void *arg, struct error *e)
{
    const struct withholding *w = arg;
    (void)e;
    if (w->all)
        store_withhold_nothing(s, &w->person);
    else
        store_withhold(s, &w->person, SPAN("Doc"), &w->person);
    return STATUS_OK;
}

struct wanting {
    struct hash file, person;
};

static enum status want_work(struct store *s, void *arg, struct error *e)
{
    struct wanting *w = arg;
    return store_want_file(s, &w->file, &w->person, e);
}

// An object that lacks a file which one of the readers has named: the others must not hear of it.
static void put_lacking(struct scene *x, struct model *m, size_t step)
{
    char content[32];
    snprintf(content, sizeof content, "missing %zu", step);
    struct wanting w = {sha256(span_of(content)), x->readers[number(READERS)].person};
    side_must(x->alice, want_work, &w);
    m->objects[m->count++] =
        side_put(x->alice, "{'$type$':'Album','title':'lacks %zu','image':'%s'}", step, hash_text(&w.file).s);
}

static void do_something(struct scene *x, struct model *m, size_t step)
{
    struct withholding w = {.person = x->readers[number(READERS)].person, .all = number(2) == 0};
    switch (number(12)) {
    case 0:
    case 1:
        put_album(x, m, step);
        return;
    case 2:
    case 3:
        change_doc(x, m);
        return;
    case 4:
        change_group(x, m);
        return;
    case 5:
        put_lacking(x, m, step);
        return;
    case 6:
        if (x->one_session)
            return;
        side_must(x->alice, withhold_work, &w);
        return;
    case 7:
        ask(x, number(READERS));
        return;
    case 8:
        if (x->one_session)
            return;
        begin_anew(&x->readers[number(READERS)]);
        return;
    default:
        grant_something(x, m);
        return;
    }
}

static enum status complete_work(struct store *s, void *arg, struct error *e)
{
    struct question *q = arg;
    struct allowed allowed = {.hashes = NULL};
    size_t cursor = 0;
    struct hash h;
    void *ignored;
    (void)e;
    find_allowed(s, q->scene, q->reader, &allowed);
    while (hash_map_next(allowed.hashes, &cursor, &h, &ignored))
        expect(hash_map_has(q->reader->got, &h));
    free_allowed(&allowed);
    return STATUS_OK;
}

static void everything_has_come(struct scene *x, size_t reader)
{
    struct question q = {x, &x->readers[reader]};
    side_must(x->alice, complete_work, &q);
    assert_int_equal(wrong, 0);
}

static void walks_at_random(void **state)
{
    (void)state;
    for (uint32_t walk = 0; walk < WALKS; walk++) {
        void *scene;
        struct model m = {.count = 0};
        seed = 1000 + walk;
        print_message("seed %u\n", seed);
        begin(&scene);
        struct scene *x = scene;
        x->one_session = walk % 2 == 0;
        for (size_t step = 0; step < STEPS; step++)
            do_something(x, &m, step);
        for (size_t i = 0; i < READERS; i++) {
            ask_all(x, i);
            if (x->one_session)
                everything_has_come(x, i);
        }
        end(&scene);
    }
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(each_gets_what_was_granted_to_it),
        SCENE(a_later_grant_gives_what_was_there_before),
        SCENE(what_is_taken_back_between_two_batches_does_not_come),
        SCENE(one_object_in_the_middle_is_not_gone_on_with),
        SCENE(what_the_policy_keeps_back_does_not_come),
        SCENE(a_cursor_says_nothing_of_what_else_happens),
        SCENE(a_cursor_is_of_use_to_one_person_only),
        SCENE(an_invented_cursor_is_none),
        SCENE(the_end_says_nothing_of_what_else_happens),
        SCENE(a_veil_can_be_taken_off_again),
        cmocka_unit_test(walks_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
