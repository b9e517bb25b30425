// Sums of what a person is shown are those of its list of roots, whatever happens to grants and objects; and what is
// counted as settled is here.
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "fixture.h"
#include "store/settled.h"
#include "store/summing.h"
#include "tests/support/property.h"

enum { STEPS = 150, OBJECTS = 24, DOCS = 4, PEOPLE = 2, RANGES = 4096, LEAF_PARTS = 16 };

static const struct store_sum_key key = {{1, 2, 3}};

struct play {
    struct fixture f;
    struct hash people[PEOPLE];
    struct hash team;
    struct object objects[OBJECTS];
    struct hash docs[DOCS]; // ids
    unsigned turn;
    struct hash_list counted; // of which the store should know
    struct store_settled peer;
};

static int open_store(void **state)
{
    struct play *p = mem_alloc(sizeof *p);
    fixture_open(&p->f, STORE_ARCHIVE);
    property_begin();
    *state = p;
    return 0;
}

static int close_store(void **state)
{
    struct play *p = *state;
    fixture_close(&p->f);
    hash_list_free(&p->counted);
    free(p);
    return 0;
}

// ---- What is shown --------------------------------------------------------------------------------------------------

static enum status add_listed(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    static const struct hash none;
    const struct store_sum one = store_sum_of(&key, hash != NULL ? hash : &none, id_hash != NULL ? id_hash : &none);
    struct store_sum *sums = arg;
    (void)fragment;
    unsigned leaf = store_sum_leaf(hash != NULL ? hash : &none, id_hash != NULL ? id_hash : &none);
    store_sum_add(&sums[leaf / LEAF_PARTS], &one);
    return STATUS_OK;
}

static bool serves_all(void *ctx, struct store *s, const struct store_feed_root *root)
{
    (void)ctx, (void)s, (void)root;
    return true;
}

static const struct store_serves all = {NULL, serves_all};

// The sums of each range of three digits.
static void sums_of(struct store *s, const struct hash *person, bool own, struct store_sum *out)
{
    struct store_summing *m =
        store_summing_create(&(struct store_summing_options){.person = *person, .own = own, .key = key});
    bool ready = false;
    while (!ready)
        assert_int_equal(store_summing_go_on(s, m, &all, &ready, NULL), STATUS_OK);
    assert_int_equal(store_summing_digits(m), 3);
    for (unsigned i = 0; i < RANGES / STORE_SUM_FAN; i++)
        store_summing_parts(m, (struct store_range){2, i * 256}, &out[(size_t)i * STORE_SUM_FAN]);
    store_summing_destroy(m);
}

static void assert_same_sums(struct play *p, const struct hash *person, bool own)
{
    struct store_sum *listed = mem_array(RANGES, sizeof *listed);
    struct store_sum *summed = mem_array(RANGES, sizeof *summed);
    enum status st = own ? store_roots_own(p->f.store, person, add_listed, listed, NULL, NULL)
                         : store_roots(p->f.store, person, add_listed, listed, NULL, NULL);
    assert_int_equal(st, STATUS_OK);
    sums_of(p->f.store, person, own, summed);
    assert_memory_equal(listed, summed, RANGES * sizeof *listed);
    free(listed);
    free(summed);
}

// ---- What is settled ------------------------------------------------------------------------------------------------

static void count(struct play *p, const struct hash *hash)
{
    static const struct hash none;
    if (hash_list_has(&p->counted, hash) || !store_is_admitted(p->f.store, hash))
        return;
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_settled_add(p->f.store, &p->peer, hash, &none, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    hash_list_add(&p->counted, hash);
}

static bool is_of_leaf(const struct hash *a, const struct hash *b)
{
    return a->b[0] == b->b[0] && a->b[1] == b->b[1];
}

// A leaf of which something is not here any more is forgotten as a whole.
static void forget_lost(struct play *p)
{
    for (size_t i = 0; i < p->counted.count; i++) {
        const struct hash lost = p->counted.items[i];
        size_t stay = 0;
        if (store_is_admitted(p->f.store, &lost))
            continue;
        for (size_t k = 0; k < p->counted.count; k++)
            if (!is_of_leaf(&p->counted.items[k], &lost))
                p->counted.items[stay++] = p->counted.items[k];
        p->counted.count = stay;
        i = (size_t)-1;
    }
}

static void assert_settled(struct play *p)
{
    static const struct hash none;
    struct store_sum *model = mem_array(STORE_SUM_LEAVES, sizeof *model);
    struct store_sum *kept = mem_array(STORE_SUM_LEAVES, sizeof *kept);
    forget_lost(p);
    for (size_t i = 0; i < p->counted.count; i++) {
        const struct store_sum one = store_sum_of(&p->peer.key, &p->counted.items[i], &none);
        store_sum_add(&model[store_sum_leaf(&p->counted.items[i], &none)], &one);
    }
    for (unsigned i = 0; i < RANGES; i++)
        assert_int_equal(store_settled_parts(p->f.store, &p->peer, (struct store_range){3, i * LEAF_PARTS},
                                             &kept[(size_t)i * LEAF_PARTS], NULL),
                         STATUS_OK);
    assert_memory_equal(model, kept, STORE_SUM_LEAVES * sizeof *model);
    free(model);
    free(kept);
}

// ---- What happens ---------------------------------------------------------------------------------------------------

static const struct hash *any_person(struct play *p)
{
    return &p->people[property_below(PEOPLE)];
}

static struct object *any_object(struct play *p)
{
    return &p->objects[property_below(OBJECTS)];
}

static void in_transaction(struct play *p,
                           enum status (*change)(struct store *s, const struct hash *h, struct error *e),
                           const struct hash *hash)
{
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(change(p->f.store, hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
}

static void put_some(struct play *p)
{
    const struct hash eve = {{9}};
    const struct object *o = any_object(p);
    bool from_eve = property_chance(2);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    store_set_sender(p->f.store, from_eve ? &eve : NULL);
    store_set_parts(p->f.store, property_chance(3));
    assert_int_equal(store_put(p->f.store, o, NULL, NULL), STATUS_OK);
    store_set_parts(p->f.store, false);
    store_set_sender(p->f.store, NULL);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
}

static void lose_some(struct play *p)
{
    const struct object *o = any_object(p);
    struct hash_text name = hash_text(&o->hash);
    fixture_settle(&p->f);
    (void)unlink(arena_printf(p->f.arena, "%s/objects/%.2s/%s", p->f.dir, name.s, name.s).ptr);
    in_transaction(p, store_lose, &o->hash);
}

static enum status forget(struct store *s, const struct hash *hash, struct error *e)
{
    return store_forget(s, hash, 0, e);
}

static void grant_some(struct play *p)
{
    bool id = property_chance(2);
    const struct hash target = id ? p->docs[property_below(DOCS)] : any_object(p)->hash;
    struct hash both[PEOPLE];
    memcpy(both, p->people, sizeof both);
    struct object o = fixture_grant(&p->f, &target, id, both + property_below(PEOPLE), property_below(2), &p->team,
                                    property_below(2));
    fixture_change(&p->f, &o);
}

static void offer_some(struct play *p)
{
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_offer(p->f.store, any_person(p), false, &any_object(p)->hash, property_chance(2), NULL),
                     STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
}

static void change_doc(struct play *p)
{
    char email[30];
    char name[20];
    unsigned i = property_below(DOCS);
    snprintf(email, sizeof email, "doc%u@example.com", i);
    snprintf(name, sizeof name, "version %u", p->turn);
    struct object o = fixture_person(&p->f, email, name);
    p->docs[i] = fixture_change(&p->f, &o);
}

static void change_team(struct play *p)
{
    struct object o = fixture_group(&p->f, "team", p->people + property_below(PEOPLE), property_below(2));
    p->team = fixture_change(&p->f, &o);
}

static void delete_doc(struct play *p)
{
    in_transaction(p, store_delete_id, &p->docs[property_below(DOCS)]);
}

static void act(struct play *p)
{
    p->turn++;
    switch (property_below(12)) {
    case 0:
    case 1:
        grant_some(p);
        break;
    case 2:
        change_doc(p);
        break;
    case 3:
        change_team(p);
        break;
    case 4:
        offer_some(p);
        break;
    case 5:
        in_transaction(p, store_delete, &any_object(p)->hash);
        break;
    case 6:
        in_transaction(p, store_undelete, &any_object(p)->hash);
        break;
    case 7:
        lose_some(p);
        break;
    case 8:
        in_transaction(p, forget, &any_object(p)->hash);
        break;
    case 9:
        if (property_chance(4))
            delete_doc(p);
        break;
    default:
        put_some(p);
        break;
    }
}

static void make_objects(struct play *p)
{
    char name[30];
    for (unsigned i = 0; i < OBJECTS; i++) { // every third one is about the one before
        snprintf(name, sizeof name, "%u", i);
        p->objects[i] = i % 3 == 2 ? fixture_link(&p->f, &p->objects[i - 1].hash, i) : fixture_leaf(&p->f, name);
        fixture_put(&p->f, &p->objects[i]);
    }
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(name, sizeof name, "person%u@example.com", i);
        struct object o = fixture_person(&p->f, name, NULL);
        p->people[i] = fixture_change(&p->f, &o);
    }
    for (unsigned i = 0; i < DOCS; i++) {
        snprintf(name, sizeof name, "doc%u@example.com", i);
        struct object o = fixture_person(&p->f, name, "0");
        p->docs[i] = fixture_change(&p->f, &o);
    }
    change_team(p);
}

static void find_peer(struct play *p)
{
    const struct hash peer = {{1}};
    const struct hash self = {{2}};
    bool found;
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_settled_find(p->f.store, &peer, &self, true, &found, &p->peer, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    assert_true(found);
}

static void whatever_happens_sums_are_those_of_the_list(void **state)
{
    struct play *p = *state;
    make_objects(p);
    for (unsigned i = 0; i < property_cases(STEPS); i++) {
        act(p);
        for (size_t k = 0; k < PEOPLE; k++) {
            assert_same_sums(p, &p->people[k], false);
            assert_same_sums(p, &p->people[k], true);
        }
        if (i % 40 == 39)
            fixture_reopen(&p->f);
    }
}

static void whatever_happens_what_is_settled_is_here(void **state)
{
    struct play *p = *state;
    make_objects(p);
    find_peer(p);
    for (unsigned i = 0; i < property_cases(STEPS); i++) {
        act(p);
        forget_lost(p);
        for (size_t k = 0; k < 4; k++)
            count(p, &any_object(p)->hash);
        assert_settled(p);
        if (i % 40 == 39)
            fixture_reopen(&p->f);
    }
}

// ---- Walks ----------------------------------------------------------------------------------------------------------

struct taking {
    size_t count, most;
};

static bool wants_all(void *ctx, unsigned leaf)
{
    (void)ctx, (void)leaf;
    return true;
}

static enum status take(void *ctx, const struct store_feed_root *root, struct error *e)
{
    struct taking *t = ctx;
    (void)e;
    assert_true(root->fragment.len != 0);
    t->count++;
    return STATUS_OK;
}

static bool has_enough(void *ctx)
{
    const struct taking *t = ctx;
    return t->count >= t->most;
}

static size_t roots_of(struct play *p, const struct hash *person)
{
    struct store_sum sums[RANGES];
    size_t n = 0;
    sums_of(p->f.store, person, false, sums);
    for (size_t i = 0; i < RANGES; i++)
        n += sums[i].count;
    return n;
}

// Granted to the person, offered, and granted to a group of it.
static void a_walk_in_small_steps_finds_each_root_once(void **state)
{
    struct play *p = *state;
    struct taking t = {0};
    struct store_walk walk = {.own = false};
    bool end = false;
    make_objects(p);
    struct object team = fixture_group(&p->f, "team", p->people, 1);
    p->team = fixture_change(&p->f, &team);
    for (size_t i = 0; i < DOCS; i++) {
        change_doc(p);
        struct object o = fixture_grant(&p->f, &p->docs[i], true, p->people, i % 2, &p->team, 1);
        fixture_change(&p->f, &o);
    }
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_offer(p->f.store, &p->people[0], true, &p->docs[0], true, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    walk.person = p->people[0];
    while (!end) {
        t.most = t.count + 1;
        assert_int_equal(store_walk_go_on(p->f.store, &walk,
                                          &(struct store_walk_visitor){&t, wants_all, take, has_enough}, &end, NULL),
                         STATUS_OK);
        assert_in_range(t.count, 0, t.most);
    }
    assert_int_equal(t.count, roots_of(p, &p->people[0]));
    assert_in_range(t.count, 2 * DOCS, SIZE_MAX);
    assert_false(walk.moved);
}

static void a_walk_says_that_what_is_shown_has_changed(void **state)
{
    struct play *p = *state;
    struct taking t = {.most = 1};
    const struct store_walk_visitor visitor = {&t, wants_all, take, has_enough};
    struct store_walk walk = {.own = false};
    bool end = false;
    make_objects(p);
    for (size_t i = 0; i < 2; i++) {
        struct object o = fixture_grant(&p->f, &p->objects[i].hash, false, p->people, 1, NULL, 0);
        fixture_change(&p->f, &o);
    }
    walk.person = p->people[0];
    assert_int_equal(store_walk_go_on(p->f.store, &walk, &visitor, &end, NULL), STATUS_OK);
    assert_false(end || walk.moved);
    struct object o = fixture_grant(&p->f, &p->objects[3].hash, false, p->people, 1, NULL, 0);
    fixture_change(&p->f, &o);
    t.most = SIZE_MAX;
    assert_int_equal(store_walk_go_on(p->f.store, &walk, &visitor, &end, NULL), STATUS_OK);
    assert_true(end && walk.moved);
}

// An image whose file is not here, granted to the first person; it was shown by.
static void grant_lacking(struct play *p, unsigned number, const struct hash *by)
{
    const struct hash file = {{7, (uint8_t)number}};
    struct object image = fixture_image(&p->f, &file);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_want_file(p->f.store, &file, by, NULL), STATUS_OK);
    assert_int_equal(store_put(p->f.store, &image, NULL, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    struct object grant = fixture_grant(&p->f, &image.hash, false, p->people, 1, NULL, 0);
    fixture_change(&p->f, &grant);
}

static bool wants_none(void *ctx, unsigned leaf)
{
    struct taking *t = ctx;
    (void)leaf;
    t->count++;
    return false;
}

// Another root. *end: there is none.
static void walk_on(struct play *p, struct store_walk *walk, struct taking *t, bool *end)
{
    t->most = t->count + 1;
    const struct store_walk_visitor visitor = {t, wants_all, take, has_enough};
    assert_int_equal(store_walk_go_on(p->f.store, walk, &visitor, end, NULL), STATUS_OK);
}

// What a person may not see for lacking files is found out once in a walk and not in each of its jobs: what is put in
// beside it stays, until something has changed.
static void what_others_lack_is_found_out_once_in_a_walk(void **state)
{
    enum { LACKING = 8 };
    static const struct hash beside = {{8}};
    struct play *p = *state;
    struct taking t = {0};
    bool end = false;
    make_objects(p);
    for (unsigned i = 0; i < LACKING; i++)
        grant_lacking(p, i, &p->people[i % 2]);
    struct store_walk walk = {.person = p->people[0]};
    walk_on(p, &walk, &t, &end);
    assert_false(end);
    assert_non_null(walk.hidden);
    hash_map_add(walk.hidden, &beside);
    walk_on(p, &walk, &t, &end);
    assert_true(hash_map_has(walk.hidden, &beside));
    grant_lacking(p, LACKING, &p->people[0]);
    walk_on(p, &walk, &t, &end);
    assert_false(end);
    assert_true(walk.moved);
    assert_false(hash_map_has(walk.hidden, &beside));
    while (!end)
        walk_on(p, &walk, &t, &end);
    assert_null(walk.hidden);
    assert_int_equal(t.count, LACKING / 2 + 1);
}

static void what_others_lack_is_not_found_out_for_what_nobody_asks_for(void **state)
{
    enum { LACKING = 4 };
    struct play *p = *state;
    struct taking t = {.most = LACKING / 2};
    bool end = false;
    make_objects(p);
    for (unsigned i = 0; i < LACKING; i++)
        grant_lacking(p, i, &p->people[i % 2]);
    struct store_walk walk = {.person = p->people[0]};
    const struct store_walk_visitor visitor = {&t, wants_none, take, has_enough};
    assert_int_equal(store_walk_go_on(p->f.store, &walk, &visitor, &end, NULL), STATUS_OK);
    assert_false(end);
    assert_null(walk.hidden);
    t.count = 0;
    walk_on(p, &walk, &t, &end);
    assert_non_null(walk.hidden);
    store_walk_end(&walk);
    assert_null(walk.hidden);
}

static bool serves_and_grants(void *ctx, struct store *s, const struct store_feed_root *root)
{
    (void)s, (void)root;
    (*(size_t *)ctx)++;
    return true;
}

// Each job of a walk looks at some roots only, and one that is never left in peace gives up.
static void adding_up_takes_jobs_and_gives_up(void **state)
{
    struct play *p = *state;
    enum { MANY = 1500 };
    char name[20];
    size_t seen = 0;
    bool ready = false;
    enum status st = STATUS_OK;
    make_objects(p);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many %zu", i);
        struct object o = fixture_leaf(&p->f, name);
        assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
        assert_int_equal(store_put(p->f.store, &o, NULL, NULL), STATUS_OK);
        assert_int_equal(store_offer(p->f.store, &p->people[0], false, &o.hash, true, NULL), STATUS_OK);
        assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    }
    struct store_summing *m = store_summing_create(&(struct store_summing_options){.person = p->people[0], .key = key});
    const struct store_serves serves = {&seen, serves_and_grants};
    for (unsigned i = 0; st == STATUS_OK && !ready; i++) {
        size_t before = seen;
        st = store_summing_go_on(p->f.store, m, &serves, &ready, NULL);
        assert_in_range(seen - before, 0, 1024);
        assert_in_range(i, 0, 100);
        struct object o =
            fixture_grant(&p->f, &p->objects[i % OBJECTS].hash, false, p->people, i / OBJECTS % 2 == 0, NULL, 0);
        fixture_change(&p->f, &o);
    }
    assert_int_equal(st, STATUS_REFUSED);
    store_summing_destroy(m);
}

// ---- Peers ----------------------------------------------------------------------------------------------------------

static void each_peer_has_its_own_and_the_oldest_goes(void **state)
{
    static const struct hash none;
    struct play *p = *state;
    const struct hash self = {{2}};
    struct store_sum parts[STORE_SUM_FAN];
    bool found;
    make_objects(p);
    find_peer(p);
    count(p, &p->objects[0].hash);
    struct store_settled again = {0};
    for (unsigned i = 0; i < STORE_SETTLED_PEERS; i++) {
        const struct hash peer = {{3, (uint8_t)i, (uint8_t)(i >> 8)}};
        assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
        assert_int_equal(store_settled_find(p->f.store, &peer, &self, true, &found, &again, NULL), STATUS_OK);
        assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
        assert_memory_not_equal(&again.key, &p->peer.key, sizeof again.key);
    }
    const struct hash first = {{1}};
    assert_int_equal(store_settled_find(p->f.store, &first, &self, false, &found, &again, NULL), STATUS_OK);
    assert_false(found);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK); // nobody looks there any more
    assert_int_equal(store_settled_add(p->f.store, &p->peer, &p->objects[0].hash, &none, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    assert_int_equal(store_settled_parts(p->f.store, &p->peer, (struct store_range){0}, parts, NULL), STATUS_OK);
    for (size_t i = 0; i < STORE_SUM_FAN; i++)
        assert_int_equal(parts[i].count, 0);
}

static void who_is_asked_stays_whoever_comes(void **state)
{
    enum { OTHERS = 3 * STORE_SETTLED_PEERS, EACH = STORE_SETTLED_PEERS / 4 };
    struct play *p = *state;
    const struct hash self = {{2}};
    struct store_settled other;
    bool found;
    make_objects(p);
    find_peer(p);
    const struct store_settled first = p->peer;
    for (unsigned i = 0; i < OTHERS; i++) {
        const struct hash peer = {{3, (uint8_t)i, (uint8_t)(i >> 8)}};
        assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
        assert_int_equal(store_settled_find(p->f.store, &peer, &self, true, &found, &other, NULL), STATUS_OK);
        assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
        if (i % EACH == 0)
            find_peer(p);
    }
    assert_int_equal(p->peer.number, first.number);
    assert_memory_equal(&p->peer.key, &first.key, sizeof first.key);
}

static void what_an_earlier_version_counted_stays(void **state)
{
    static const char back[] = "ALTER TABLE settled_peer DROP COLUMN used; PRAGMA user_version = 8";
    struct play *p = *state;
    sqlite3 *db = NULL;
    find_peer(p);
    const struct store_settled first = p->peer;
    store_close(p->f.store);
    p->f.store = NULL;
    assert_int_equal(sqlite3_open(arena_printf(p->f.arena, "%s/store.db", p->f.dir).ptr, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    fixture_reopen(&p->f);
    find_peer(p);
    assert_int_equal(p->peer.number, first.number);
    assert_memory_equal(&p->peer.key, &first.key, sizeof first.key);
}

static void ranges_part_into_sixteen(void **state)
{
    (void)state;
    struct store_range r = {0};
    assert_int_equal(store_range_size(0), STORE_SUM_LEAVES);
    r = store_range_part(store_range_part(r, 10), 3);
    assert_int_equal(r.digits, 2);
    assert_int_equal(r.first, 0xa300);
    assert_int_equal(store_range_part(store_range_part(r, 15), 15).first, 0xa3ff);
    assert_int_equal(store_range_size(4), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_happens_sums_are_those_of_the_list, open_store, close_store),
        cmocka_unit_test_setup_teardown(whatever_happens_what_is_settled_is_here, open_store, close_store),
        cmocka_unit_test_setup_teardown(a_walk_in_small_steps_finds_each_root_once, open_store, close_store),
        cmocka_unit_test_setup_teardown(a_walk_says_that_what_is_shown_has_changed, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_others_lack_is_found_out_once_in_a_walk, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_others_lack_is_not_found_out_for_what_nobody_asks_for, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(adding_up_takes_jobs_and_gives_up, open_store, close_store),
        cmocka_unit_test_setup_teardown(each_peer_has_its_own_and_the_oldest_goes, open_store, close_store),
        cmocka_unit_test_setup_teardown(who_is_asked_stays_whoever_comes, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_an_earlier_version_counted_stays, open_store, close_store),
        cmocka_unit_test(ranges_part_into_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
