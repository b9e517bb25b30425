// By whom something came, and what counts because of it.
#include <sqlite3.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "crypto/sha256.h"
#include "fixture.h"

struct announced {
    size_t whole; // announced not as a part
    size_t parts;
};

static enum status count_objects(struct store *s, const struct store_change *change, void *ctx, struct error *e)
{
    (void)s;
    (void)e;
    struct announced *a = ctx;
    if (change->kind == STORE_CHANGE_OBJECT && change->content == STORE_OBJECT)
        *(change->part ? &a->parts : &a->whole) += 1;
    return STATUS_OK;
}

static void put_from(struct fixture *f, const struct object *o, const struct hash *sender, bool as_part)
{
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    store_set_sender(f->store, sender);
    store_set_parts(f->store, as_part);
    assert_int_equal(store_put(f->store, o, NULL, NULL), STATUS_OK);
    store_set_parts(f->store, false);
    store_set_sender(f->store, NULL);
    assert_int_equal(store_announce(f->store, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static void a_part_counts_once_it_comes_for_itself(void **state)
{
    struct fixture *f = *state;
    struct announced a = {0};
    const struct hash eve = {{7}};
    const struct hash *later[] = {&eve, NULL}; // by a peer, by ourselves
    for (size_t i = 0; i < 2; i++) {
        struct object o = fixture_leaf(f, i == 0 ? "one" : "two");
        store_set_hook(f->store, count_objects, &a);
        put_from(f, &o, &eve, true);
        put_from(f, &o, &eve, true);
        assert_int_equal(a.whole, i);
        assert_int_equal(a.parts, i + 1);
        assert_false(store_is_admitted(f->store, &o.hash));
        fixture_reopen(f); // the mark lasts
        store_set_hook(f->store, count_objects, &a);
        assert_false(store_is_admitted(f->store, &o.hash));
        put_from(f, &o, later[i], false);
        assert_int_equal(a.whole, i + 1);
        assert_true(store_is_admitted(f->store, &o.hash));
        put_from(f, &o, &eve, true); // what counts goes on doing so
        put_from(f, &o, &eve, false);
        assert_int_equal(a.whole, i + 1);
        assert_true(store_is_admitted(f->store, &o.hash));
    }
}

static void a_root_stays_one_below_others(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    struct object o = fixture_leaf(f, "first for itself");
    put_from(f, &o, &eve, false);
    put_from(f, &o, &eve, true);
    assert_true(store_is_admitted(f->store, &o.hash));
}

static enum store_link known(struct fixture *f, const struct hash *person, const struct hash *target)
{
    const struct hash self = {{99}};
    struct store_knowledge *k = store_knowledge_create(f->store, person, &self, false);
    enum store_link found = store_knowledge_of(k, LINK_OBJECT, target);
    store_knowledge_destroy(k);
    return found;
}

static void a_person_knows_what_it_sent_and_what_it_is_shown(void **state)
{
    struct fixture *f = *state;
    struct object bob = fixture_person(f, "bob@example.com", NULL);
    const struct hash eve = {{7}};
    const struct hash nowhere = {{5}};
    struct object secret = fixture_leaf(f, "secret");
    struct object top = fixture_link(f, &secret.hash, 1);
    struct object upper = fixture_link(f, &top.hash, 1);
    fixture_put(f, &bob);
    fixture_put(f, &secret);
    fixture_put(f, &top);
    fixture_put(f, &upper);
    assert_int_equal(known(f, &bob.id_hash, &secret.hash), STORE_LINK_STRANGE);
    assert_int_equal(known(f, &eve, &secret.hash), STORE_LINK_STRANGE);
    put_from(f, &secret, &eve, true); // whoever has it may name it
    assert_int_equal(known(f, &eve, &secret.hash), STORE_LINK_KNOWN);
    struct object grant = fixture_grant(f, &upper.hash, false, &bob.id_hash, 1, NULL, 0);
    fixture_change(f, &grant);
    assert_int_equal(known(f, &bob.id_hash, &secret.hash), STORE_LINK_KNOWN);
    assert_int_equal(known(f, &eve, &top.hash), STORE_LINK_STRANGE);
    assert_int_equal(known(f, &bob.id_hash, &nowhere), STORE_LINK_MISSING);
    assert_int_equal(known(f, &eve, &bob.id_hash), STORE_LINK_OTHER_KIND);
}

// ---- Files that whoever named them first did not bring --------------------------------------------------------------

static void bring(struct fixture *f, const struct object *image, struct span file, const struct hash *sender)
{
    struct store_writer *w;
    struct hash hash;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    store_set_sender(f->store, sender);
    if (file.len != 0) {
        assert_int_equal(store_writer_create(f->store, false, &w, NULL), STATUS_OK);
        assert_int_equal(store_writer_add(w, file, NULL), STATUS_OK);
        assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, NULL), STATUS_OK);
        store_writer_destroy(w);
    }
    if (image != NULL)
        assert_int_equal(store_put(f->store, image, NULL, NULL), STATUS_OK);
    store_set_sender(f->store, NULL);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

// Its file can be given to others below it.
static bool is_whole(struct fixture *f, const struct object *image)
{
    struct store_children children;
    assert_int_equal(store_children(f->store, &image->hash, &children, NULL), STATUS_OK);
    bool complete = store_is_complete(f->store, &image->hash);
    assert_int_equal(children.count, complete);
    free(children.items);
    return complete;
}

static void a_file_is_shown_by_who_brought_it_and_what_names_it(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    const struct hash ann = {{8}};
    const struct hash joe = {{9}};
    for (unsigned char order = 0; order < 2; order++) {
        const char bytes[] = {(char)0xff, (char)order, 0};
        const struct span file = {bytes, sizeof bytes};
        const struct hash hash = sha256(file);
        struct object image = fixture_image(f, &hash);
        bring(f, NULL, file, &ann);
        bring(f, &image, SPAN(""), &eve);
        assert_false(is_whole(f, &image)); // eve may only know the name
        if (order == 0) {
            bring(f, &image, SPAN(""), &joe);
            assert_false(is_whole(f, &image));
            bring(f, NULL, file, &joe);
        } else {
            bring(f, NULL, file, &joe);
            assert_false(is_whole(f, &image));
            bring(f, &image, SPAN(""), &joe);
        }
        assert_true(is_whole(f, &image));
        fixture_reopen(f);
        assert_true(is_whole(f, &image));
    }
}

// A database of version 1: what it holds counts as made here.
static void an_older_database_is_taken_over(void **state)
{
    static const char back[] =
        "DROP TRIGGER settled_lost; DROP TRIGGER settled_gone; DROP TABLE settled; DROP TABLE settled_peer; ALTER "
        "TABLE object DROP COLUMN source; ALTER TABLE object DROP COLUMN part; DROP TABLE brought; DROP TABLE outbox; "
        "DROP TABLE outbox_total; DROP TABLE delivery; DROP TABLE trace; DROP TABLE hidden; DROP TABLE gone; DROP "
        "TABLE again; DROP TRIGGER used_gone; DROP TABLE used; DROP TABLE used_total; DROP INDEX scope_log_seq; DROP "
        "INDEX member_from; DROP INDEX group_member_from; PRAGMA user_version = 1";
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "from before");
    struct object later = fixture_leaf(f, "from after");
    const struct hash eve = {{7}};
    sqlite3 *db = NULL;
    fixture_put(f, &o);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(sqlite3_open(arena_printf(f->arena, "%s/store.db", f->dir).ptr, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    fixture_reopen(f);
    assert_false(f->report.rebuilt);
    assert_true(store_is_admitted(f->store, &o.hash));
    assert_int_equal(known(f, &eve, &o.hash), STORE_LINK_STRANGE);
    put_from(f, &later, &eve, true);
    assert_int_equal(known(f, &eve, &later.hash), STORE_LINK_KNOWN);
    fixture_reopen(f);
    assert_false(store_is_admitted(f->store, &later.hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_BOTH(a_part_counts_once_it_comes_for_itself),
        FIXTURE_BOTH(a_root_stays_one_below_others),
        FIXTURE_BOTH(a_person_knows_what_it_sent_and_what_it_is_shown),
        FIXTURE_BOTH(a_file_is_shown_by_who_brought_it_and_what_names_it),
        FIXTURE_BOTH(an_older_database_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
