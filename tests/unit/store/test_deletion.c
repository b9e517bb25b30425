// What was deleted: it is gone with its bytes, stays gone, and what refers to it stays whole.
#include <stdio.h>
#include <sys/stat.h>

#include "../cmocka_all.h"
#include "fixture.h"
#include "io/file.h"
#include "io/folder.h"

enum { BIG = 200000 };

static void delete (struct fixture *f, const struct hash *hash)
{
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_delete(f->store, hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static void put_from(struct fixture *f, const struct object *o, const struct hash *person)
{
    bool is_new;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    store_set_sender(f->store, person);
    assert_int_equal(store_put(f->store, o, &is_new, NULL), STATUS_OK);
    store_set_sender(f->store, NULL);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static struct span noise(struct fixture *f, size_t size)
{
    char *bytes = arena_alloc(f->arena, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7919 >> 5);
    return (struct span){bytes, size};
}

static size_t disk_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static char *in(struct fixture *f, const char *name)
{
    return (char *)arena_printf(f->arena, "%s/%s", f->dir, name).ptr;
}

struct looking {
    struct span needle;
    bool found;
};

static enum status look(const struct folder_file *file, void *arg, struct error *e)
{
    struct looking *l = arg;
    struct buf bytes = {0};
    (void)e;
    if (file_read(file->path, 64 << 20, &bytes, NULL) == STATUS_OK && bytes.len != 0)
        l->found = l->found || memmem(bytes.data, bytes.len, l->needle.ptr, l->needle.len) != NULL;
    buf_free(&bytes);
    return STATUS_OK;
}

static bool is_on_disk(struct fixture *f, struct span needle)
{
    struct looking l = {.needle = needle};
    assert_int_equal(folder_walk(f->dir, look, &l, NULL), STATUS_OK);
    return l.found;
}

static void the_bytes_leave_the_disk(void **state)
{
    struct fixture *f = *state;
    struct span big = noise(f, BIG);
    struct object alice = fixture_person(f, "alice@example.com", NULL);
    struct object message = fixture_message(f, &alice.id_hash, "a word for the shredder");
    struct store_totals before;
    struct store_totals after;
    fixture_put(f, &alice);
    store_totals(f->store, &before, NULL);
    fixture_put(f, &message);
    const struct hash file = fixture_file(f, big);
    fixture_settle(f);
    assert_true(is_on_disk(f, SPAN("for the shredder")) && is_on_disk(f, (struct span){big.ptr, 500}));
    delete (f, &message.hash);
    delete (f, &file);
    fixture_settle(f);
    assert_false(is_on_disk(f, SPAN("for the shredder")) || is_on_disk(f, (struct span){big.ptr, 500}));
    store_totals(f->store, &after, NULL);
    assert_int_equal(before.objects, after.objects);
    assert_int_equal(before.bytes, after.bytes);
    assert_true(store_is_deleted(f->store, &message.hash));
    assert_int_equal(store_presence(f->store, &message.hash), STORE_ABSENT);
}

// Small things lie in the database of a sparse store.
static void the_database_gets_shorter(void **state)
{
    struct fixture *f = *state;
    struct hash hashes[60];
    for (size_t i = 0; i < 60; i++) {
        struct span bytes = noise(f, 30000 + i);
        hashes[i] = fixture_file(f, bytes);
    }
    fixture_settle(f);
    size_t full = disk_of(in(f, "store.db")) + disk_of(in(f, "store.db-wal"));
    for (size_t i = 0; i < 60; i++)
        delete (f, &hashes[i]);
    fixture_settle(f);
    assert_true(full > 1500000);
    assert_true(disk_of(in(f, "store.db")) + disk_of(in(f, "store.db-wal")) < full / 4);
}

static void a_gap_leaves_what_is_above_it_whole(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "below");
    struct object top = fixture_link(f, &leaf.hash, 1);
    struct object later = fixture_link(f, &top.hash, 2);
    struct store_children children;
    fixture_put(f, &leaf);
    fixture_put(f, &top);
    delete (f, &leaf.hash);
    fixture_put(f, &later);
    fixture_reopen(f);
    assert_true(store_is_complete(f->store, &top.hash) && store_is_complete(f->store, &later.hash));
    assert_int_equal(store_children(f->store, &later.hash, &children, NULL), STATUS_OK);
    assert_int_equal(children.count, 1); // the gap is not told of
    assert_true(hash_eq(&children.items[0].hash, &top.hash));
    free(children.items);
    assert_true(store_is_admitted(f->store, &leaf.hash)); // nobody is asked for it
}

static void others_do_not_bring_it_back(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    struct object leaf = fixture_leaf(f, "gone");
    struct span text;
    fixture_put(f, &leaf);
    delete (f, &leaf.hash);
    put_from(f, &leaf, &eve);
    assert_int_equal(store_get(f->store, &leaf.hash, f->arena, &text, NULL), STATUS_NOT_FOUND);
    struct store_knowledge *k = store_knowledge_create(f->store, &eve, &eve, false);
    assert_int_equal(store_knowledge_of(k, LINK_OBJECT, &leaf.hash), STORE_LINK_KNOWN);
    assert_true(store_need_again(f->store, &leaf.hash)); // something new refers to it
    assert_false(store_need_again(f->store, &leaf.hash));
    assert_int_equal(store_knowledge_of(k, LINK_OBJECT, &leaf.hash), STORE_LINK_MISSING);
    store_knowledge_destroy(k);
    put_from(f, &leaf, &eve);
    assert_int_equal(store_get(f->store, &leaf.hash, f->arena, &text, NULL), STATUS_OK);
    delete (f, &leaf.hash);
    fixture_put(f, &leaf); // the user stores it again
    assert_int_equal(store_get(f->store, &leaf.hash, f->arena, &text, NULL), STATUS_OK);
}

static void what_was_never_here_is_deleted_too(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    struct object leaf = fixture_leaf(f, "still to come");
    struct object top = fixture_link(f, &leaf.hash, 1);
    put_from(f, &top, &eve);
    assert_false(store_is_complete(f->store, &top.hash));
    delete (f, &leaf.hash);
    assert_true(store_is_complete(f->store, &top.hash));
    put_from(f, &leaf, &eve);
    assert_int_equal(store_presence(f->store, &leaf.hash), STORE_ABSENT);
}

// What somebody else deleted is filled by whoever has it after all.
static void a_gap_of_others_is_filled(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    struct object leaf = fixture_leaf(f, "deleted by bob");
    struct object top = fixture_link(f, &leaf.hash, 1);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_note_gap(f->store, &leaf.hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    put_from(f, &top, &eve);
    assert_true(store_is_complete(f->store, &top.hash));
    put_from(f, &leaf, &eve);
    assert_int_equal(store_presence(f->store, &leaf.hash), STORE_PRESENT);
}

// A peer that lists it without having it does not end the search for it.
static void what_was_lost_here_is_no_gap(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "was here");
    fixture_put(f, &leaf);
    fixture_settle(f);
    struct hash_text t = hash_text(&leaf.hash);
    const char *path = arena_printf(f->arena, "%s/objects/%.2s/%s", f->dir, t.s, t.s).ptr;
    assert_int_equal(file_remove(path, NULL), STATUS_OK);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_lose(f->store, &leaf.hash, NULL), STATUS_OK);
    assert_int_equal(store_note_gap(f->store, &leaf.hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_false(store_is_deleted(f->store, &leaf.hash));
    assert_true(store_is_wanted(f->store, &leaf.hash));
}

static void hidden_names_are_kept_until_they_are_done(void **state)
{
    struct fixture *f = *state;
    const struct hash a = {{1}};
    const struct hash b = {{2}};
    const struct hash zero = {{0}};
    struct hash_list kept = {0};
    bool is_new;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_hide(f->store, &a, &is_new, NULL), STATUS_OK);
    assert_true(is_new);
    assert_int_equal(store_hide(f->store, &a, &is_new, NULL), STATUS_OK);
    assert_false(is_new);
    assert_int_equal(store_hide(f->store, &b, NULL, NULL), STATUS_OK);
    assert_int_equal(store_hidden_done(f->store, &a, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(store_is_hidden(f->store, &a) && store_is_hidden(f->store, &b));
    assert_false(store_is_hidden(f->store, &zero));
    assert_int_equal(store_hidden_kept(f->store, &zero, 10, &kept, NULL), STATUS_OK);
    assert_int_equal(kept.count, 1);
    assert_true(hash_eq(&kept.items[0], &b));
    hash_list_free(&kept);
}

// Made anew from what the old database says.
static void a_rebuilt_database_has_not_forgotten_it(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "gone");
    struct object top = fixture_link(f, &leaf.hash, 1);
    fixture_put(f, &leaf);
    fixture_put(f, &top);
    fixture_settle(f);
    delete (f, &leaf.hash);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_hide(f->store, &top.hash, NULL, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(file_write(in(f, "rebuild"), SPAN("x"), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    assert_int_equal(f->report.lost_objects, 0);
    assert_true(store_is_deleted(f->store, &leaf.hash) && store_is_hidden(f->store, &top.hash));
    assert_true(store_is_complete(f->store, &top.hash));
}

#define ONE(test, open) cmocka_unit_test_setup_teardown(test, open, fixture_end)
#define BOTH(test)                                                                                                     \
    {#test " (archive)", test, fixture_begin_archive, fixture_end, NULL},                                              \
    {                                                                                                                  \
#test " (sparse)", test, fixture_begin_sparse, fixture_end, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_bytes_leave_the_disk),
        ONE(the_database_gets_shorter, fixture_begin_sparse),
        BOTH(a_gap_leaves_what_is_above_it_whole),
        BOTH(others_do_not_bring_it_back),
        BOTH(what_was_never_here_is_deleted_too),
        BOTH(a_gap_of_others_is_filled),
        ONE(what_was_lost_here_is_no_gap, fixture_begin_archive),
        BOTH(hidden_names_are_kept_until_they_are_done),
        BOTH(a_rebuilt_database_has_not_forgotten_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
