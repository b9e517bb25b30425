// Who may see what: grants to persons and groups, versions, revocation, incomplete and refused trees.
#include <stdio.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "data/linkedlist.h"
#include "fixture.h"

struct people {
    struct fixture f;
    struct hash bob;
    struct hash carol;
    struct hash team; // id of the group
};

static int open_store(void **state)
{
    struct people *p = mem_alloc(sizeof *p);
    fixture_open(&p->f, STORE_ARCHIVE);
    struct object bob = fixture_person(&p->f, "bob@example.com", NULL);
    struct object carol = fixture_person(&p->f, "carol@example.com", NULL);
    p->bob = fixture_change(&p->f, &bob);
    p->carol = fixture_change(&p->f, &carol);
    *state = p;
    return 0;
}

static int close_store(void **state)
{
    struct people *p = *state;
    fixture_close(&p->f);
    free(p);
    return 0;
}

static void grant(struct people *p, const struct hash *target, bool id, const struct hash *person)
{
    struct object o = fixture_grant(&p->f, target, id, person, person != NULL, NULL, 0);
    fixture_change(&p->f, &o);
}

static void grant_group(struct people *p, const struct hash *target, bool id)
{
    struct object o = fixture_grant(&p->f, target, id, NULL, 0, &p->team, 1);
    fixture_change(&p->f, &o);
}

static void set_team(struct people *p, const struct hash *persons, size_t count)
{
    struct object o = fixture_group(&p->f, "team", persons, count);
    p->team = fixture_change(&p->f, &o);
}

static void assert_roots(struct people *p, const struct hash *person, const char *format, ...)
{
    char wanted[2000];
    va_list ap;
    va_start(ap, format);
    vsnprintf(wanted, sizeof wanted, format, ap);
    va_end(ap);
    assert_string_equal(fixture_roots(&p->f, person, NULL).ptr, wanted);
}

static size_t root_count(struct people *p, const struct hash *person)
{
    struct span text = fixture_roots(&p->f, person, NULL);
    size_t count = 0;
    for (const char *at = text.ptr; (at = strstr(at, "{\"type\"")) != NULL; at++)
        count++;
    return count;
}

static uint64_t version_of(struct people *p, const struct hash *person)
{
    uint64_t version;
    assert_int_equal(store_roots_version(p->f.store, person, &version, NULL), STATUS_OK);
    return version;
}

static void granted_objects_are_roots(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object doc = fixture_person(&p->f, "dora@example.com", "Dora");
    fixture_put(&p->f, &leaf);
    fixture_put(&p->f, &doc);
    assert_roots(p, &p->bob, "");
    grant(p, &leaf.hash, false, &p->bob);
    grant(p, &doc.hash, false, &p->bob);
    for (int round = 0; round < 2; round++) {
        assert_roots(p, &p->bob,
                     "{\"type\":\"unversioned\",\"hash\":\"%s\",\"oneType\":\"PhoneNumber\"},"
                     "{\"type\":\"versioned\",\"hash\":\"%s\",\"idHash\":\"%s\",\"oneType\":\"Person\"}",
                     hash_text(&leaf.hash).s, hash_text(&doc.hash).s, hash_text(&doc.id_hash).s);
        assert_roots(p, &p->carol, "");
        fixture_reopen(&p->f);
    }
    grant(p, &leaf.hash, false, &p->carol); // replaces bob
    grant(p, &doc.hash, false, NULL);       // revokes
    assert_roots(p, &p->bob, "");
    assert_int_equal(root_count(p, &p->carol), 1);
}

static void granted_ids_bring_all_versions_in_order(void **state)
{
    struct people *p = *state;
    char wanted[3000];
    struct hash_list nodes = {0};
    struct object first = fixture_person(&p->f, "dora@example.com", "1");
    struct hash id = fixture_change(&p->f, &first);
    grant(p, &id, true, &p->bob);
    for (int i = 2; i < 5; i++) {
        char name[10];
        snprintf(name, sizeof name, "%d", i);
        struct object next = fixture_person(&p->f, "dora@example.com", name);
        struct hash node;
        fixture_change(&p->f, &next);
        assert_int_equal(store_head(p->f.store, &id, &node, NULL), STATUS_OK);
        nodes.count = 0;
        assert_int_equal(version_list(store_versions(p->f.store), &node, &nodes, NULL), STATUS_OK);
        assert_int_equal(root_count(p, &p->bob), 1 + nodes.count);
    }
    grant(p, &id, true, &p->carol); // sees the whole history too
    assert_int_equal(root_count(p, &p->carol), 5);
    snprintf(wanted, sizeof wanted,
             "{\"type\":\"version_node\",\"node\":\"%s\",\"dataIdHash\":\"%s\",\"dataType\":\"Person\"}",
             hash_text(&nodes.items[3]).s, hash_text(&id).s);
    assert_non_null(strstr(fixture_roots(&p->f, &p->carol, NULL).ptr, wanted));
    hash_list_free(&nodes);
}

static enum status note_node(struct span fragment, const struct hash *node, const struct hash *id_hash, void *arg)
{
    (void)fragment;
    (void)id_hash;
    if (node != NULL)
        hash_list_add(arg, node);
    return STATUS_OK;
}

static struct hash_list own_roots(struct people *p, const struct hash *person)
{
    struct hash_list nodes = {0};
    assert_int_equal(store_roots_own(p->f.store, person, note_node, &nodes, NULL, NULL), STATUS_OK);
    return nodes;
}

static struct hash_list shown_roots(struct people *p, const struct hash *person)
{
    struct hash_list nodes = {0};
    assert_int_equal(store_roots(p->f.store, person, note_node, &nodes, NULL, NULL), STATUS_OK);
    return nodes;
}

static struct hash_list offered_roots(struct people *p, const struct hash *person)
{
    struct hash_list nodes = {0};
    assert_int_equal(store_roots_offered(p->f.store, person, note_node, &nodes, NULL, NULL), STATUS_OK);
    return nodes;
}

// Our own other node, who is bob here, is shown how versions were put together.
static void merge_nodes_are_listed_for_own_nodes_only(void **state)
{
    struct people *p = *state;
    struct version_result result;
    struct object mine = fixture_person(&p->f, "dora@example.com", "mine");
    struct object theirs = fixture_person(&p->f, "dora@example.com", "theirs");
    struct hash id = fixture_change(&p->f, &mine);
    grant(p, &id, true, &p->bob);
    fixture_put(&p->f, &theirs);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(version_merge_foreign(store_versions(p->f.store), &theirs.hash, 1800000000000, &result, NULL),
                     STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    assert_true(result.changed);
    uint64_t skipped;
    assert_int_equal(root_count(p, &p->bob), 3); // the id and two edges
    assert_null(strstr(fixture_roots(&p->f, &p->bob, &skipped).ptr, hash_text(&result.node).s));
    assert_int_equal(skipped, 0);
    struct hash_list nodes = own_roots(p, &p->bob);
    assert_int_equal(nodes.count, 3);
    assert_memory_equal(&nodes.items[2], &result.node, sizeof result.node); // behind what it joins
    hash_list_free(&nodes);
    grant(p, &id, true, &p->carol); // the log is there
    nodes = own_roots(p, &p->carol);
    assert_int_equal(nodes.count, 3);
    hash_list_free(&nodes);
}

// Every message of two writers makes one, and both come to the same by themselves.
static void merges_of_channels_are_listed_for_nobody(void **state)
{
    struct people *p = *state;
    struct version_result result;
    struct object channel;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct hash head = {{0}};
    const struct version_source *v = store_versions(p->f.store);
    struct value *info = value_object(p->f.arena, SPAN("ChannelInfo"));
    value_set_member(p->f.arena, info, SPAN("id"), value_text(p->f.arena, "c"));
    assert_int_equal(object_make(p->f.recipes, p->f.arena, info, MICRODATA_OBJECT, &channel, NULL), STATUS_OK);
    struct hash id = fixture_change(&p->f, &channel);
    grant(p, &id, true, &p->bob);
    fixture_put(&p->f, &leaf);
    struct object time = fixture_link(&p->f, &leaf.hash, 5);
    fixture_put(&p->f, &time);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(list_insert(v, &head, &time.hash, NULL, &head, NULL), STATUS_OK);
    value_set_member(p->f.arena, info, SPAN("head"), value_hash(p->f.arena, &head));
    assert_int_equal(object_make(p->f.recipes, p->f.arena, info, MICRODATA_OBJECT, &channel, NULL), STATUS_OK);
    assert_int_equal(store_put(p->f.store, &channel, NULL, NULL), STATUS_OK);
    assert_int_equal(version_merge_foreign(v, &channel.hash, 1800000000000, &result, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    struct hash_list nodes = own_roots(p, &p->bob);
    assert_true(result.changed);
    assert_int_equal(nodes.count, 2);
    assert_false(hash_list_has(&nodes, &result.node));
    // The reference takes the first of two that are equally deep, and only that one.
    struct hash_list shown = shown_roots(p, &p->bob);
    assert_int_equal(shown.count, 2);
    assert_true(hash_eq(&shown.items[0], &nodes.items[1]));
    assert_true(hash_eq(&shown.items[1], &nodes.items[0]));
    hash_list_free(&shown);
    hash_list_free(&nodes);
}

// The reference takes the deepest alone: it would take ours, and never look at the one that won.
static void what_a_later_version_won_over_is_not_offered(void **state)
{
    struct people *p = *state;
    struct version_result result;
    struct object first = fixture_person(&p->f, "dora@example.com", "first");
    struct object second = fixture_person(&p->f, "dora@example.com", "second");
    struct object theirs = fixture_person(&p->f, "dora@example.com", "theirs");
    struct object third = fixture_person(&p->f, "dora@example.com", "third");
    struct hash id = fixture_change(&p->f, &first);
    fixture_change(&p->f, &second);
    grant(p, &id, true, &p->bob);
    fixture_put(&p->f, &theirs);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(version_merge_foreign(store_versions(p->f.store), &theirs.hash, 4000000000000, &result, NULL),
                     STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    assert_true(hash_eq(&result.hash, &theirs.hash));
    struct hash_list all = own_roots(p, &p->bob); // the two of ours, theirs, the merge
    struct hash_list shown = offered_roots(p, &p->bob);
    assert_int_equal(all.count, 4);
    assert_int_equal(shown.count, 2);
    assert_true(hash_eq(&shown.items[0], &all.items[2]) && hash_eq(&shown.items[1], &all.items[0]));
    hash_list_free(&shown);
    store_withhold(p->f.store, &p->bob, SPAN(""), &theirs.hash); // then ours are what there is to have
    shown = offered_roots(p, &p->bob);
    assert_int_equal(shown.count, 2);
    assert_true(hash_eq(&shown.items[0], &all.items[0]) && hash_eq(&shown.items[1], &all.items[1]));
    store_withhold_nothing(p->f.store, &p->bob);
    hash_list_free(&shown);
    hash_list_free(&all);
    fixture_change(&p->f, &third); // deeper than all of them
    shown = offered_roots(p, &p->bob);
    assert_int_equal(shown.count, 4);
    hash_list_free(&shown);
}

static void head_that_goes_back_takes_versions_away(void **state)
{
    struct people *p = *state;
    struct hash first;
    struct object one = fixture_person(&p->f, "dora@example.com", "1");
    struct object two = fixture_person(&p->f, "dora@example.com", "2");
    struct hash id = fixture_change(&p->f, &one);
    assert_int_equal(store_head(p->f.store, &id, &first, NULL), STATUS_OK);
    grant(p, &id, true, &p->bob);
    fixture_change(&p->f, &two);
    assert_int_equal(root_count(p, &p->bob), 3);
    const struct version_source *v = store_versions(p->f.store);
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    assert_int_equal(v->set_head(v->ctx, &id, &first, NULL), STATUS_OK);
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    assert_int_equal(root_count(p, &p->bob), 2);
}

static void groups_grant_to_their_members(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    const struct hash both[] = {p->bob, p->carol};
    fixture_put(&p->f, &leaf);
    set_team(p, NULL, 0);
    grant_group(p, &leaf.hash, false);
    assert_int_equal(root_count(p, &p->bob), 0);
    set_team(p, &p->bob, 1);
    assert_int_equal(root_count(p, &p->bob), 1);
    set_team(p, both, 2);
    grant(p, &leaf.hash, false, &p->bob); // replaces the group by the person
    assert_int_equal(root_count(p, &p->bob), 1);
    assert_int_equal(root_count(p, &p->carol), 0);
    grant_group(p, &leaf.hash, false);
    assert_int_equal(root_count(p, &p->carol), 1);
    set_team(p, &p->carol, 1);
    assert_int_equal(root_count(p, &p->bob), 0);
    assert_int_equal(root_count(p, &p->carol), 1);
}

static void what_cannot_be_delivered_is_left_out(void **state)
{
    struct people *p = *state;
    uint64_t skipped;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object middle = fixture_link(&p->f, &leaf.hash, 1);
    struct object top = fixture_link(&p->f, &middle.hash, 2);
    struct object grant_itself = fixture_grant(&p->f, &leaf.hash, false, &p->carol, 1, NULL, 0);
    struct object around_grant = fixture_link(&p->f, &grant_itself.hash, 3);
    fixture_put(&p->f, &top);
    grant(p, &top.hash, false, &p->bob);
    fixture_roots(&p->f, &p->bob, &skipped);
    assert_int_equal(skipped, 1);
    fixture_put(&p->f, &middle);
    assert_int_equal(root_count(p, &p->bob), 0);
    uint64_t before = version_of(p, &p->bob);
    fixture_put(&p->f, &leaf); // completes the tree from below
    assert_int_equal(root_count(p, &p->bob), 1);
    assert_int_not_equal(version_of(p, &p->bob), before);

    fixture_change(&p->f, &grant_itself);
    fixture_put(&p->f, &around_grant);
    grant(p, &grant_itself.hash, false, &p->bob); // peers refuse Access objects
    grant(p, &around_grant.hash, false, &p->bob); // also below others
    fixture_roots(&p->f, &p->bob, &skipped);
    assert_int_equal(skipped, 2);
    assert_int_equal(root_count(p, &p->bob), 1);
}

static void lost_roots_come_back(void **state)
{
    struct people *p = *state;
    uint64_t skipped;
    struct hash node;
    struct object now;
    struct object dora = fixture_person(&p->f, "dora@example.com", "1");
    struct hash id = fixture_change(&p->f, &dora);
    grant(p, &id, true, &p->bob);
    fixture_settle(&p->f);
    const char *before = fixture_roots(&p->f, &p->bob, NULL).ptr;
    assert_int_equal(store_head(p->f.store, &id, &node, NULL), STATUS_OK);
    assert_int_equal(store_get_object(p->f.store, &node, p->f.arena, &now, NULL), STATUS_OK);
    struct hash_text t = hash_text(&node);
    const char *path = arena_printf(p->f.arena, "%s/objects/%.2s/%s", p->f.dir, t.s, t.s).ptr;
    struct span text;
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(store_get(p->f.store, &node, p->f.arena, &text, NULL), STATUS_CORRUPT);
    uint64_t version = version_of(p, &p->bob);
    fixture_put(&p->f, &dora); // any commit
    assert_int_equal(root_count(p, &p->bob), 1);
    fixture_roots(&p->f, &p->bob, &skipped);
    assert_int_equal(skipped, 1);
    assert_int_not_equal(version_of(p, &p->bob), version);
    fixture_put(&p->f, &now);
    assert_string_equal(fixture_roots(&p->f, &p->bob, NULL).ptr, before);
}

static void unresolvable_grants_are_counted(void **state)
{
    struct people *p = *state;
    uint64_t skipped;
    struct object never = fixture_leaf(&p->f, "never stored");
    struct hash blob = fixture_file(&p->f, SPAN("\x01\x02\xff"));
    grant(p, &never.hash, false, &p->bob); // target is missing
    grant(p, &never.hash, true, &p->bob);
    grant(p, &blob, false, &p->bob);     // files are no roots
    grant(p, &p->carol, false, &p->bob); // an id object is no object
    struct object person = fixture_person(&p->f, "bob@example.com", NULL);
    grant(p, &person.hash, true, &p->bob); // an object is no id object
    assert_string_equal(fixture_roots(&p->f, &p->bob, &skipped).ptr, "");
    assert_int_equal(skipped, 5);
    grant(p, &p->carol, true, &p->bob);
    assert_int_equal(root_count(p, &p->bob), 2);
}

static void grants_without_head_do_not_count(void **state)
{
    struct people *p = *state;
    uint64_t skipped;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object access = fixture_grant(&p->f, &leaf.hash, false, &p->bob, 1, NULL, 0);
    fixture_put(&p->f, &leaf);
    fixture_put(&p->f, &access); // like something received
    assert_string_equal(fixture_roots(&p->f, &p->bob, &skipped).ptr, "");
}

static void versions_move_for_those_concerned(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object other = fixture_leaf(&p->f, "2");
    struct object dora = fixture_person(&p->f, "dora@example.com", "1");
    struct object dora2 = fixture_person(&p->f, "dora@example.com", "2");
    uint64_t bob = version_of(p, &p->bob);
    uint64_t carol = version_of(p, &p->carol);
    fixture_put(&p->f, &leaf);
    fixture_put(&p->f, &other);
    assert_int_equal(version_of(p, &p->bob), bob); // nothing granted
    grant(p, &leaf.hash, false, &p->bob);
    assert_int_not_equal(version_of(p, &p->bob), bob);
    assert_int_equal(version_of(p, &p->carol), carol);
    bob = version_of(p, &p->bob);

    struct hash id = fixture_change(&p->f, &dora);
    grant(p, &id, true, &p->carol);
    assert_int_not_equal(version_of(p, &p->carol), carol);
    carol = version_of(p, &p->carol);
    fixture_change(&p->f, &dora2);
    assert_int_not_equal(version_of(p, &p->carol), carol);
    assert_int_equal(version_of(p, &p->bob), bob);

    grant(p, &leaf.hash, false, NULL); // revocation counts as well
    assert_int_not_equal(version_of(p, &p->bob), bob);
    bob = version_of(p, &p->bob);
    set_team(p, NULL, 0);
    grant_group(p, &other.hash, false);
    assert_int_equal(version_of(p, &p->bob), bob);
    set_team(p, &p->bob, 1);
    assert_int_not_equal(version_of(p, &p->bob), bob);
    bob = version_of(p, &p->bob);
    set_team(p, NULL, 0);
    assert_int_not_equal(version_of(p, &p->bob), bob);
}

static void what_is_withheld_is_left_out_with_all_above(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object above = fixture_link(&p->f, &leaf.hash, 1);
    struct object other = fixture_leaf(&p->f, "2");
    struct object first = fixture_person(&p->f, "dora@example.com", "1");
    struct object second = fixture_person(&p->f, "dora@example.com", "2");
    fixture_put(&p->f, &leaf);
    fixture_put(&p->f, &above);
    fixture_put(&p->f, &other);
    struct hash id = fixture_change(&p->f, &first);
    fixture_change(&p->f, &second);
    grant(p, &above.hash, false, &p->bob);
    grant(p, &other.hash, false, &p->bob);
    grant(p, &id, true, &p->bob);
    assert_int_equal(root_count(p, &p->bob), 5);
    store_withhold(p->f.store, &p->bob, SPAN(""), &leaf.hash);
    assert_int_equal(root_count(p, &p->bob), 4);
    store_withhold(p->f.store, &p->bob, SPAN(""), &second.hash); // the first version stays
    assert_int_equal(root_count(p, &p->bob), 3);
    store_withhold(p->f.store, &p->bob, SPAN("Person"), NULL);
    assert_roots(p, &p->bob, "{\"type\":\"unversioned\",\"hash\":\"%s\",\"oneType\":\"PhoneNumber\"}",
                 hash_text(&other.hash).s);
    grant(p, &id, true, &p->carol);
    assert_int_equal(root_count(p, &p->carol), 3);
    store_withhold_nothing(p->f.store, &p->bob);
    assert_int_equal(root_count(p, &p->bob), 2); // the id belongs to carol now
}

static void withheld_things_are_bounded(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    fixture_put(&p->f, &leaf);
    grant(p, &leaf.hash, false, &p->bob);
    store_withhold(p->f.store, &p->bob, SPAN("PhoneNumber"), NULL);
    assert_int_equal(root_count(p, &p->bob), 0);
    for (int i = 0; i < 100; i++)
        store_withhold(p->f.store, &p->bob, SPAN("Nothing"), NULL);
    assert_int_equal(root_count(p, &p->bob), 0); // said again and again it counts once
    static const char *const others[] = {"A", "B", "C", "D", "E", "F", "G"};
    for (size_t i = 0; i < 7; i++)
        store_withhold(p->f.store, &p->bob, span_of(others[i]), NULL);
    assert_int_equal(root_count(p, &p->bob), 1); // the oldest has given way
}

static void what_was_withheld_is_found_once(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    fixture_put(&p->f, &leaf);
    for (int i = 0; i < 300; i++) {
        struct object above = fixture_link(&p->f, &leaf.hash, i);
        fixture_put(&p->f, &above);
    }
    grant(p, &leaf.hash, false, &p->bob);
    for (int i = 0; i < 64; i++)
        store_withhold(p->f.store, &p->bob, SPAN("PhoneNumber"), NULL);
    bool ready = true;
    assert_int_equal(store_roots_prepare(p->f.store, &p->bob, &ready, NULL), STATUS_OK);
    assert_false(ready); // the walk takes more than one part
    for (int i = 0; i < 64; i++) {
        assert_int_equal(root_count(p, &p->bob), 0);
        store_withhold(p->f.store, &p->bob, SPAN("PhoneNumber"), NULL); // which is no news
        assert_int_equal(store_roots_prepare(p->f.store, &p->bob, &ready, NULL), STATUS_OK);
        assert_true(ready);
    }
}

// The store serves others between the parts of the walk.
static void what_is_withheld_is_found_in_parts(void **state)
{
    struct people *p = *state;
    struct object leaf = fixture_leaf(&p->f, "1");
    struct object other = fixture_leaf(&p->f, "2");
    fixture_put(&p->f, &leaf);
    fixture_put(&p->f, &other);
    struct object above = {0};
    assert_int_equal(store_begin(p->f.store, NULL), STATUS_OK);
    for (int i = 0; i < 1200; i++) {
        above = fixture_link(&p->f, &leaf.hash, i);
        assert_int_equal(store_put(p->f.store, &above, NULL, NULL), STATUS_OK);
    }
    assert_int_equal(store_commit(p->f.store, NULL), STATUS_OK);
    grant(p, &above.hash, false, &p->bob);
    grant(p, &other.hash, false, &p->bob);
    store_withhold(p->f.store, &p->bob, SPAN(""), &leaf.hash);
    size_t parts = 0;
    for (bool ready = false; !ready; parts++) {
        assert_true(parts < 10);
        assert_int_equal(store_roots_prepare(p->f.store, &p->bob, &ready, NULL), STATUS_OK);
    }
    assert_true(parts > 2);
    assert_int_equal(root_count(p, &p->bob), 1);
    bool ready = false;
    assert_int_equal(store_roots_prepare(p->f.store, &p->bob, &ready, NULL), STATUS_OK);
    assert_true(ready);
    assert_int_equal(store_roots_prepare(p->f.store, &p->carol, &ready, NULL), STATUS_OK);
    assert_true(ready); // there is nothing to find
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(granted_objects_are_roots),
        TEST(granted_ids_bring_all_versions_in_order),
        TEST(merge_nodes_are_listed_for_own_nodes_only),
        TEST(merges_of_channels_are_listed_for_nobody),
        TEST(what_a_later_version_won_over_is_not_offered),
        TEST(head_that_goes_back_takes_versions_away),
        TEST(groups_grant_to_their_members),
        TEST(what_cannot_be_delivered_is_left_out),
        TEST(lost_roots_come_back),
        TEST(unresolvable_grants_are_counted),
        TEST(grants_without_head_do_not_count),
        TEST(versions_move_for_those_concerned),
        TEST(what_is_withheld_is_left_out_with_all_above),
        TEST(withheld_things_are_bounded),
        TEST(what_was_withheld_is_found_once),
        TEST(what_is_withheld_is_found_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
