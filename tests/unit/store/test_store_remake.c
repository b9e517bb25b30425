// What is lost is made again where the index and the id say all that was in it, and nothing else is.
#include <stdio.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "data/jsonform.h"
#include "fixture.h"
#include "io/file.h"
#include "store/verify.h"

static const char *object_path(struct fixture *f, const struct hash *hash)
{
    struct hash_text t = hash_text(hash);
    return arena_printf(f->arena, "%s/objects/%.2s/%s", f->dir, t.s, t.s).ptr;
}

static void lose(struct fixture *f, const struct hash *hash)
{
    fixture_settle(f);
    assert_int_equal(unlink(object_path(f, hash)), 0);
}

static void assert_sound(struct fixture *f)
{
    struct store_watch watch = {0};
    struct store_verification v;
    assert_int_equal(store_verify(f->dir, f->kind, &watch, &v, NULL), STATUS_OK);
    assert_string_equal(v.why, "");
    assert_int_equal(v.count, 0);
    store_verification_free(&v);
}

// It reads as if nothing had been lost, and the next change brings the file back.
static void assert_made_again(struct fixture *f, const struct object *o)
{
    struct span text;
    struct object other = fixture_leaf(f, hash_text(&o->hash).s);
    assert_int_equal(store_get(f->store, &o->hash, f->arena, &text, NULL), STATUS_OK);
    assert_true(span_eq(text, o->microdata));
    fixture_put(f, &other);
    assert_int_equal(store_presence(f->store, &o->hash), STORE_PRESENT);
    fixture_settle(f);
    assert_true(file_exists(object_path(f, &o->hash)));
    assert_sound(f);
}

static struct object make(struct fixture *f, const struct value *value)
{
    struct object o;
    assert_int_equal(object_make(store_recipes(f->store), f->arena, value, MICRODATA_OBJECT, &o, NULL), STATUS_OK);
    return o;
}

static struct value *list_of(struct fixture *f, const struct hash *items, size_t count)
{
    struct value *list = value_list(f->arena);
    for (size_t i = 0; i < count; i++)
        value_add(f->arena, list, value_hash(f->arena, &items[i]));
    return list;
}

enum { PEOPLE = 4 };

static void put_people(struct fixture *f, struct hash *people)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        struct object person = fixture_person(f, arena_printf(f->arena, "p%zu@example.com", i).ptr, NULL);
        people[i] = fixture_change(f, &person);
    }
}

static void grants_and_groups_are_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    struct object leaf = fixture_leaf(f, "shown");
    fixture_put(f, &leaf);
    struct object group = fixture_group(f, "friends", people, PEOPLE);
    struct hash group_id = fixture_change(f, &group);
    const struct object grants[] = {
        fixture_grant(f, &leaf.hash, false, people, PEOPLE, &group_id, 1),
        fixture_grant(f, &leaf.hash, false, NULL, 0, &group_id, 1),
        fixture_grant(f, &leaf.hash, false, people, 2, NULL, 0),
        fixture_grant(f, &leaf.hash, false, NULL, 0, NULL, 0),
        fixture_grant(f, &people[3], true, people, 3, &group_id, 1),
    };
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
        fixture_change(f, &grants[i]);
        lose(f, &grants[i].hash);
        assert_made_again(f, &grants[i]);
    }
    lose(f, &group.hash);
    assert_made_again(f, &group);
}

static void somebody_named_twice_stays_so(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    struct object leaf = fixture_leaf(f, "shown");
    fixture_put(f, &leaf);
    for (size_t i = 0; i < PEOPLE; i++) {
        struct hash named[PEOPLE + 1];
        memcpy(named, people, sizeof people);
        named[PEOPLE] = people[i];
        struct object grant = fixture_grant(f, &leaf.hash, false, named, PEOPLE + 1, NULL, 0);
        fixture_change(f, &grant);
        lose(f, &grant.hash);
        assert_made_again(f, &grant);
    }
}

static void the_id_may_be_lost_with_its_versions(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    struct object leaf = fixture_leaf(f, "shown");
    fixture_put(f, &leaf);
    struct object grant = fixture_grant(f, &leaf.hash, false, people, 2, NULL, 0);
    fixture_change(f, &grant);
    lose(f, &grant.hash);
    assert_int_equal(unlink(object_path(f, &grant.id_hash)), 0);
    assert_made_again(f, &grant);
    assert_true(file_exists(object_path(f, &grant.id_hash)));
}

static void the_contact_book_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash known[PEOPLE]; // that they are no Someones does not matter
    put_people(f, known);
    struct object group = fixture_group(f, "friends", NULL, 0);
    struct hash group_id = fixture_change(f, &group);
    for (size_t others = 0; others < PEOPLE; others++) {
        struct value *v = value_object(f->arena, SPAN("Leute"));
        value_set_member(f->arena, v, SPAN("appId"), value_text(f->arena, "one.leute"));
        value_set_member(f->arena, v, SPAN("me"), value_hash(f->arena, &known[others]));
        value_set_member(f->arena, v, SPAN("other"), list_of(f, known, others));
        value_set_member(f->arena, v, SPAN("group"), list_of(f, &group_id, others % 2));
        struct object leute = make(f, v);
        fixture_change(f, &leute);
        lose(f, &leute.hash);
        assert_made_again(f, &leute);
    }
}

// ---- What contacts and conversations hang on ------------------------------------------------------------------------

static struct value *begin(struct fixture *f, const char *type, const char *id, const char *is)
{
    struct value *v = value_object(f->arena, span_of(type));
    value_set_member(f->arena, v, span_of(id), value_text(f->arena, is));
    return v;
}

static void set(struct fixture *f, struct value *v, const char *name, struct value *to)
{
    value_set_member(f->arena, v, span_of(name), to);
}

static struct object profile_of(struct fixture *f, const char *id, const struct hash *person, const struct hash *owner,
                                size_t endpoints, size_t descriptions)
{
    struct value *v = begin(f, "Profile", "profileId", id);
    struct hash mails[PEOPLE];
    struct hash keys[PEOPLE];
    set(f, v, "personId", value_hash(f->arena, person));
    set(f, v, "owner", value_hash(f->arena, owner));
    for (size_t i = 0; i < PEOPLE; i++) {
        struct value *mail = begin(f, "Email", "email", arena_printf(f->arena, "%s%zu", id, i).ptr);
        struct value *name = begin(f, "PersonName", "name", arena_printf(f->arena, "%s%zu", id, i).ptr);
        struct object o = make(f, mail);
        fixture_put(f, &o);
        mails[i] = o.hash;
        o = make(f, name);
        fixture_put(f, &o);
        keys[i] = o.hash;
    }
    set(f, v, "communicationEndpoint", list_of(f, mails, endpoints));
    set(f, v, "personDescription", list_of(f, keys, descriptions));
    return make(f, v);
}

static void lose_and_find(struct fixture *f, const struct object *o)
{
    fixture_change(f, o);
    lose(f, &o->hash);
    assert_made_again(f, o);
}

static void profiles_are_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    for (size_t i = 0; i < PEOPLE * PEOPLE; i++) {
        struct object profile = profile_of(f, "work", &people[0], &people[i % 2], i % PEOPLE, i / PEOPLE);
        lose_and_find(f, &profile);
    }
}

static struct value *set_of(struct fixture *f, const struct hash *items, size_t count)
{
    struct value *set = value_set(f->arena);
    for (size_t i = 0; i < count; i++)
        value_add(f->arena, set, value_hash(f->arena, &items[i]));
    return set;
}

// The main profile is named twice, wherever among those of its person; identities have as many as they like.
static void someones_are_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    struct hash profiles[PEOPLE];
    put_people(f, people);
    for (size_t i = 0; i < PEOPLE; i++) {
        struct object p = profile_of(f, arena_printf(f->arena, "p%zu", i).ptr, &people[i], &people[i], 1, 1);
        profiles[i] = fixture_change(f, &p);
    }
    for (size_t i = 0; i < PEOPLE * PEOPLE; i++) {
        struct value *v = begin(f, "Someone", "someoneId", arena_printf(f->arena, "s%zu", i).ptr);
        struct value *identities = value_map(f->arena);
        size_t first = i / PEOPLE;
        set(f, v, "mainProfile", value_hash(f->arena, &profiles[i % PEOPLE]));
        for (size_t k = 0; k <= first; k++)
            value_put(f->arena, identities, value_hash(f->arena, &people[k]),
                      k == 0 ? set_of(f, profiles, PEOPLE - first) : set_of(f, &profiles[PEOPLE - k], k % 2));
        set(f, v, "identities", identities);
        struct object someone = make(f, v);
        lose_and_find(f, &someone);
    }
}

static void registries_are_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash channels[PEOPLE];
    struct value *topics = value_map(f->arena);
    put_people(f, channels); // that they are no channels does not matter
    for (size_t i = 0; i < PEOPLE; i++) {
        struct value *v = begin(f, "ChannelRegistry", "id", "ChannelRegistry");
        set(f, v, "channels", set_of(f, channels, i));
        struct object registry = make(f, v);
        lose_and_find(f, &registry);
    }
    for (size_t i = 0; i < PEOPLE; i++) { // the last three have one id
        const char *id = i == 0 ? "zoo" : "same";
        struct value *v = begin(f, "Topic", "name", arena_printf(f->arena, "t%zu", i).ptr);
        struct value *registry = begin(f, "TopicAppRegistry", "id", "TopicAppRegistry");
        set(f, v, "id", value_text(f->arena, id));
        set(f, v, "channel", value_hash(f->arena, &channels[i]));
        struct object topic = make(f, v);
        fixture_put(f, &topic);
        const char *key = i >= 2 ? arena_printf(f->arena, "%s\x1f%s", id, hash_text(&channels[i]).s).ptr : id;
        value_put(f->arena, topics, value_text(f->arena, key), value_hash(f->arena, &topic.hash));
        set(f, registry, "topics", topics);
        struct object o = make(f, registry);
        lose_and_find(f, &o);
    }
}

// Of an own type: properties that may be missing, also maps that are not among those the house has.
static void what_may_be_missing_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    static const char type[] =
        "{\"$type$\":\"Recipe\",\"name\":\"Pinned\",\"rule\":[{\"itemprop\":\"who\",\"itemtype\":{\"type\":"
        "\"referenceToId\",\"allowedTypes\":[\"Person\"]}},{\"itemprop\":\"more\",\"optional\":true,\"itemtype\":{"
        "\"type\":\"map\",\"key\":{\"type\":\"referenceToId\",\"allowedTypes\":[\"Person\"]},\"value\":{\"type\":"
        "\"referenceToId\",\"allowedTypes\":[\"Person\"]}}}]}";
    struct value *recipe;
    struct span text;
    json_t *json = json_loads(type, 0, NULL);
    assert_int_equal(jsonform_read(f->arena, json, &recipe, NULL), STATUS_OK);
    json_decref(json);
    assert_int_equal(recipes_add(f->recipes, recipe, NULL), STATUS_OK);
    struct value *v = value_object(f->arena, SPAN("Pinned"));
    set(f, v, "who", value_hash(f->arena, &people[1]));
    struct object pinned = make(f, v);
    fixture_put(f, &pinned);
    lose(f, &pinned.hash);
    assert_int_equal(store_get(f->store, &pinned.hash, f->arena, &text, NULL), STATUS_OK);
    assert_true(span_eq(text, pinned.microdata));
}

// Of what every installation has the id is known, even where all of its versions are lost.
static void usual_ids_are_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    put_people(f, people);
    struct object profile = profile_of(f, "default", &people[0], &people[1], 1, 2);
    struct value *v = begin(f, "ChannelRegistry", "id", "ChannelRegistry");
    set(f, v, "channels", set_of(f, people, 2));
    struct object registry = make(f, v);
    const struct object *const lost[] = {&profile, &registry};
    for (size_t i = 0; i < 2; i++) {
        fixture_change(f, lost[i]);
        lose(f, &lost[i]->hash);
        assert_int_equal(unlink(object_path(f, &lost[i]->id_hash)), 0);
        assert_made_again(f, lost[i]);
    }
}

static void what_has_more_in_it_stays_lost(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "shown");
    struct object time = fixture_link(f, &leaf.hash, 5);
    struct span text;
    struct error e = {0};
    fixture_put(f, &leaf);
    fixture_put(f, &time);
    const struct hash *lost[] = {&leaf.hash, &time.hash};
    for (size_t i = 0; i < 2; i++) {
        struct object other = fixture_leaf(f, i == 0 ? "first" : "second");
        lose(f, lost[i]);
        assert_int_equal(store_get(f->store, lost[i], f->arena, &text, &e), STATUS_CORRUPT);
        fixture_put(f, &other);
        assert_int_equal(store_presence(f->store, lost[i]), STORE_ABSENT);
        assert_int_equal(store_get(f->store, lost[i], f->arena, &text, &e), STATUS_NOT_FOUND);
        assert_string_equal(e.code, "OBJECT-DAMAGED"); // not merely unknown
    }
    struct hash unknown = {{1}};
    assert_int_equal(store_get(f->store, &unknown, f->arena, &text, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "NOT-FOUND");
}

enum { VERSIONS = 5 };

static double depth_of(struct fixture *f, const struct hash *node)
{
    struct object o;
    double depth;
    assert_int_equal(store_get_object(f->store, node, f->arena, &o, NULL), STATUS_OK);
    assert_true(value_get_number(o.value, "depth", &depth));
    return depth;
}

// A version node has its depth in it, which its links do not tell: it is that of the last one that is left and one more
// for each lost one, as if nothing had been lost.
static void depths_go_on_above_lost_version_nodes(void **state)
{
    struct fixture *f = *state;
    for (size_t left = 0; left <= VERSIONS; left++) {
        const char *mail = arena_printf(f->arena, "left%zu@example.com", left).ptr;
        struct hash nodes[VERSIONS + 1];
        struct object person;
        for (size_t i = 0; i < VERSIONS; i++) {
            person = fixture_person(f, mail, arena_printf(f->arena, "version %zu", i).ptr);
            struct hash id = fixture_change(f, &person);
            assert_int_equal(store_head(f->store, &id, &nodes[i], NULL), STATUS_OK);
            assert_true(depth_of(f, &nodes[i]) == (double)i);
        }
        for (size_t i = left; i < VERSIONS; i++)
            lose(f, &nodes[i]);
        person = fixture_person(f, mail, "the last");
        struct hash id = fixture_change(f, &person);
        assert_int_equal(store_head(f->store, &id, &nodes[VERSIONS], NULL), STATUS_OK);
        assert_true(depth_of(f, &nodes[VERSIONS]) == (double)VERSIONS);
    }
}

static void what_was_deleted_is_not_made_again(void **state)
{
    struct fixture *f = *state;
    struct hash people[PEOPLE];
    struct span text;
    put_people(f, people);
    struct object group = fixture_group(f, "friends", people, PEOPLE);
    fixture_change(f, &group);
    fixture_settle(f);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_delete(f->store, &group.hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_get(f->store, &group.hash, f->arena, &text, NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(grants_and_groups_are_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(somebody_named_twice_stays_so, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(the_id_may_be_lost_with_its_versions, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(the_contact_book_is_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(profiles_are_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(someones_are_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(registries_are_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_may_be_missing_is_left_out, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(usual_ids_are_made_again, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_has_more_in_it_stays_lost, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(depths_go_on_above_lost_version_nodes, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_was_deleted_is_not_made_again, fixture_begin_archive, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
