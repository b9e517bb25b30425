// Copies of one moment, and a new epoch for one that takes the place of a lost store.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "fixture.h"
#include "io/file.h"
#include "io/folder.h"
#include "store/delivery.h"
#include "store/snapshot.h"

static atomic_bool never;

static struct store_snapshot copy(struct fixture *f)
{
    struct store_snapshot made;
    struct error e = {0};
    (void)folder_create(fixture_path(f, "copy"), 0700, NULL);
    (void)unlink(fixture_path(f, "copy/store.db"));
    if (store_snapshot(f->dir, fixture_path(f, "copy/store.db"), fixture_path(f, "copy/files"), &never, &made, &e) !=
        STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return made;
}

// What restore does: the copy in the place of the database, the files where they were, and the mark.
static void put_back(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    (void)unlink(fixture_path(f, "store.db-wal"));
    (void)unlink(fixture_path(f, "store.db-shm"));
    assert_int_equal(file_rename(fixture_path(f, "copy/store.db"), fixture_path(f, "store.db"), NULL), STATUS_OK);
    assert_int_equal(file_write(fixture_path(f, "restored"), SPAN("\n"), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
}

static void a_copy_is_of_its_moment(void **state)
{
    struct fixture *f = *state;
    struct object first = fixture_leaf(f, "first");
    struct object bob = fixture_person(f, "bob@example.com", "bob");
    char big[100000];
    struct buf list = {0};
    memset(big, 7, sizeof big);
    fixture_put(f, &first);
    struct hash id = fixture_change(f, &bob);
    struct hash file = fixture_file(f, (struct span){big, sizeof big});
    fixture_settle(f);
    struct object unsettled = fixture_leaf(f, "not in a file yet");
    fixture_put(f, &unsettled);
    struct store_snapshot made = copy(f);
    assert_int_equal(file_read(fixture_path(f, "copy/files"), 1 << 20, &list, NULL), STATUS_OK);
    assert_non_null(strstr(buf_cstr(&list), hash_text(&file).s));
    assert_non_null(strstr(buf_cstr(&list), hash_text(&first.hash).s));
    assert_null(strstr(buf_cstr(&list), hash_text(&unsettled.hash).s));
    assert_int_equal(made.objects, made.files + 1);
    struct object later = fixture_leaf(f, "later");
    fixture_put(f, &later);
    put_back(f);
    assert_false(f->report.created);
    assert_false(f->report.rebuilt);
    assert_int_equal(store_presence(f->store, &unsettled.hash), STORE_PRESENT);
    assert_int_equal(store_presence(f->store, &file), STORE_PRESENT);
    assert_int_equal(store_presence(f->store, &later.hash), STORE_ABSENT);
    struct hash head;
    assert_int_equal(store_head(f->store, &id, &head, NULL), STATUS_OK);
    buf_free(&list);
}

static int64_t epoch_of(struct fixture *f)
{
    int64_t epoch;
    assert_int_equal(store_epoch(f->store, &epoch, NULL), STATUS_OK);
    return epoch;
}

static void a_copy_begins_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    struct object bob = fixture_person(f, "bob@example.com", "bob");
    struct span result;
    struct hash id = fixture_change(f, &bob);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_op_put(f->store, SPAN("done"), SPAN("once"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_settle(f);
    int64_t before = epoch_of(f);
    fixture_reopen(f);
    assert_false(f->report.restored);
    assert_true(epoch_of(f) == before);
    (void)copy(f);
    char *settled = mem_text(arena_printf(f->arena, "%s/vheads/%.2s/%s", f->dir, hash_text(&id).s, hash_text(&id).s));
    assert_int_equal(unlink(settled), 0); // files of heads are no part of a copy
    put_back(f);
    assert_true(f->report.restored);
    int64_t after = epoch_of(f);
    assert_true(after != before);
    fixture_reopen(f); // until it was settled it is begun again
    assert_true(f->report.restored && epoch_of(f) != after);
    after = epoch_of(f);
    assert_int_equal(store_forget_restored(f->store, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(!f->report.restored && epoch_of(f) == after);
    // What was done once long before the copy is still known to be done, and heads get their files again.
    bool more = true;
    while (more)
        assert_int_equal(store_maintain(f->store, (int64_t)1000 * 3600 * 24 * 365, &more, NULL), STATUS_OK);
    assert_int_equal(store_op_get(f->store, SPAN("done"), f->arena, &result, NULL), STATUS_OK);
    assert_true(file_exists(settled));
    free(settled);
}

struct writing {
    struct fixture *f;
    atomic_bool stop;
    size_t count;
};

static void *copy_again_and_again(void *arg)
{
    struct writing *w = arg;
    struct arena *a = arena_create();
    const char *top = arena_printf(a, "%s-copy", w->f->dir).ptr;
    const char *database = arena_printf(a, "%s/store.db", top).ptr;
    const char *list = arena_printf(a, "%s/files", top).ptr;
    struct store_snapshot made;
    while (!atomic_load(&w->stop)) {
        (void)folder_remove_tree(top, NULL);
        (void)folder_create(top, 0700, NULL);
        assert_int_equal(store_snapshot(w->f->dir, database, list, &never, &made, NULL), STATUS_OK);
        w->count++;
    }
    arena_destroy(a);
    return NULL;
}

// Whoever writes does not wait, and every copy is whole.
static void copies_are_made_beside_writing(void **state)
{
    struct fixture *f = *state;
    struct writing w = {.f = f};
    pthread_t thread;
    char name[20];
    assert_int_equal(pthread_create(&thread, NULL, copy_again_and_again, &w), 0);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "leaf %d", i);
        struct object leaf = fixture_leaf(f, name);
        fixture_put(f, &leaf);
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    assert_true(w.count != 0);
    struct fixture copied = {.kind = STORE_ARCHIVE, .arena = arena_create(), .recipes = recipes_create(true)};
    snprintf(copied.dir, sizeof copied.dir, "%.50s-copy", f->dir);
    struct store_options options = {.dir = copied.dir, .kind = STORE_ARCHIVE, .recipes = copied.recipes};
    assert_int_equal(file_write(fixture_path(&copied, "format"), SPAN("tandem store 1\n"), 0600, NULL), STATUS_OK);
    assert_int_equal(store_open(&options, &copied.store, &copied.report, NULL), STATUS_OK);
    assert_false(copied.report.rebuilt);
    fixture_close(&copied);
}

static void a_copy_ends_with_its_node(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = true;
    struct store_snapshot made;
    (void)folder_create(fixture_path(f, "copy"), 0700, NULL);
    assert_int_equal(
        store_snapshot(f->dir, fixture_path(f, "copy/store.db"), fixture_path(f, "copy/files"), &stop, &made, NULL),
        STATUS_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_of_its_moment, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(a_copy_begins_a_new_epoch, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(copies_are_made_beside_writing, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(a_copy_ends_with_its_node, fixture_begin_archive, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
