// What is remembered of rows within a transaction, and for how long.
#include "../cmocka_all.h"
#include "fixture.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/state.h"

enum { MANY = 100 };

static int questions(struct fixture *f)
{
    return sqlite3_stmt_status(f->store->main.statements[SQL_OBJECT_FIND], SQLITE_STMTSTATUS_RUN, 0);
}

static void begin(struct fixture *f)
{
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
}

static void commit(struct fixture *f)
{
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static void put(struct fixture *f, const struct object *o)
{
    assert_int_equal(store_put(f->store, o, NULL, NULL), STATUS_OK);
}

static bool is_here(struct fixture *f, const struct object *o)
{
    struct object_row row;
    bool found;
    assert_int_equal(object_row_find(f->store, &o->hash, &found, &row, NULL), STATUS_OK);
    return found && row.state == STATE_PRESENT;
}

// As an importer does: is it here, and all it refers to? Then it is stored.
static void what_many_refer_to_is_asked_for_once(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "leaf");
    fixture_put(f, &leaf);
    begin(f);
    assert_true(is_here(f, &leaf));
    int before = questions(f);
    for (int i = 0; i < MANY; i++) {
        struct object o = fixture_link(f, &leaf.hash, i);
        assert_false(is_here(f, &o));
        assert_true(is_here(f, &leaf));
        put(f, &o);
        assert_true(is_here(f, &o));
    }
    int asked = questions(f) - before;
    commit(f);
    assert_in_range(asked, MANY, MANY + MANY / 5); // two may have one place
}

static void what_is_undone_is_forgotten(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "undone");
    struct object other = fixture_leaf(f, "rolled back");
    begin(f);
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    put(f, &o);
    assert_true(is_here(f, &o));
    store_undo(f->store);
    assert_false(is_here(f, &o));
    put(f, &other);
    store_rollback(f->store);
    begin(f);
    assert_false(is_here(f, &other));
    put(f, &o);
    assert_true(is_here(f, &o));
    commit(f);
    assert_true(is_here(f, &o));
}

static void what_changes_is_asked_for_anew(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    struct object_row row;
    bool found;
    struct object o = fixture_leaf(f, "part");
    begin(f);
    store_set_sender(f->store, &eve);
    store_set_parts(f->store, true);
    put(f, &o);
    assert_false(store_is_admitted(f->store, &o.hash));
    store_set_parts(f->store, false);
    put(f, &o);
    assert_true(store_is_admitted(f->store, &o.hash));
    store_set_sender(f->store, NULL);
    put(f, &o);
    assert_int_equal(object_row_find(f->store, &o.hash, &found, &row, NULL), STATUS_OK);
    assert_int_equal(row.source, 0);
    commit(f);
}

// Who reads beside an open transaction sees what is committed.
static void who_reads_beside_it_does_not_see_it(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "beside");
    begin(f);
    put(f, &o);
    assert_true(store_begin_reading(f->store));
    assert_false(is_here(f, &o));
    store_end_reading(f->store);
    assert_true(is_here(f, &o));
    commit(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_BOTH(what_many_refer_to_is_asked_for_once),
        FIXTURE_BOTH(what_is_undone_is_forgotten),
        FIXTURE_BOTH(what_changes_is_asked_for_anew),
        FIXTURE_BOTH(who_reads_beside_it_does_not_see_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
