// Files in the store, of any size, and bytes that it gives up.
#include <stdio.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "crypto/sha256.h"
#include "fixture.h"
#include "io/file.h"
#include "store/reader.h"

static struct span pattern(struct fixture *f, size_t len)
{
    char *p = arena_alloc(f->arena, len + 1);
    for (size_t i = 0; i < len; i++)
        p[i] = (char)(i * 7 + i / 251);
    return (struct span){p, len};
}

static const char *place_of(struct fixture *f, const struct hash *hash)
{
    struct hash_text t = hash_text(hash);
    return arena_printf(f->arena, "%s/objects/%.2s/%s", f->dir, t.s, t.s).ptr;
}

static void assert_file_reads(struct fixture *f, const struct hash *hash, struct span bytes)
{
    struct buf all = {0};
    struct error e = {0};
    size_t before;
    do {
        before = all.len;
        if (store_read_chunk(f->store, hash, all.len, &all, &e) != STATUS_OK)
            fail_msg("%s: %s", e.code, e.message);
    } while (all.len - before == STORE_CHUNK);
    assert_true(span_eq(buf_span(&all), bytes));
    buf_free(&all);
}

static void files_of_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 1000, STORE_CHUNK - 1, STORE_CHUNK, STORE_CHUNK + 1, 1000000};
    struct fixture *f = *state;
    struct hash hashes[sizeof sizes / sizeof *sizes];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct span bytes = pattern(f, sizes[i]);
        hashes[i] = fixture_file(f, bytes);
        struct hash expected = sha256(bytes);
        assert_true(hash_eq(&hashes[i], &expected));
        assert_file_reads(f, &hashes[i], bytes);
    }
    fixture_settle(f);
    fixture_reopen(f);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_file_reads(f, &hashes[i], pattern(f, sizes[i]));
}

static enum status read_to_the_end(struct store_reader *r, struct buf *all, struct error *e)
{
    size_t n = 1;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && n != 0) {
        st = store_reader_next(r, buf_reserve(all, 50000), 50000, &n, e);
        all->len += st == STATUS_OK ? n : 0;
    }
    return st;
}

static void a_reader_has_the_file_whatever_becomes_of_it(void **state)
{
    static const size_t sizes[] = {0, 1, STORE_CHUNK, STORE_CHUNK + 1, 1000000};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct error e = {0};
        struct buf all = {0};
        struct store_reader *r;
        struct hash hash = fixture_file(f, pattern(f, sizes[i]));
        assert_int_equal(store_reader_open(f->store, &hash, &r, &e), STATUS_OK);
        assert_int_equal(store_reader_left(r), sizes[i]);
        fixture_settle(f);
        (void)unlink(place_of(f, &hash));
        assert_int_equal(read_to_the_end(r, &all, &e), STATUS_OK);
        assert_true(span_eq(buf_span(&all), pattern(f, sizes[i])));
        assert_int_equal(store_reader_left(r), 0);
        store_reader_destroy(r);
        buf_free(&all);
    }
}

static void a_reader_finds_damage(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct buf all = {0};
    struct store_reader *r;
    struct hash hash = fixture_file(f, pattern(f, 200000));
    const struct hash absent = sha256(SPAN("absent"));
    assert_int_equal(store_reader_open(f->store, &absent, &r, &e), STATUS_NOT_FOUND);
    assert_int_equal(store_reader_open(f->store, &hash, &r, &e), STATUS_OK);
    FILE *file = fopen(place_of(f, &hash), "r+b");
    assert_non_null(file);
    assert_int_equal(fputc('!', file), '!');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(read_to_the_end(r, &all, &e), STATUS_CORRUPT);
    assert_true(all.len < 200000); // its last bytes did not come
    store_reader_destroy(r);
    store_reader_failed(f->store, &hash);
    assert_int_equal(store_reader_open(f->store, &hash, &r, &e), STATUS_CORRUPT);
    assert_string_equal(e.code, "OBJECT-DAMAGED");
    buf_free(&all);
}

static void a_writer_goes_through_other_hands(void **state)
{
    struct fixture *f = *state;
    struct store_writer *w;
    struct hash hash;
    struct span bytes = pattern(f, 300000);
    assert_int_equal(store_writer_create(f->store, false, &w, NULL), STATUS_OK);
    assert_int_equal(store_writer_sync(w, NULL), STATUS_OK);
    assert_int_equal(store_writer_add(w, bytes, NULL), STATUS_OK);
    store_writer_flush(w);
    assert_int_equal(store_writer_sync(w, NULL), STATUS_OK);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    store_writer_destroy(w);
    assert_file_reads(f, &hash, bytes);
}

static void wrong_hash_is_refused(void **state)
{
    struct fixture *f = *state;
    struct hash expected = sha256(SPAN("something else"));
    for (size_t size = 10; size < 200000; size += 150000) {
        struct store_writer *w;
        struct hash hash;
        struct error e = {0};
        struct span bytes = pattern(f, size);
        struct hash actual = sha256(bytes);
        assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
        assert_int_equal(store_writer_create(f->store, false, &w, NULL), STATUS_OK);
        assert_int_equal(store_writer_add(w, bytes, NULL), STATUS_OK);
        assert_int_equal(store_writer_finish(w, &expected, &hash, NULL, &e), STATUS_INVALID);
        assert_string_equal(e.code, "CIEC-FBL2");
        store_writer_destroy(w);
        assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
        assert_int_equal(store_presence(f->store, &actual), STORE_ABSENT);
    }
}

static void undone_file_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct span bytes = pattern(f, 300000);
    struct hash hash = sha256(bytes);
    char path[200];
    snprintf(path, sizeof path, "%s/incoming/%s", f->dir, hash_text(&hash).s);
    struct store_writer *w;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_writer_create(f->store, false, &w, NULL), STATUS_OK);
    assert_int_equal(store_writer_add(w, bytes, NULL), STATUS_OK);
    assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, NULL), STATUS_OK);
    store_writer_destroy(w);
    assert_true(file_exists(path));
    store_rollback(f->store);
    assert_false(file_exists(path));
    assert_int_equal(store_presence(f->store, &hash), STORE_ABSENT);
}

static void empty_text_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_writer *w;
    struct hash hash;
    struct error e = {0};
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_writer_create(f->store, true, &w, NULL), STATUS_OK);
    assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, &e), STATUS_INVALID);
    assert_string_equal(e.code, "SB-STORE");
    store_writer_destroy(w);
    store_rollback(f->store);
}

static void file_becomes_object_when_stored_as_one(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "1");
    struct object o = fixture_link(f, &leaf.hash, 5);
    struct store_info info;
    struct hash_list found = {0};
    fixture_file(f, o.microdata);
    store_info(f->store, &o.hash, &info, NULL);
    assert_int_equal(info.kind, STORE_BLOB);
    fixture_put(f, &o);
    store_info(f->store, &o.hash, &info, NULL);
    assert_int_equal(info.kind, STORE_OBJECT);
    assert_int_equal(store_referrers(f->store, &leaf.hash, SPAN("CreationTime"), false, &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 1);
    hash_list_free(&found);
}

static void evicted_bytes_are_remote_until_they_return(void **state)
{
    struct fixture *f = *state;
    struct object alice = fixture_person(f, "alice@example.com", NULL);
    struct object message = fixture_message(f, &alice.id_hash, "hello");
    struct span small = pattern(f, 100);
    struct span big = pattern(f, 200000);
    struct error e = {0};
    struct span text;
    struct buf out = {0};
    struct store_children children;
    struct store_totals before;
    struct store_totals after;
    fixture_put(f, &alice);
    fixture_put(f, &message);
    const struct hash hashes[] = {message.hash, fixture_file(f, small), fixture_file(f, big)};
    store_totals(f->store, &before, NULL);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(store_evict(f->store, &hashes[i], NULL), STATUS_OK);
    assert_int_equal(store_evict(f->store, &alice.hash, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "NOT-EVICTABLE");
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_reopen(f);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(store_presence(f->store, &hashes[i]), STORE_REMOTE);
    store_totals(f->store, &after, NULL);
    assert_int_equal(before.bytes - after.bytes, message.microdata.len + 200100);
    assert_int_equal(store_get(f->store, &message.hash, f->arena, &text, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "REMOTE");
    assert_int_equal(store_read_chunk(f->store, &hashes[2], 0, &out, &e), STATUS_NOT_FOUND);
    assert_int_equal(store_children(f->store, &message.hash, &children, NULL), STATUS_OK); // structure stays
    assert_int_equal(children.count, 1);
    free(children.items);
    fixture_put(f, &message);
    fixture_file(f, small);
    fixture_file(f, big);
    fixture_assert_reads(f, &message);
    assert_file_reads(f, &hashes[1], small);
    assert_file_reads(f, &hashes[2], big);
    store_totals(f->store, &after, NULL);
    assert_int_equal(before.bytes, after.bytes);
    buf_free(&out);
}

static void put_file_from(struct fixture *f, struct span bytes, const struct hash *sender)
{
    struct store_writer *w;
    struct hash hash;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    store_set_sender(f->store, sender);
    assert_int_equal(store_writer_create(f->store, false, &w, NULL), STATUS_OK);
    assert_int_equal(store_writer_add(w, bytes, NULL), STATUS_OK);
    assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, NULL), STATUS_OK);
    store_writer_destroy(w);
    store_set_sender(f->store, NULL);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static void who_brings_a_file_that_is_here_has_it_too(void **state)
{
    struct fixture *f = *state;
    const struct hash eve = {{7}};
    const struct hash bob = {{8}};
    const size_t sizes[] = {1000, 300000}; // in the database, and a file of its own
    for (size_t i = 0; i < 2; i++) {
        struct span bytes = pattern(f, sizes[i]);
        struct hash hash = sha256(bytes);
        put_file_from(f, bytes, &eve);
        assert_true(store_came_from(f->store, &hash, &eve));
        assert_false(store_came_from(f->store, &hash, &bob));
        put_file_from(f, bytes, &bob);
        assert_true(store_came_from(f->store, &hash, &bob));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_BOTH(who_brings_a_file_that_is_here_has_it_too),
        FIXTURE_BOTH(a_reader_has_the_file_whatever_becomes_of_it),
        FIXTURE_BOTH(a_reader_finds_damage),
        FIXTURE_BOTH(a_writer_goes_through_other_hands),
        FIXTURE_BOTH(files_of_any_size),
        FIXTURE_BOTH(wrong_hash_is_refused),
        FIXTURE_BOTH(undone_file_leaves_no_trace),
        FIXTURE_BOTH(empty_text_is_refused),
        FIXTURE_BOTH(file_becomes_object_when_stored_as_one),
        FIXTURE_BOTH(evicted_bytes_are_remote_until_they_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
