// Verification: each kind of damage is found and named, nothing else is, and what was found is put right.
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
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

static void scribble(const char *path, off_t at, size_t len)
{
    char junk[4096];
    memset(junk, 0xA5, sizeof junk);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, len, at), len);
    close(fd);
}

static void sql(struct fixture *f, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture_path(f, "store.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct store_verification verify(struct fixture *f)
{
    struct store_watch watch = {0};
    struct store_verification v;
    struct error e = {0};
    if (store_verify(f->dir, f->kind, &watch, &v, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return v;
}

static void assert_sound(struct fixture *f, uint64_t objects)
{
    struct store_verification v = verify(f);
    assert_string_equal(v.why, "");
    assert_int_equal(v.count, 0);
    assert_int_equal(v.index_faults, 0);
    assert_int_equal(v.unindexed, 0);
    assert_false(v.is_damaged_database);
    assert_int_equal(v.objects, objects);
    store_verification_free(&v);
}

static void assert_one(struct fixture *f, const struct hash *hash, int what, const char *type)
{
    struct store_verification v = verify(f);
    assert_int_equal(v.count, 1);
    assert_true(hash_eq(&v.items[0].hash, hash));
    assert_int_equal(v.items[0].what, what);
    assert_string_equal(v.items[0].type, type);
    assert_int_equal(v.index_faults, 0);
    store_verification_free(&v);
}

struct sample {
    struct object leaf, top, person;
    struct hash person_id, file;
};

static void fill(struct fixture *f, struct sample *s)
{
    s->leaf = fixture_leaf(f, "a <b> \" data-type=\"obj\"> & more");
    s->top = fixture_link(f, &s->leaf.hash, 1);
    s->person = fixture_person(f, "ann@example.com", NULL);
    fixture_put(f, &s->leaf);
    fixture_put(f, &s->top);
    s->person_id = fixture_change(f, &s->person);
    s->file = fixture_file(f, (struct span){arena_alloc(f->arena, 300000), 300000});
}

static uint64_t objects_of(struct fixture *f)
{
    struct store_totals totals;
    assert_int_equal(store_totals(f->store, &totals, NULL), STATUS_OK);
    return totals.objects;
}

static void a_whole_store_is_sound(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    fill(f, &s);
    assert_sound(f, objects_of(f)); // nothing has settled
    fixture_settle(f);
    assert_sound(f, objects_of(f));
    fixture_reopen(f);
    assert_sound(f, objects_of(f));
    store_close(f->store);
    f->store = NULL;
    assert_sound(f, 6);
}

static enum status lose(struct fixture *f, const struct hash *hash)
{
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    enum status status = store_lose(f->store, hash, NULL);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    return status;
}

static void damage_to_files_is_found(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    fill(f, &s);
    fixture_settle(f);
    for (int round = 0; round < 4; round++) {
        const char *path = object_path(f, &s.leaf.hash);
        if (round == 0)
            assert_int_equal(truncate(path, 20), 0);
        else if (round == 1)
            scribble(path, 30, 3);
        else
            assert_int_equal(unlink(path), 0);
        if (round == 3)
            assert_int_equal(mkdir(path, 0700), 0);
        assert_one(f, &s.leaf.hash, round < 2 ? STORE_FOUND_DAMAGED : STORE_FOUND_MISSING, "PhoneNumber");
        assert_int_equal(lose(f, &s.leaf.hash), STATUS_OK);
        assert_true(store_is_wanted(f->store, &s.leaf.hash));
        assert_one(f, &s.leaf.hash, STORE_FOUND_MISSING, "PhoneNumber");
        fixture_put(f, &s.leaf);
        fixture_settle(f);
        assert_sound(f, objects_of(f));
    }
    scribble(object_path(f, &s.file), 299999, 1);
    assert_one(f, &s.file, STORE_FOUND_DAMAGED, "");
}

static void damage_inside_the_database_is_found(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    fill(f, &s);
    sql(f, "UPDATE body SET bytes = zeroblob(length(bytes)) WHERE seq = 1");
    assert_one(f, &s.leaf.hash, STORE_FOUND_DAMAGED, "PhoneNumber");
    assert_int_equal(lose(f, &s.top.hash), STATUS_OK); // is not lost at all
    assert_false(store_is_wanted(f->store, &s.top.hash));
}

static void what_is_wanted_by_mistake_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    struct span text;
    fill(f, &s);
    fixture_settle(f);
    const char *path = object_path(f, &s.leaf.hash);
    const char *away = arena_printf(f->arena, "%s-away", path).ptr;
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(lose(f, &s.leaf.hash), STATUS_OK);
    assert_int_equal(rename(away, path), 0);
    assert_one(f, &s.leaf.hash, STORE_FOUND_HERE, "PhoneNumber");
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_find_again(f->store, &s.leaf.hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_get(f->store, &s.leaf.hash, f->arena, &text, NULL), STATUS_OK);
    assert_true(store_is_complete(f->store, &s.top.hash));
    assert_sound(f, objects_of(f));
}

static void rows_that_contradict_the_bytes_are_found(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM link WHERE src = 2",
        "UPDATE link SET target = zeroblob(32) WHERE src = 2",
        "UPDATE link SET kind = 1 WHERE src = 2",
        "INSERT INTO link VALUES(1, 0, zeroblob(32), 0, 1)",
        "UPDATE object SET type = (SELECT type FROM object WHERE seq = 2) WHERE seq = 1",
        "UPDATE object SET size = size + 1 WHERE seq = 1",
        "UPDATE head SET data = zeroblob(32)",
        "UPDATE head SET node = (SELECT hash FROM object WHERE seq = 1)",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct fixture f;
        struct sample s;
        fixture_open(&f, STORE_ARCHIVE);
        fill(&f, &s);
        fixture_settle(&f);
        sql(&f, damages[i]);
        struct store_verification v = verify(&f);
        if (v.index_faults == 0)
            fail_msg("not found: %s", damages[i]);
        assert_string_not_equal(v.why, "");
        assert_int_equal(v.count, 0);
        store_verification_free(&v);
        store_rebuild_next(f.store);
        fixture_reopen(&f);
        assert_true(f.report.rebuilt);
        assert_sound(&f, objects_of(&f));
        fixture_close(&f);
    }
    (void)state;
}

static void settled_heads_are_compared(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    fill(f, &s);
    fixture_settle(f);
    struct hash_text t = hash_text(&s.person_id);
    const char *path = arena_printf(f->arena, "%s/vheads/%.2s/%s", f->dir, t.s, t.s).ptr;
    for (int round = 0; round < 3; round++) {
        if (round == 0)
            assert_int_equal(unlink(path), 0);
        else
            assert_int_equal(file_write(path, span_of(round == 1 ? "" : hash_text(&s.leaf.hash).s), 0600, NULL),
                             STATUS_OK);
        struct store_verification v = verify(f);
        assert_int_equal(v.index_faults, 1);
        store_verification_free(&v);
        store_rebuild_next(f->store);
        fixture_reopen(f);
        fixture_settle(f);
        assert_sound(f, objects_of(f));
    }
}

static void a_damaged_database_leaves_the_files(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    fill(f, &s);
    fixture_settle(f);
    store_close(f->store);
    f->store = NULL;
    scribble(fixture_path(f, "store.db"), 4096, 4096);
    assert_int_equal(truncate(object_path(f, &s.leaf.hash), 10), 0);
    struct store_verification v = verify(f);
    assert_true(v.is_damaged_database);
    assert_int_equal(v.objects, 6);
    assert_int_equal(v.count, 1);
    assert_true(hash_eq(&v.items[0].hash, &s.leaf.hash));
    store_verification_free(&v);
    assert_int_equal(unlink(fixture_path(f, "store.db")), 0);
    v = verify(f);
    assert_true(v.is_damaged_database);
    store_verification_free(&v);
    assert_false(file_exists(fixture_path(f, "store.db"))); // to look makes nothing
}

static void it_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    struct store_watch watch = {.stop = true};
    struct store_verification v;
    struct error e = {0};
    fill(f, &s);
    assert_int_equal(store_verify(f->dir, f->kind, &watch, &v, &e), STATUS_CLOSED);
    assert_string_equal(e.code, "CLOSED");
    store_verification_free(&v);
}

static void what_nobody_has_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    struct hash before;
    struct hash after;
    struct object now;
    fill(f, &s);
    assert_int_equal(store_head(f->store, &s.person_id, &before, NULL), STATUS_OK);
    fixture_settle(f);
    const struct hash lost[] = {before, s.leaf.hash};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(unlink(object_path(f, &lost[i])), 0);
        assert_int_equal(lose(f, &lost[i]), STATUS_OK);
        assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
        assert_int_equal(store_forget(f->store, &s.top.hash, 5, NULL), STATUS_OK); // is here, and stays
        assert_int_equal(store_forget(f->store, &lost[i], 5, NULL), STATUS_OK);
        assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
        assert_false(store_is_wanted(f->store, &lost[i]));
    }
    fixture_settle(f);
    assert_sound(f, objects_of(f));
    assert_int_equal(store_head(f->store, &s.person_id, &after, NULL), STATUS_OK);
    assert_false(hash_eq(&before, &after));
    assert_int_equal(store_current(f->store, &s.person_id, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &s.person.hash));
    assert_int_equal(store_presence(f->store, &s.top.hash), STORE_PRESENT);
}

static void forget(struct fixture *f, const struct hash *hash)
{
    assert_int_equal(unlink(object_path(f, hash)), 0);
    assert_int_equal(lose(f, hash), STATUS_OK);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_forget(f->store, hash, 5, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static struct hash node_of(struct fixture *f, const struct hash *id_hash)
{
    struct hash node;
    assert_int_equal(store_head(f->store, id_hash, &node, NULL), STATUS_OK);
    return node;
}

static size_t versions_of(struct fixture *f, const struct hash *id_hash)
{
    struct hash_list nodes = {0};
    struct hash head = node_of(f, id_hash);
    assert_int_equal(version_list(store_versions(f->store), &head, &nodes, NULL), STATUS_OK);
    size_t count = nodes.count;
    hash_list_free(&nodes);
    return count;
}

static void a_history_with_a_hole_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct object versions[3];
    struct hash nodes[3];
    struct hash id = {{0}};
    struct object now;
    const char *names[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        versions[i] = fixture_person(f, "ann@example.com", names[i]);
        id = fixture_change(f, &versions[i]);
        nodes[i] = node_of(f, &id);
    }
    fixture_settle(f);
    forget(f, &nodes[1]); // in the middle
    assert_int_equal(versions_of(f, &id), 1);
    assert_int_equal(store_current(f->store, &id, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &versions[2].hash));
    forget(f, &nodes[0]); // of a history that is no more
    struct hash head = node_of(f, &id);
    fixture_change(f, &versions[1]);
    fixture_settle(f);
    forget(f, &versions[1].hash); // the newest version itself
    assert_int_equal(versions_of(f, &id), 1);
    assert_false(hash_eq(&head, &nodes[2]));
    assert_int_equal(store_current(f->store, &id, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &versions[2].hash));
    fixture_settle(f);
    assert_sound(f, objects_of(f));
}

static void an_id_is_made_again_from_a_version(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    const struct hash *lost[] = {&s.person_id, &s.leaf.hash};
    fill(f, &s);
    fixture_settle(f);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(unlink(object_path(f, lost[i])), 0);
        assert_int_equal(lose(f, lost[i]), STATUS_OK);
        assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
        assert_int_equal(store_remake(f->store, lost[i], NULL), STATUS_OK);
        assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    }
    assert_int_equal(store_presence(f->store, &s.person_id), STORE_PRESENT);
    assert_int_equal(store_presence(f->store, &s.leaf.hash), STORE_ABSENT);
}

static void a_lost_grant_is_made_from_the_index(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    struct object now;
    struct hash people[2];
    uint64_t skipped;
    fill(f, &s);
    for (size_t i = 0; i < 2; i++) {
        struct object person = fixture_person(f, i == 0 ? "bob@example.com" : "eve@example.com", NULL);
        people[i] = fixture_change(f, &person);
    }
    struct object both = fixture_grant(f, &s.leaf.hash, false, people, 2, NULL, 0);
    struct object one = fixture_grant(f, &s.leaf.hash, false, people, 1, NULL, 0);
    fixture_change(f, &both);
    struct hash grant = fixture_change(f, &one);
    fixture_settle(f);
    struct span before = fixture_roots(f, &people[0], &skipped);
    forget(f, &one.hash);
    assert_int_equal(store_current(f->store, &grant, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &one.hash)); // not the version before, which names one more
    assert_true(span_eq(fixture_roots(f, &people[0], &skipped), before));
    fixture_settle(f);
    assert_sound(f, objects_of(f));
}

// ---- Before it opens ------------------------------------------------------------------------------------------------

static void the_format_is_read(void **state)
{
    struct fixture *f = *state;
    struct store *s;
    struct error e = {0};
    struct buf text = {0};
    assert_int_equal(file_write(fixture_path(f, "format"), SPAN(""), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_non_null(strstr(f->report.note, "format"));
    assert_int_equal(file_read(fixture_path(f, "format"), 100, &text, NULL), STATUS_OK);
    assert_string_equal(buf_cstr(&text), "tandem store 1\n");
    buf_free(&text);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(file_write(fixture_path(f, "format"), SPAN("tandem store 2\n"), 0600, NULL), STATUS_OK);
    struct store_options options = {.dir = f->dir, .kind = f->kind, .recipes = f->recipes};
    assert_int_equal(store_open(&options, &s, NULL, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "STATE-TOO-NEW");
}

static void an_emptied_database_is_made_anew_from_the_files(void **state)
{
    struct fixture *f = *state;
    struct sample s;
    struct span text;
    fill(f, &s);
    fixture_settle(f);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(truncate(fixture_path(f, "store.db"), 0), 0);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_false(f->report.created);
    assert_int_equal(store_get(f->store, &s.leaf.hash, f->arena, &text, NULL), STATUS_OK);
}

static void folders_in_the_place_of_files_are_put_aside(void **state)
{
    static const char *const names[] = {"lock", "format", "store.db-wal", "store.db-shm"};
    struct fixture *f = *state;
    struct sample s;
    struct span text;
    fill(f, &s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        store_close(f->store);
        f->store = NULL;
        (void)unlink(fixture_path(f, names[i]));
        assert_int_equal(mkdir(fixture_path(f, names[i]), 0700), 0);
        fixture_reopen(f);
        assert_non_null(strstr(f->report.note, names[i]));
        assert_int_equal(store_get(f->store, &s.leaf.hash, f->arena, &text, NULL), STATUS_OK);
    }
}

static void a_database_without_its_log_is_lost(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    store_close(f->store);
    f->store = NULL;
    assert_false(store_is_lost(f->dir, STORE_SPARSE));
    assert_int_equal(stat(fixture_path(f, "store.db"), &st), 0);
    char nothing[100 - 60] = {0};
    int fd = open(fixture_path(f, "store.db"), O_WRONLY);
    assert_int_equal(pwrite(fd, nothing, sizeof nothing, 60), sizeof nothing); // as SQLite begins a file
    close(fd);
    assert_true(store_is_lost(f->dir, STORE_SPARSE));
}

#define ARCHIVE(test) cmocka_unit_test_setup_teardown(test, fixture_begin_archive, fixture_end)
#define SPARSE(test) cmocka_unit_test_setup_teardown(test, fixture_begin_sparse, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARCHIVE(a_whole_store_is_sound),
        ARCHIVE(damage_to_files_is_found),
        SPARSE(damage_inside_the_database_is_found),
        ARCHIVE(what_is_wanted_by_mistake_is_found_again),
        cmocka_unit_test(rows_that_contradict_the_bytes_are_found),
        ARCHIVE(settled_heads_are_compared),
        ARCHIVE(a_damaged_database_leaves_the_files),
        SPARSE(it_can_be_stopped),
        ARCHIVE(what_nobody_has_is_given_up),
        ARCHIVE(a_history_with_a_hole_begins_anew),
        ARCHIVE(an_id_is_made_again_from_a_version),
        ARCHIVE(a_lost_grant_is_made_from_the_index),
        ARCHIVE(the_format_is_read),
        ARCHIVE(an_emptied_database_is_made_anew_from_the_files),
        ARCHIVE(folders_in_the_place_of_files_are_put_aside),
        SPARSE(a_database_without_its_log_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
