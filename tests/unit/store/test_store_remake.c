// What is lost is made again where the index and the id say all that was in it, and nothing else is.
#include <stdio.h>
#include <unistd.h>

#include "../cmocka_all.h"
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
        cmocka_unit_test_setup_teardown(what_has_more_in_it_stays_lost, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_was_deleted_is_not_made_again, fixture_begin_archive, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
