#include "data/linkedlist.h"
#include "data/versionnode.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

static struct version_result store(struct fixture *f, const char *json, enum version_mode mode, double now)
{
    struct version_result r;
    assert_int_equal(version_store(&f->m->source, fixture_value(f->a, json), mode, now, &r, &f->e), STATUS_OK);
    return r;
}

static struct version_result take_in(struct fixture *f, const char *json, double time)
{
    struct version_result r;
    struct hash data = memory_source_add(f->m, fixture_value(f->a, json));
    assert_int_equal(version_merge_foreign(&f->m->source, &data, time, &r, &f->e), STATUS_OK);
    return r;
}

static struct versionnode node_of(struct fixture *f, const struct hash *hash)
{
    struct versionnode n;
    assert_int_equal(versionnode_read(&f->m->source, hash, f->a, &n, &f->e), STATUS_OK);
    return n;
}

static void changes_form_a_chain(void **state)
{
    struct fixture *f = *state;
    struct version_result one = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"1\"}", VERSION_CHANGE, 100);
    struct version_result two = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"2\"}", VERSION_CHANGE, 200);
    struct versionnode edge = node_of(f, &one.node);
    struct versionnode change = node_of(f, &two.node);
    assert_int_equal(edge.kind, VERSIONNODE_EDGE);
    assert_int_equal(edge.before_count, 0);
    assert_int_equal(change.kind, VERSIONNODE_CHANGE);
    assert_true(change.depth == 1 && change.creation_time == 200);
    assert_memory_equal(&change.before[0], &one.node, sizeof one.node);
    assert_memory_equal(&change.data, &two.hash, sizeof two.hash);
    assert_true(one.changed && two.changed);
    struct hash head;
    assert_true(memory_source_head(f->m, &two.id_hash, &head));
    assert_memory_equal(&head, &two.node, sizeof head);
}

static void storing_the_current_version_again_does_nothing(void **state)
{
    struct fixture *f = *state;
    static const enum version_mode modes[] = {VERSION_CHANGE, VERSION_MERGE, VERSION_NONE};
    struct version_result one = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\"}", VERSION_CHANGE, 100);
    size_t written = f->m->written.count;
    for (size_t i = 0; i < 3; i++) {
        struct version_result again = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\"}", modes[i], 200);
        assert_false(again.changed);
        assert_memory_equal(&again.node, &one.node, sizeof one.node);
    }
    assert_int_equal(f->m->written.count, written);
    assert_int_equal(f->m->moved.count, 1);
}

static void storing_without_version_leaves_the_head(void **state)
{
    struct fixture *f = *state;
    struct version_result one = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\"}", VERSION_NONE, 100);
    struct hash head;
    struct span text;
    assert_false(one.changed);
    assert_true(hash_is_zero(&one.node));
    assert_false(memory_source_head(f->m, &one.id_hash, &head));
    assert_true(memory_source_text(f->m, &one.hash, &text));
    assert_true(memory_source_text(f->m, &one.id_hash, &text));
}

static void types_without_versions_are_refused(void **state)
{
    struct fixture *f = *state;
    struct version_result r;
    struct value *child = fixture_value(f->a, "{\"$type$\":\"Child\",\"x\":\"1\"}");
    assert_int_equal(version_store(&f->m->source, child, VERSION_CHANGE, 1, &r, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "SVO-SO2");
    struct hash data = memory_source_add(f->m, child);
    assert_int_equal(version_merge_foreign(&f->m->source, &data, 1, &r, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "SVO-SO2");
}

static void a_foreign_version_becomes_an_edge(void **state)
{
    struct fixture *f = *state;
    struct version_result r = take_in(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"far\"}", 70);
    struct versionnode edge = node_of(f, &r.node);
    assert_true(r.changed);
    assert_int_equal(edge.kind, VERSIONNODE_EDGE);
    assert_true(edge.creation_time == 70);
}

static void two_histories_are_joined(void **state)
{
    struct fixture *f = *state;
    store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"mine\",\"t\":\"old\"}", VERSION_CHANGE, 100);
    struct version_result mine =
        store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"mine2\",\"t\":\"old\"}", VERSION_CHANGE, 300);
    struct version_result r = take_in(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"s\",\"t\":\"new\",\"n\":4}", 200);
    struct versionnode merge = node_of(f, &r.node);
    assert_int_equal(merge.kind, VERSIONNODE_MERGE);
    assert_true(merge.depth == 2 && merge.creation_time == 300);
    assert_int_equal(merge.before_count, 2);
    assert_true(hash_eq(&merge.before[0], &mine.node) || hash_eq(&merge.before[1], &mine.node));
    struct hash wanted = memory_source_add(
        f->m, fixture_value(f->a, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"mine2\",\"t\":\"new\",\"n\":4}"));
    assert_memory_equal(&r.hash, &wanted, sizeof wanted);
}

static void what_is_known_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const char far[] = "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"far\"}";
    store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"mine\"}", VERSION_CHANGE, 100);
    struct version_result joined = take_in(f, far, 200);
    size_t written = f->m->written.count;
    struct version_result again = take_in(f, far, 200);
    assert_false(again.changed);
    assert_memory_equal(&again.node, &joined.node, sizeof joined.node);
    store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"later\"}", VERSION_CHANGE, 400);
    again = take_in(f, far, 200);
    assert_false(again.changed);
    assert_int_equal(f->m->written.count, written + 2); // the later version and its node
}

static struct version_result confirm(struct fixture *f, const struct hash *id_hash, double now)
{
    struct version_result r;
    assert_int_equal(version_confirm(&f->m->source, id_hash, now, &r, &f->e), STATUS_OK);
    return r;
}

static void a_merged_version_is_confirmed_once(void **state)
{
    struct fixture *f = *state;
    struct version_result mine = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"mine\"}", VERSION_CHANGE, 100);
    assert_false(confirm(f, &mine.id_hash, 150).changed);
    struct version_result merged = take_in(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"t\":\"far\"}", 200);
    struct version_result r = confirm(f, &mine.id_hash, 300);
    struct versionnode change = node_of(f, &r.node);
    struct hash_list listed = {0};
    assert_true(r.changed);
    assert_int_equal(change.kind, VERSIONNODE_CHANGE);
    assert_true(change.depth == 2 && change.creation_time == 300);
    assert_memory_equal(&change.data, &merged.hash, sizeof merged.hash);
    assert_int_equal(version_list(&f->m->source, &r.node, &listed, &f->e), STATUS_OK);
    assert_memory_equal(&listed.items[listed.count - 1], &r.node, sizeof r.node);
    assert_false(confirm(f, &mine.id_hash, 400).changed);
    hash_list_free(&listed);
}

static void nothing_is_confirmed_without_a_head(void **state)
{
    const struct hash nowhere = {{7}};
    assert_false(confirm(*state, &nowhere, 100).changed);
}

static void a_failed_merge_leaves_the_head(void **state)
{
    struct fixture *f = *state;
    struct version_result r;
    struct hash head;
    struct version_result mine =
        store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"imap\":{\"$map\":[[1,\"a\"]]}}", VERSION_CHANGE, 100);
    struct value *far = fixture_value(f->a, "{\"$type$\":\"Doc\",\"id\":\"d\",\"imap\":{\"$map\":[[2,\"b\"]]}}");
    struct hash data = memory_source_add(f->m, far);
    assert_int_equal(version_merge_foreign(&f->m->source, &data, 200, &r, &f->e), STATUS_CONFLICT);
    assert_string_equal(f->e.code, "MERGE-FAILED");
    assert_true(memory_source_head(f->m, &mine.id_hash, &head));
    assert_memory_equal(&head, &mine.node, sizeof head);
}

static void missing_things_are_named(void **state)
{
    struct fixture *f = *state;
    struct version_result r;
    struct hash nowhere = {{7}};
    assert_int_equal(version_merge_foreign(&f->m->source, &nowhere, 1, &r, &f->e), STATUS_NOT_FOUND);
    struct version_result mine = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\"}", VERSION_CHANGE, 100);
    memory_source_lose(f->m, &mine.node);
    struct value *next = fixture_value(f->a, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"2\"}");
    assert_int_equal(version_store(&f->m->source, next, VERSION_CHANGE, 200, &r, &f->e), STATUS_NOT_FOUND);
    assert_non_null(strstr(f->e.message, hash_text(&mine.node).s));
}

// A source that has only the name of one object.
struct remote {
    struct memory_source *m;
    struct hash hash;
};

static enum status read_remote(void *ctx, const struct hash *hash, struct arena *a, struct span *text, struct error *e)
{
    const struct remote *r = ctx;
    if (hash_eq(hash, &r->hash))
        return error_set(e, STATUS_NOT_FOUND, "REMOTE", "the bytes are elsewhere");
    return r->m->source.read(r->m, hash, a, text, e);
}

static enum status write_remote(void *ctx, const struct object *o, struct error *e)
{
    const struct remote *r = ctx;
    return r->m->source.write(r->m, o, e);
}

static enum status head_remote(void *ctx, const struct hash *id_hash, struct hash *node, struct error *e)
{
    const struct remote *r = ctx;
    return r->m->source.head(r->m, id_hash, node, e);
}

static enum status set_head_remote(void *ctx, const struct hash *id_hash, const struct hash *node, struct error *e)
{
    const struct remote *r = ctx;
    return r->m->source.set_head(r->m, id_hash, node, e);
}

// A known edge whose bytes are elsewhere may be part of the history; joining it again would be wrong.
static void a_remote_edge_is_not_taken_for_new(void **state)
{
    struct fixture *f = *state;
    struct version_result r;
    struct value *first = fixture_value(f->a, "{\"$type$\":\"ChannelInfo\",\"id\":\"c\"}");
    struct hash message = fixture_message(f->m, "hello", 5);
    struct hash head = {{0}};
    assert_int_equal(list_insert(&f->m->source, &head, &message, NULL, &head, &f->e), STATUS_OK);
    struct value *second = fixture_value(f->a, "{\"$type$\":\"ChannelInfo\",\"id\":\"c\"}");
    value_set_member(f->a, second, SPAN("head"), value_hash(f->a, &head));
    assert_int_equal(version_store(&f->m->source, first, VERSION_CHANGE, 1, &r, &f->e), STATUS_OK);
    struct remote remote = {f->m, r.node};
    struct hash data = r.hash;
    assert_int_equal(version_store(&f->m->source, second, VERSION_CHANGE, 2, &r, &f->e), STATUS_OK);
    struct version_source s = {&remote,     f->recipes,      NULL, read_remote, write_remote,
                               head_remote, set_head_remote, NULL, NULL};
    assert_int_equal(version_merge_foreign(&s, &data, 1, &r, &f->e), STATUS_NOT_FOUND);
    assert_string_equal(f->e.code, "REMOTE");
}

static void the_list_is_oldest_first_without_merges(void **state)
{
    struct fixture *f = *state;
    struct hash_list nodes = {0};
    struct version_result one = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"1\"}", VERSION_CHANGE, 100);
    struct version_result two = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"2\"}", VERSION_CHANGE, 200);
    struct version_result joined = take_in(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"t\":\"far\"}", 150);
    struct version_result last = store(f, "{\"$type$\":\"Doc\",\"id\":\"d\",\"s\":\"3\"}", VERSION_CHANGE, 300);
    assert_int_equal(version_list(&f->m->source, &last.node, &nodes, &f->e), STATUS_OK);
    assert_int_equal(nodes.count, 4);
    assert_false(hash_list_has(&nodes, &joined.node));
    assert_memory_equal(&nodes.items[3], &last.node, sizeof last.node);
    size_t place_one = 0;
    size_t place_two = 0;
    for (size_t i = 0; i < nodes.count; i++) {
        place_one = hash_eq(&nodes.items[i], &one.node) ? i : place_one;
        place_two = hash_eq(&nodes.items[i], &two.node) ? i : place_two;
    }
    assert_int_equal(place_two, place_one + 1);
    hash_list_free(&nodes);
    memory_source_lose(f->m, &one.node);
    assert_int_equal(version_list(&f->m->source, &last.node, &nodes, &f->e), STATUS_NOT_FOUND);
    assert_int_equal(nodes.count, 0);
}

static void a_long_history_is_listed(void **state)
{
    enum { LENGTH = 100000 };
    struct fixture *f = *state;
    struct hash_list nodes = {0};
    struct hash data = memory_source_add(f->m, fixture_value(f->a, "{\"$type$\":\"Doc\",\"id\":\"d\"}"));
    struct hash node = fixture_node(f->m, "Edge", NULL, 0, &data, 0, 1);
    for (int i = 1; i < LENGTH; i++)
        node = fixture_node(f->m, "Change", &node, 1, &data, i, i);
    assert_int_equal(version_list(&f->m->source, &node, &nodes, &f->e), STATUS_OK);
    assert_int_equal(nodes.count, LENGTH);
    assert_memory_equal(&nodes.items[LENGTH - 1], &node, sizeof node);
    hash_list_free(&nodes);
}

// ---- What was current lately ----------------------------------------------------------------------------------------

// A version of one channel, with a message at its head if it has a text.
static struct object channel(struct fixture *f, const char *text)
{
    struct object o;
    struct hash head = {{0}};
    struct value *v = fixture_value(f->a, "{\"$type$\":\"ChannelInfo\",\"id\":\"c\"}");
    if (text != NULL) {
        struct hash message = fixture_message(f->m, text, 5);
        assert_int_equal(list_insert(&f->m->source, &head, &message, NULL, &head, &f->e), STATUS_OK);
        value_set_member(f->a, v, SPAN("head"), value_hash(f->a, &head));
    }
    assert_int_equal(object_make(f->recipes, f->a, v, MICRODATA_OBJECT, &o, &f->e), STATUS_OK);
    memory_source_add(f->m, v);
    return o;
}

static void set_head(struct fixture *f, const struct object *data, const struct hash *node)
{
    assert_int_equal(f->m->source.set_head(f->m, &data->id_hash, node, &f->e), STATUS_OK);
    f->m->reads = 0;
}

// Two write at the same time again and again: there are many ways to the oldest, and each node is looked at once.
static void the_oldest_is_found_behind_many_diamonds(void **state)
{
    enum { DIAMONDS = 20, NODES = 1 + 3 * DIAMONDS };
    struct fixture *f = *state;
    struct object oldest = channel(f, "oldest"), later = channel(f, NULL), other = channel(f, "other");
    struct hash node = fixture_node(f->m, "Edge", NULL, 0, &oldest.hash, 0, 1);
    for (int i = 1; i <= DIAMONDS; i++) {
        struct hash both[] = {fixture_node(f->m, "Change", &node, 1, &later.hash, 2 * i - 1, 10 * i),
                              fixture_node(f->m, "Change", &node, 1, &later.hash, 2 * i - 1, 10 * i + 1)};
        node = fixture_node(f->m, "Merge", both, 2, &later.hash, 2 * i, 10 * i + 1);
    }
    struct version_recents r = {0};
    set_head(f, &oldest, &node);
    assert_true(version_is_recent_lists(&r, &f->m->source, &oldest, VERSION_LOOKS));
    assert_int_equal(f->m->reads, NODES);
    assert_false(version_is_recent_lists(&r, &f->m->source, &other, VERSION_LOOKS));
    assert_true(version_is_recent_lists(&r, &f->m->source, &later, VERSION_LOOKS));
    assert_int_equal(f->m->reads, NODES); // and not again
    version_recents_end(&r);
}

static void looks_have_a_bound_however_many_are_asked_for(void **state)
{
    enum { LENGTH = VERSION_LOOKS + 500 };
    struct fixture *f = *state;
    struct object oldest = channel(f, "oldest"), later = channel(f, NULL), other = channel(f, "other");
    struct hash node = fixture_node(f->m, "Edge", NULL, 0, &oldest.hash, 0, 1);
    for (int i = 1; i < LENGTH; i++)
        node = fixture_node(f->m, "Change", &node, 1, &later.hash, i, i);
    struct version_recents r = {0};
    set_head(f, &oldest, &node);
    assert_false(version_is_recent_lists(&r, &f->m->source, &oldest, VERSION_LOOKS));
    assert_false(version_is_recent_lists(&r, &f->m->source, &other, VERSION_LOOKS));
    assert_int_equal(f->m->reads, VERSION_LOOKS);
    node = fixture_node(f->m, "Change", &node, 1, &later.hash, LENGTH, LENGTH);
    set_head(f, &oldest, &node);
    assert_false(version_is_recent_lists(&r, &f->m->source, &oldest, VERSION_LOOKS));
    assert_int_equal(f->m->reads, VERSION_RECENT); // behind another head the last ones only
    version_recents_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(changes_form_a_chain),
        FIXTURE_TEST(storing_the_current_version_again_does_nothing),
        FIXTURE_TEST(storing_without_version_leaves_the_head),
        FIXTURE_TEST(types_without_versions_are_refused),
        FIXTURE_TEST(a_foreign_version_becomes_an_edge),
        FIXTURE_TEST(two_histories_are_joined),
        FIXTURE_TEST(what_is_known_changes_nothing),
        FIXTURE_TEST(a_merged_version_is_confirmed_once),
        FIXTURE_TEST(nothing_is_confirmed_without_a_head),
        FIXTURE_TEST(a_failed_merge_leaves_the_head),
        FIXTURE_TEST(missing_things_are_named),
        FIXTURE_TEST(a_remote_edge_is_not_taken_for_new),
        FIXTURE_TEST(the_list_is_oldest_first_without_merges),
        FIXTURE_TEST(a_long_history_is_listed),
        FIXTURE_TEST(the_oldest_is_found_behind_many_diamonds),
        FIXTURE_TEST(looks_have_a_bound_however_many_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
