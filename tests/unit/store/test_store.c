// Objects, versions, links and small things of the store.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "fixture.h"
#include "io/file.h"
#include "store/look.h"

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
        fixture_assert_reads(f, &o);
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
    fixture_assert_reads(f, &o);
    fixture_settle(f);
    fixture_reopen(f);
    fixture_assert_reads(f, &o);
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
    fixture_assert_reads(f, &o);
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
        FIXTURE_BOTH(new_store_is_empty),
        FIXTURE_BOTH(object_comes_back),
        FIXTURE_BOTH(big_object_comes_back),
        FIXTURE_BOTH(writing_needs_a_transaction),
        FIXTURE_BOTH(rollback_leaves_nothing),
        FIXTURE_BOTH(savepoints_nest),
        FIXTURE_BOTH(versioned_object_brings_its_id_object),
        FIXTURE_BOTH(heads_follow_changes),
        FIXTURE_BOTH(children_precede_what_they_depend_on),
        FIXTURE_BOTH(deep_history_needs_no_stack),
        FIXTURE_BOTH(referrers_are_found_by_type),
        FIXTURE_BOTH(prefixes_find_hashes),
        FIXTURE_BOTH(operations_are_kept_for_a_day),
        FIXTURE_BOTH(no_clock_makes_operations_forgotten),
        FIXTURE_BOTH(settings_are_replaced),
        FIXTURE_BOTH(hook_hears_everything_once),
        FIXTURE_BOTH(each_visits_all),
        cmocka_unit_test_setup_teardown(archive_settles_into_files, fixture_begin_archive, fixture_end),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_not_called_damaged, fixture_begin_archive, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
