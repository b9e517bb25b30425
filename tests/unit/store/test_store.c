// Objects, files, versions, links and small things of the store.
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "crypto/sha256.h"
#include "fixture.h"
#include "io/file.h"
#include "store/look.h"

static void opened(void **state, enum store_kind kind)
{
    struct fixture *f = mem_alloc(sizeof *f);
    fixture_open(f, kind);
    *state = f;
}

static int open_archive(void **state)
{
    opened(state, STORE_ARCHIVE);
    return 0;
}

static int open_sparse(void **state)
{
    opened(state, STORE_SPARSE);
    return 0;
}

static void assert_reads(struct fixture *f, const struct object *o)
{
    struct span text;
    struct error e = {0};
    if (store_get(f->store, &o->hash, f->arena, &text, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    assert_true(span_eq(text, o->microdata));
}

static void new_store_is_empty(void **state)
{
    struct fixture *f = *state;
    struct store_totals totals;
    struct object o = fixture_leaf(f, "1");
    struct span text;
    struct error e = {0};
    assert_true(f->report.created);
    assert_false(f->report.rebuilt);
    assert_int_equal(store_totals(f->store, &totals, NULL), STATUS_OK);
    assert_int_equal(totals.objects, 0);
    assert_int_equal(store_presence(f->store, &o.hash), STORE_ABSENT);
    assert_int_equal(store_get(f->store, &o.hash, f->arena, &text, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "NOT-FOUND");
    fixture_reopen(f);
    assert_false(f->report.created);
}

static void object_comes_back(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "<&>");
    struct object again;
    struct store_info info;
    struct store_totals totals;
    bool is_new = false;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &o, &is_new, NULL), STATUS_OK);
    assert_true(is_new);
    assert_int_equal(store_put(f->store, &o, &is_new, NULL), STATUS_OK);
    assert_false(is_new);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    for (int round = 0; round < 3; round++) {
        assert_reads(f, &o);
        assert_int_equal(store_get_object(f->store, &o.hash, f->arena, &again, NULL), STATUS_OK);
        assert_true(value_eq(o.value, again.value));
        assert_int_equal(store_info(f->store, &o.hash, &info, NULL), STATUS_OK);
        assert_string_equal(info.type, "PhoneNumber");
        assert_int_equal(info.kind, STORE_OBJECT);
        assert_int_equal(info.size, o.microdata.len);
        store_totals(f->store, &totals, NULL);
        assert_int_equal(totals.objects, 1);
        assert_int_equal(totals.bytes, o.microdata.len);
        if (round == 0)
            fixture_settle(f);
        else
            fixture_reopen(f);
    }
}

static void big_object_comes_back(void **state)
{
    struct fixture *f = *state;
    char *text = mem_alloc(200001);
    memset(text, 'x', 200000);
    struct object o = fixture_leaf(f, text);
    free(text);
    fixture_put(f, &o);
    assert_reads(f, &o);
    fixture_settle(f);
    fixture_reopen(f);
    assert_reads(f, &o);
}

static void writing_needs_a_transaction(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "1");
    struct error e = {0};
    assert_int_equal(store_put(f->store, &o, NULL, &e), STATUS_INTERNAL);
    assert_string_equal(e.code, "NO-TRANSACTION");
    assert_int_equal(store_setting_set(f->store, "a", SPAN("b"), &e), STATUS_INTERNAL);
}

static void rollback_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "1");
    struct store_totals totals;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &o, NULL, NULL), STATUS_OK);
    store_rollback(f->store);
    assert_int_equal(store_presence(f->store, &o.hash), STORE_ABSENT);
    store_totals(f->store, &totals, NULL);
    assert_int_equal(totals.objects, 0);
    fixture_put(f, &o); // the type of the rolled back object is written again
    fixture_reopen(f);
    assert_reads(f, &o);
}

static void savepoints_nest(void **state)
{
    struct fixture *f = *state;
    struct object kept = fixture_leaf(f, "kept");
    struct object undone = fixture_person(f, "a@b", NULL);
    struct object inner = fixture_leaf(f, "inner");
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &kept, NULL, NULL), STATUS_OK);
    assert_int_equal(store_release(f->store, NULL), STATUS_OK);
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &undone, NULL, NULL), STATUS_OK);
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &inner, NULL, NULL), STATUS_OK);
    assert_int_equal(store_release(f->store, NULL), STATUS_OK);
    store_undo(f->store);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_presence(f->store, &kept.hash), STORE_PRESENT);
    assert_int_equal(store_presence(f->store, &undone.hash), STORE_ABSENT);
    assert_int_equal(store_presence(f->store, &inner.hash), STORE_ABSENT);
}

static void versioned_object_brings_its_id_object(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_person(f, "alice@example.com", "Alice");
    struct store_info info;
    struct object id;
    struct hash node;
    struct error e = {0};
    fixture_put(f, &o);
    assert_int_equal(store_info(f->store, &o.id_hash, &info, NULL), STATUS_OK);
    assert_int_equal(info.kind, STORE_ID_OBJECT);
    assert_string_equal(info.type, "Person");
    assert_int_equal(store_get_object(f->store, &o.id_hash, f->arena, &id, NULL), STATUS_OK);
    assert_int_equal(id.form, MICRODATA_ID_OBJECT);
    assert_int_equal(store_head(f->store, &o.id_hash, &node, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "SB-READ2");
}

static void heads_follow_changes(void **state)
{
    struct fixture *f = *state;
    struct object first = fixture_person(f, "alice@example.com", "Alice");
    struct object second = fixture_person(f, "alice@example.com", "Alice B");
    struct object now;
    struct hash_list ids = {0};
    struct hash node;
    struct hash_list nodes = {0};
    struct hash id = fixture_change(f, &first);
    fixture_change(f, &second);
    fixture_settle(f);
    fixture_reopen(f);
    assert_int_equal(store_current(f->store, &id, f->arena, &now, NULL), STATUS_OK);
    assert_true(hash_eq(&now.hash, &second.hash));
    assert_int_equal(store_head(f->store, &id, &node, NULL), STATUS_OK);
    assert_int_equal(version_list(store_versions(f->store), &node, &nodes, NULL), STATUS_OK);
    assert_int_equal(nodes.count, 2);
    assert_int_equal(store_ids_of_type(f->store, SPAN("Person"), &ids, NULL), STATUS_OK);
    assert_int_equal(ids.count, 1);
    assert_true(hash_eq(&ids.items[0], &id));
    hash_list_free(&ids);
    hash_list_free(&nodes);
}

static void children_precede_what_they_depend_on(void **state)
{
    struct fixture *f = *state;
    struct object leaf = fixture_leaf(f, "1");
    struct object middle = fixture_link(f, &leaf.hash, 1);
    struct object top = fixture_link(f, &middle.hash, 2);
    struct object loose = fixture_link(f, &top.hash, 3);
    struct store_children c;
    struct error e = {0};
    fixture_put(f, &loose);
    assert_int_equal(store_children(f->store, &loose.hash, &c, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "SB-READ2");
    fixture_put(f, &leaf);
    fixture_put(f, &middle);
    fixture_put(f, &top);
    assert_int_equal(store_children(f->store, &loose.hash, &c, &e), STATUS_OK);
    assert_int_equal(c.count, 3);
    assert_true(hash_eq(&c.items[0].hash, &top.hash));
    assert_true(hash_eq(&c.items[1].hash, &middle.hash));
    assert_true(hash_eq(&c.items[2].hash, &leaf.hash));
    free(c.items);
}

static void deep_history_needs_no_stack(void **state)
{
    enum { DEPTH = 20000 };
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "bottom");
    struct store_children c;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &o, NULL, NULL), STATUS_OK);
    for (int i = 0; i < DEPTH; i++) {
        o = fixture_link(f, &o.hash, i);
        assert_int_equal(store_put(f->store, &o, NULL, NULL), STATUS_OK);
    }
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_children(f->store, &o.hash, &c, NULL), STATUS_OK);
    assert_int_equal(c.count, DEPTH);
    free(c.items);
}

static void referrers_are_found_by_type(void **state)
{
    struct fixture *f = *state;
    struct object alice = fixture_person(f, "alice@example.com", NULL);
    struct object m1 = fixture_message(f, &alice.id_hash, "one");
    struct object m2 = fixture_message(f, &alice.id_hash, "two");
    struct object g1 = fixture_group(f, "team", &alice.id_hash, 1);
    struct object g2 = fixture_group(f, "team", NULL, 0);
    struct hash_list found = {0};
    fixture_put(f, &m2);
    fixture_put(f, &m1);
    fixture_change(f, &g1);
    assert_int_equal(store_referrers(f->store, &alice.id_hash, SPAN("ChatMessage"), false, &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 2);
    assert_true(hash_eq(&found.items[0], &m2.hash)); // oldest first
    found.count = 0;
    assert_int_equal(store_referrers(f->store, &alice.id_hash, SPAN(""), false, &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 3);
    found.count = 0;
    assert_int_equal(store_current_referrers(f->store, &alice.id_hash, SPAN("Group"), &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 1);
    fixture_change(f, &g2);
    found.count = 0;
    assert_int_equal(store_current_referrers(f->store, &alice.id_hash, SPAN("Group"), &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(store_referrers(f->store, &alice.id_hash, SPAN("Group"), false, &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 1);
    hash_list_free(&found);
}

static void prefixes_find_hashes(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "1");
    struct hash_list found = {0};
    struct error e = {0};
    fixture_put(f, &o);
    struct hash_text t = hash_text(&o.hash);
    for (size_t len = 0; len <= HASH_HEX; len++) {
        found.count = 0;
        assert_int_equal(store_find_prefix(f->store, (struct span){t.s, len}, &found, 10, NULL), STATUS_OK);
        assert_int_equal(found.count, 1);
    }
    t.s[5] = t.s[5] == '0' ? '1' : '0';
    found.count = 0;
    assert_int_equal(store_find_prefix(f->store, (struct span){t.s, 7}, &found, 10, NULL), STATUS_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(store_find_prefix(f->store, SPAN("xyz"), &found, 10, &e), STATUS_INVALID);
    assert_string_equal(e.code, "UTC-EHASH");
    hash_list_free(&found);
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static struct span pattern(struct fixture *f, size_t len)
{
    char *p = arena_alloc(f->arena, len + 1);
    for (size_t i = 0; i < len; i++)
        p[i] = (char)(i * 7 + i / 251);
    return (struct span){p, len};
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

// ---- Small things ---------------------------------------------------------------------------------------------------

#define HOUR (INT64_C(60) * 60 * 1000)

static bool is_kept(struct fixture *f, int64_t now)
{
    bool more;
    struct span result;
    assert_int_equal(store_maintain(f->store, now, &more, NULL), STATUS_OK);
    return store_op_get(f->store, SPAN("op-1"), f->arena, &result, NULL) == STATUS_OK;
}

static void operations_are_kept_for_a_day(void **state)
{
    struct fixture *f = *state;
    struct span result;
    int64_t now = INT64_C(1700000000000);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_op_put(f->store, SPAN("op-1"), SPAN("{\"ok\":true}"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_op_get(f->store, SPAN("op-1"), f->arena, &result, NULL), STATUS_OK);
    assert_true(span_eq(result, SPAN("{\"ok\":true}")));
    assert_int_equal(store_op_get(f->store, SPAN("op-2"), f->arena, &result, NULL), STATUS_NOT_FOUND);
    fixture_settle(f);
    for (int hours = 0; hours <= 24; hours++) {
        assert_true(is_kept(f, now + hours * HOUR));
        if (hours % 10 == 9)
            fixture_reopen(f); // of the hour in which that was nothing counts
    }
    assert_true(is_kept(f, now + 25 * HOUR));
    assert_true(is_kept(f, now + 26 * HOUR));
    assert_false(is_kept(f, now + 27 * HOUR));
}

// Whoever sends the same again does not know what the clock does.
static void no_clock_makes_operations_forgotten(void **state)
{
    struct fixture *f = *state;
    int64_t now = INT64_C(1700000000000);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_op_put(f->store, SPAN("op-1"), SPAN("{}"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_settle(f);
    for (int i = 0; i < 5; i++) {
        assert_true(is_kept(f, now));
        assert_true(is_kept(f, now + 365 * 24 * HOUR));
        assert_true(is_kept(f, 1));
    }
}

static void settings_are_replaced(void **state)
{
    struct fixture *f = *state;
    struct span value;
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_setting_set(f->store, "port", SPAN("1"), NULL), STATUS_OK);
    assert_int_equal(store_setting_set(f->store, "port", SPAN("2\0x"), NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_int_equal(store_setting_get(f->store, "port", f->arena, &value, NULL), STATUS_OK);
    assert_true(span_eq(value, SPAN("2\0x")));
    assert_int_equal(store_setting_get(f->store, "other", f->arena, &value, NULL), STATUS_NOT_FOUND);
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
    assert_reads(f, &message);
    assert_file_reads(f, &hashes[1], small);
    assert_file_reads(f, &hashes[2], big);
    store_totals(f->store, &after, NULL);
    assert_int_equal(before.bytes, after.bytes);
    buf_free(&out);
}

struct heard {
    char text[1000];
    struct object *reaction;
};

static enum status listen(struct store *s, const struct store_change *change, void *ctx, struct error *e)
{
    struct heard *h = ctx;
    size_t len = strlen(h->text);
    snprintf(h->text + len, sizeof h->text - len, "%s%s ", change->kind == STORE_CHANGE_HEAD ? "head:" : "",
             change->type);
    if (change->kind == STORE_CHANGE_HEAD && h->reaction != NULL)
        return store_put(s, h->reaction, NULL, e);
    return STATUS_OK;
}

static void hook_hears_everything_once(void **state)
{
    struct fixture *f = *state;
    struct object reaction = fixture_leaf(f, "reaction");
    struct heard h = {.reaction = &reaction};
    struct version_result result;
    struct object alice = fixture_person(f, "a@b", NULL);
    store_set_hook(f->store, listen, &h);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(version_store(store_versions(f->store), alice.value, VERSION_CHANGE, 1, &result, NULL), STATUS_OK);
    assert_int_equal(store_announce(f->store, NULL), STATUS_OK);
    assert_string_equal(h.text, "Person Person VersionNodeEdge head:Person PhoneNumber ");
    assert_int_equal(store_announce(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &alice, NULL, NULL), STATUS_OK); // known already
    assert_int_equal(store_announce(f->store, NULL), STATUS_OK);
    assert_string_equal(h.text, "Person Person VersionNodeEdge head:Person PhoneNumber ");
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
}

static enum status count_one(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    (void)hash;
    (void)e;
    size_t *count = arg;
    assert_string_equal(info->type, "PhoneNumber");
    ++*count;
    return STATUS_OK;
}

static void each_visits_all(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    for (int i = 0; i < 600; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i);
        struct object o = fixture_leaf(f, name);
        if (i == 0)
            assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
        assert_int_equal(store_put(f->store, &o, NULL, NULL), STATUS_OK);
    }
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_each(f->store, count_one, &count, NULL), STATUS_OK);
    assert_int_equal(count, 600);
}

static void archive_settles_into_files(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_person(f, "a@b", NULL);
    fixture_change(f, &o);
    fixture_settle(f);
    struct hash node;
    char path[300];
    struct buf text = {0};
    struct hash_text t = hash_text(&o.hash);
    snprintf(path, sizeof path, "%s/objects/%.2s/%s", f->dir, t.s, t.s);
    assert_int_equal(file_read(path, 1000, &text, NULL), STATUS_OK);
    assert_true(span_eq(buf_span(&text), o.microdata));
    t = hash_text(&o.id_hash);
    snprintf(path, sizeof path, "%s/vheads/%.2s/%s", f->dir, t.s, t.s);
    buf_clear(&text);
    assert_int_equal(file_read(path, 1000, &text, NULL), STATUS_OK);
    assert_int_equal(store_head(f->store, &o.id_hash, &node, NULL), STATUS_OK);
    assert_true(span_eq_text(buf_span(&text), hash_text(&node).s));
    buf_free(&text);
}

#define BOTH(test)                                                                                                     \
    {#test " (archive)", test, open_archive, fixture_end, NULL},                                                       \
    {                                                                                                                  \
#test " (sparse)", test, open_sparse, fixture_end, NULL                                                        \
    }

// ---- Where things came from
// ------------------------------------------------------------------------------------------

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

// A database of version 1: what it holds counts as made here.
static void an_older_database_is_taken_over(void **state)
{
    static const char back[] = "ALTER TABLE object DROP COLUMN source; ALTER TABLE object DROP COLUMN part; DROP TABLE "
                               "brought; DROP TABLE outbox; DROP TABLE outbox_total; DROP TABLE delivery; DROP TABLE "
                               "trace; DROP TABLE hidden; DROP TABLE gone; DROP TABLE again; DROP INDEX "
                               "scope_log_seq; DROP INDEX member_from; DROP INDEX group_member_from; PRAGMA "
                               "user_version = 1";
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

// Whoever is told of damage makes the store anew.
static void what_cannot_be_read_is_not_called_damaged(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    const char *path = arena_printf(f->arena, "%s/store.db", f->dir).ptr;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(store_look(f->dir, STORE_ARCHIVE, &e), STATUS_OK);
    assert_int_equal(file_remove(path, NULL), STATUS_OK);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(store_look(f->dir, STORE_ARCHIVE, &e), STATUS_IO);
    assert_string_equal(e.code, "STORE-FAILED");
    assert_int_equal(rmdir(path), 0);
    static const char text[] = "no database at all, but long enough to be taken for the beginning of one .............";
    assert_int_equal(file_write(path, SPAN(text), 0600, NULL), STATUS_OK);
    assert_int_equal(store_look(f->dir, STORE_ARCHIVE, &e), STATUS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(new_store_is_empty),
        BOTH(object_comes_back),
        BOTH(big_object_comes_back),
        BOTH(writing_needs_a_transaction),
        BOTH(rollback_leaves_nothing),
        BOTH(savepoints_nest),
        BOTH(versioned_object_brings_its_id_object),
        BOTH(heads_follow_changes),
        BOTH(children_precede_what_they_depend_on),
        BOTH(deep_history_needs_no_stack),
        BOTH(referrers_are_found_by_type),
        BOTH(prefixes_find_hashes),
        BOTH(files_of_any_size),
        BOTH(wrong_hash_is_refused),
        BOTH(undone_file_leaves_no_trace),
        BOTH(empty_text_is_refused),
        BOTH(file_becomes_object_when_stored_as_one),
        BOTH(operations_are_kept_for_a_day),
        BOTH(no_clock_makes_operations_forgotten),
        BOTH(settings_are_replaced),
        BOTH(evicted_bytes_are_remote_until_they_return),
        BOTH(hook_hears_everything_once),
        BOTH(each_visits_all),
        BOTH(a_part_counts_once_it_comes_for_itself),
        BOTH(a_root_stays_one_below_others),
        BOTH(a_person_knows_what_it_sent_and_what_it_is_shown),
        BOTH(an_older_database_is_taken_over),
        cmocka_unit_test_setup_teardown(archive_settles_into_files, open_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_not_called_damaged, open_archive, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
