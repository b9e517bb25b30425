// Damage and how the store gets over it: files cut or changed, databases gone or broken, leftovers, second openers.
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "crypto/sha256.h"
#include "fixture.h"
#include "io/file.h"

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

static void close_only(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

static void add_absent(const struct store_usage *usage, void *arg)
{
    if (usage->presence == STORE_ABSENT)
        *(uint64_t *)arg += usage->objects;
}

static uint64_t count_wanted(struct fixture *f)
{
    uint64_t count = 0;
    assert_int_equal(store_measure(f->store, add_absent, &count, NULL), STATUS_OK);
    return count;
}

static void damaged_object_is_wanted_until_stored_again(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "some text");
    struct object top = fixture_link(f, &leaf.hash, 1);
    struct object bob = fixture_person(f, "bob@example.com", NULL);
    struct object grant = fixture_grant(f, &top.hash, false, &bob.id_hash, 1, NULL, 0);
    struct span text;
    struct error e = {0};
    uint64_t skipped;
    fixture_put(f, &leaf);
    fixture_put(f, &top);
    fixture_put(f, &bob);
    fixture_change(f, &grant);
    fixture_settle(f);
    for (int round = 0; round < 3; round++) {
        if (round == 0)
            assert_int_equal(truncate(object_path(f, &leaf.hash), 20), 0);
        else if (round == 1)
            scribble(object_path(f, &leaf.hash), 30, 3);
        else
            assert_int_equal(unlink(object_path(f, &leaf.hash)), 0);
        assert_int_equal(store_get(f->store, &leaf.hash, f->arena, &text, &e), STATUS_CORRUPT);
        assert_string_equal(e.code, "OBJECT-DAMAGED");
        assert_int_equal(store_presence(f->store, &leaf.hash), STORE_ABSENT);
        fixture_put(f, &bob); // any commit
        assert_int_equal(count_wanted(f), 1);
        assert_true(store_is_wanted(f->store, &leaf.hash));
        fixture_roots(f, &bob.id_hash, &skipped); // its tree cannot be delivered any more
        assert_int_equal(skipped, 1);
        fixture_put(f, &leaf);
        assert_int_equal(store_get(f->store, &leaf.hash, f->arena, &text, NULL), STATUS_OK);
        fixture_roots(f, &bob.id_hash, &skipped);
        assert_int_equal(skipped, 0);
        assert_int_equal(count_wanted(f), 0);
        fixture_settle(f);
    }
}

static enum status read_all(struct fixture *f, const struct hash *hash, struct error *e)
{
    struct buf all = {0};
    enum status status = STATUS_OK;
    for (size_t before = 1; status == STATUS_OK && before != all.len;) {
        before = all.len;
        status = store_read_chunk(f->store, hash, all.len, &all, e);
    }
    buf_free(&all);
    return status;
}

static void damaged_file_is_found_while_reading(void **state)
{
    struct fixture *f = *state;
    char *bytes = arena_alloc(f->arena, 500000);
    struct error e = {0};
    struct hash hash = fixture_file(f, (struct span){bytes, 500000});
    assert_int_equal(read_all(f, &hash, &e), STATUS_OK);
    scribble(object_path(f, &hash), 499000, 1);
    assert_int_equal(read_all(f, &hash, &e), STATUS_CORRUPT);
    assert_string_equal(e.code, "OBJECT-DAMAGED");
    assert_int_equal(store_presence(f->store, &hash), STORE_ABSENT);
    fixture_file(f, (struct span){bytes, 500000});
    assert_int_equal(read_all(f, &hash, &e), STATUS_OK);
    assert_int_equal(truncate(object_path(f, &hash), 100000), 0);
    assert_int_equal(read_all(f, &hash, &e), STATUS_CORRUPT);
}

// ---- The whole database ---------------------------------------------------------------------------------------------

enum { SAMPLE = 300 };

struct sample {
    struct object leaves[SAMPLE];
    struct object bob;
    struct object doc;
    struct hash doc_id;
    struct hash node;
    struct hash file;
    struct span roots;
};

static struct sample *fill(struct fixture *f)
{
    struct sample *s = arena_alloc(f->arena, sizeof *s);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    for (int i = 0; i < SAMPLE; i++) {
        char name[20];
        snprintf(name, sizeof name, "leaf %d", i);
        s->leaves[i] = fixture_leaf(f, name);
        assert_int_equal(store_put(f->store, &s->leaves[i], NULL, NULL), STATUS_OK);
    }
    assert_int_equal(store_setting_set(f->store, "color", SPAN("blue"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    s->bob = fixture_person(f, "bob@example.com", NULL);
    fixture_change(f, &s->bob);
    struct object old = fixture_person(f, "dora@example.com", "old");
    fixture_change(f, &old);
    s->doc = fixture_person(f, "dora@example.com", "new");
    s->doc_id = fixture_change(f, &s->doc);
    struct object grant = fixture_grant(f, &s->doc_id, true, &s->bob.id_hash, 1, NULL, 0);
    fixture_change(f, &grant);
    s->file = fixture_file(f, (struct span){arena_alloc(f->arena, 300000), 300000});
    assert_int_equal(store_head(f->store, &s->doc_id, &s->node, NULL), STATUS_OK);
    s->roots = fixture_roots(f, &s->bob.id_hash, NULL);
    return s;
}

static void assert_complete(struct fixture *f, const struct sample *s)
{
    struct span text;
    struct object now;
    struct hash node;
    struct error e = {0};
    for (int i = 0; i < SAMPLE; i++)
        assert_int_equal(store_get(f->store, &s->leaves[i].hash, f->arena, &text, NULL), STATUS_OK);
    assert_int_equal(store_head(f->store, &s->doc_id, &node, NULL), STATUS_OK);
    assert_true(hash_eq(&node, &s->node));
    assert_int_equal(store_current(f->store, &s->doc_id, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &s->doc.hash));
    assert_int_equal(read_all(f, &s->file, &e), STATUS_OK);
    assert_string_equal(fixture_roots(f, &s->bob.id_hash, NULL).ptr, s->roots.ptr);
}

static void archive_is_rebuilt_from_its_files(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    fixture_settle(f);
    for (int round = 0; round < 3; round++) {
        close_only(f);
        if (round == 0)
            scribble(fixture_path(f, "store.db"), 0, 4096);
        else if (round == 1)
            assert_int_equal(unlink(fixture_path(f, "store.db")), 0);
        else
            assert_int_equal(truncate(fixture_path(f, "store.db"), 5000), 0);
        fixture_reopen(f);
        assert_true(f->report.rebuilt);
        assert_int_not_equal(f->report.note[0], 0);
        assert_int_equal(f->report.lost_objects, 0);
        assert_complete(f, s);
        fixture_settle(f);
    }
    assert_true(file_exists(fixture_path(f, "damaged/store-1.db.kept")));
    fixture_reopen(f);
    assert_false(f->report.rebuilt);
}

static void damaged_files_are_lost_and_told(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    struct span text;
    fixture_settle(f);
    close_only(f);
    scribble(fixture_path(f, "store.db"), 0, 4096);
    scribble(object_path(f, &s->leaves[7].hash), 60, 1);
    assert_int_equal(unlink(object_path(f, &s->node)), 0);
    fixture_reopen(f);
    assert_int_equal(store_get(f->store, &s->leaves[7].hash, f->arena, &text, NULL), STATUS_NOT_FOUND);
    assert_int_equal(f->report.lost_objects, 1); // of the node nothing is left, not even its name
    assert_int_equal(count_wanted(f), 1);
    assert_non_null(strstr(f->report.note, "1 current version"));
    assert_int_equal(store_get(f->store, &s->leaves[8].hash, f->arena, &text, NULL), STATUS_OK);
}

static struct object node_about(struct fixture *f, const char *type, const struct hash *data, const struct hash *prev,
                                double depth)
{
    struct object o;
    struct value *v = value_object(f->arena, span_of(type));
    if (prev != NULL)
        value_set_member(f->arena, v, SPAN("prev"), value_hash(f->arena, prev));
    value_set_member(f->arena, v, SPAN("data"), value_hash(f->arena, data));
    value_set_member(f->arena, v, SPAN("depth"), value_number(f->arena, depth));
    value_set_member(f->arena, v, SPAN("creationTime"), value_number(f->arena, 1));
    assert_int_equal(object_make(f->recipes, f->arena, v, MICRODATA_OBJECT, &o, NULL), STATUS_OK);
    return o;
}

// However long a history a version claims, and even if it follows on what was current: it merely lies here.
static void a_planted_version_is_not_preferred(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    struct object evil = fixture_person(f, "dora@example.com", "evil");
    struct object nobody = fixture_person(f, "nobody@example.com", "evil");
    struct object deep = node_about(f, "VersionNodeChange", &evil.hash, NULL, 1e9);
    struct object next = node_about(f, "VersionNodeChange", &evil.hash, &s->node, 2);
    struct object edge = node_about(f, "VersionNodeEdge", &nobody.hash, NULL, 0);
    struct object access = fixture_grant(f, &s->leaves[1].hash, false, &s->bob.id_hash, 1, NULL, 0);
    struct object grant = node_about(f, "VersionNodeEdge", &access.hash, NULL, 0);
    struct hash node;
    const struct object *const planted[] = {&evil, &nobody, &deep, &next, &edge};
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        fixture_put(f, planted[i]);
    fixture_file(f, access.microdata); // a file by its kind, an object by its bytes
    fixture_file(f, grant.microdata);
    fixture_settle(f);
    close_only(f);
    assert_int_equal(unlink(fixture_path(f, "store.db")), 0);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_complete(f, s); // and the roots are the same
    assert_int_equal(store_head(f->store, &nobody.id_hash, &node, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_head(f->store, &access.id_hash, &node, NULL), STATUS_NOT_FOUND);
    assert_non_null(strstr(f->report.note, "versions of unknown origin"));
    assert_false(store_is_admitted(f->store, &next.hash));
    assert_true(store_is_admitted(f->store, &s->node));
}

// Nothing has settled: the damaged database itself is all there is.
static void what_a_damaged_database_still_has_is_kept(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    struct span text;
    size_t kept = 0;
    close_only(f);
    struct stat st;
    assert_int_equal(stat(fixture_path(f, "store.db"), &st), 0);
    scribble(fixture_path(f, "store.db"), st.st_size / 8192 * 4096, 4096); // one page in the middle
    assert_int_equal(file_write(fixture_path(f, "rebuild"), SPAN(""), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    for (int i = 0; i < SAMPLE; i++)
        kept += store_get(f->store, &s->leaves[i].hash, f->arena, &text, NULL) == STATUS_OK;
    assert_true(kept > SAMPLE / 2);
    assert_int_equal(count_wanted(f), f->report.lost_objects);
}

static void settings_survive_a_rebuild(void **state)
{
    struct fixture *f = *state;
    struct span value;
    struct sample *s = fill(f);
    close_only(f);
    assert_int_equal(file_write(fixture_path(f, "rebuild"), SPAN(""), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_int_equal(store_setting_get(f->store, "color", f->arena, &value, NULL), STATUS_OK);
    assert_true(span_eq(value, SPAN("blue")));
    assert_complete(f, s);
}

static void damage_found_later_is_repaired_at_the_next_opening(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    struct error e = {0};
    struct stat st;
    bool found = false;
    fixture_settle(f);
    close_only(f);
    assert_int_equal(stat(fixture_path(f, "store.db"), &st), 0);
    for (off_t at = (off_t)4096 * 30; at + 4096 <= st.st_size; at += 4096)
        scribble(fixture_path(f, "store.db"), at, 4096);
    fixture_reopen(f);
    for (int i = 0; i < SAMPLE && !f->report.rebuilt && !found; i++) {
        struct span text;
        found = store_get(f->store, &s->leaves[i].hash, f->arena, &text, &e) == STATUS_CORRUPT;
    }
    if (found) {
        assert_string_equal(e.code, "STORE-CORRUPT");
        fixture_reopen(f);
    }
    assert_true(f->report.rebuilt);
    assert_complete(f, s);
}

static void sparse_starts_anew_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct sample *s = fill(f);
    struct span text;
    struct error e = {0};
    close_only(f);
    scribble(fixture_path(f, "store.db"), 0, 4096);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_int_not_equal(f->report.note[0], 0);
    assert_true(file_exists(fixture_path(f, "damaged/store-1.db.kept")));
    assert_int_equal(store_get(f->store, &s->leaves[0].hash, f->arena, &text, NULL), STATUS_NOT_FOUND);
    assert_int_equal(read_all(f, &s->file, &e), STATUS_OK); // big files lie beside the database
    fixture_put(f, &s->leaves[0]);                          // refilled
    fixture_reopen(f);
    assert_false(f->report.rebuilt);
    assert_int_equal(store_get(f->store, &s->leaves[0].hash, f->arena, &text, NULL), STATUS_OK);
}

static void lost_sparse_database_is_told(void **state)
{
    struct fixture *f = *state;
    close_only(f);
    assert_int_equal(unlink(fixture_path(f, "store.db")), 0);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_false(f->report.created);
}

// ---- Recipes of the application -------------------------------------------------------------------------------------

static const char note_recipe[] =
    "<div itemscope itemtype=\"//refin.io/Recipe\"><span itemprop=\"name\">Note</span><ol itemprop=\"rule\"><li><div>"
    "<span itemprop=\"itemprop\">text</span></div></li></ol></div>";
static const char note[] = "<div itemscope itemtype=\"//refin.io/Note\"><span itemprop=\"text\">hello</span></div>";

static struct object read_text(struct fixture *f, const char *text)
{
    struct object o;
    struct error e = {0};
    if (object_read(f->recipes, f->arena, span_of(text), MICRODATA_OBJECT, NULL, &o, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return o;
}

static void recipes_of_the_instance_are_known_again(void **state)
{
    struct fixture *f = *state;
    struct object recipe = read_text(f, note_recipe);
    struct object owner = fixture_person(f, "o@example.com", NULL);
    fixture_change(f, &owner);
    fixture_change(f, &recipe);
    struct value *v = value_object(f->arena, SPAN("Instance"));
    struct value *set = value_set(f->arena);
    value_add(f->arena, set, value_hash(f->arena, &recipe.hash));
    value_set_member(f->arena, v, SPAN("name"), value_text(f->arena, "i"));
    value_set_member(f->arena, v, SPAN("owner"), value_hash(f->arena, &owner.id_hash));
    value_set_member(f->arena, v, SPAN("recipe"), set);
    value_set_member(f->arena, v, SPAN("enabledReverseMapTypes"), value_map(f->arena));
    value_set_member(f->arena, v, SPAN("enabledReverseMapTypesForIdObjects"), value_map(f->arena));
    struct object instance;
    assert_int_equal(object_make(f->recipes, f->arena, v, MICRODATA_OBJECT, &instance, NULL), STATUS_OK);
    fixture_change(f, &instance);
    fixture_reopen(f);
    struct object o = read_text(f, note);
    struct store_info info;
    fixture_put(f, &o);
    fixture_settle(f);
    for (int round = 0; round < 2; round++) {
        assert_non_null(recipes_find(f->recipes, SPAN("Note")));
        assert_int_equal(store_info(f->store, &o.hash, &info, NULL), STATUS_OK);
        assert_int_equal(info.kind, STORE_OBJECT);
        assert_string_equal(info.type, "Note");
        close_only(f);
        scribble(fixture_path(f, "store.db"), 0, 4096);
        fixture_reopen(f);
        assert_true(f->report.rebuilt);
    }
}

// ---- Who opens ------------------------------------------------------------------------------------------------------

static enum status try_to_open(struct fixture *f, struct error *e)
{
    struct store_options options = {.dir = f->dir, .kind = f->kind, .recipes = f->recipes};
    struct store *second;
    enum status status = store_open(&options, &second, NULL, e);
    store_close(status == STATUS_OK ? second : NULL);
    return status;
}

static void second_process_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct object o = fixture_leaf(f, "1");
    assert_int_equal(try_to_open(f, &e), STATUS_CONFLICT);
    assert_string_equal(e.code, "STORE-LOCKED");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(try_to_open(f, &e) == STATUS_CONFLICT && strcmp(e.code, "STORE-LOCKED") == 0 ? 0 : 1);
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    fixture_put(f, &o); // the first goes on undisturbed
}

static void newer_store_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    sqlite3 *db;
    close_only(f);
    assert_int_equal(sqlite3_open(fixture_path(f, "store.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(try_to_open(f, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "STATE-TOO-NEW");
    assert_false(file_exists(fixture_path(f, "damaged")));
}

static void leftovers_of_a_crash_are_cleared(void **state)
{
    struct fixture *f = *state;
    struct hash hash = sha256(SPAN("x"));
    const char *incoming = arena_printf(f->arena, "%s/incoming/%s", f->dir, hash_text(&hash).s).ptr;
    close_only(f);
    assert_int_equal(file_write(fixture_path(f, "tmp/tmp-1-1"), SPAN("half"), 0600, NULL), STATUS_OK);
    assert_int_equal(file_write(incoming, SPAN("x"), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_int_equal(f->report.repaired, 2);
    assert_false(file_exists(fixture_path(f, "tmp/tmp-1-1")));
    assert_false(file_exists(incoming));
}

#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, fixture_begin_archive, fixture_end)
#define SPARSE(name) cmocka_unit_test_setup_teardown(name, fixture_begin_sparse, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARCHIVE(damaged_object_is_wanted_until_stored_again),
        ARCHIVE(damaged_file_is_found_while_reading),
        ARCHIVE(archive_is_rebuilt_from_its_files),
        ARCHIVE(damaged_files_are_lost_and_told),
        ARCHIVE(a_planted_version_is_not_preferred),
        ARCHIVE(what_a_damaged_database_still_has_is_kept),
        SPARSE(what_a_damaged_database_still_has_is_kept),
        ARCHIVE(settings_survive_a_rebuild),
        SPARSE(settings_survive_a_rebuild),
        ARCHIVE(damage_found_later_is_repaired_at_the_next_opening),
        SPARSE(sparse_starts_anew_and_says_so),
        SPARSE(lost_sparse_database_is_told),
        ARCHIVE(recipes_of_the_instance_are_known_again),
        ARCHIVE(second_process_is_refused),
        ARCHIVE(newer_store_is_refused_and_left_alone),
        ARCHIVE(leftovers_of_a_crash_are_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
