// What merges made becomes a version that others list, once, and only where none of them shows it.
#include "data/versionnode.h"
#include "model_node.h"
#include "models/confirm.h"
#include "models/sharing.h"
#include "tests/unit/cmocka_all.h"

static const struct hash STRANGER = {{7}};
static const struct hash OWN = {{8}};

static struct value *settings(struct model *m, const char *one, const char *two)
{
    struct value *object = model_object(m, "Settings");
    struct value *map = value_map(m->arena);
    model_set_text(m, object, "id", SPAN("store"));
    if (one != NULL)
        value_put(m->arena, map, value_text(m->arena, "one"), value_text(m->arena, one));
    if (two != NULL)
        value_put(m->arena, map, value_text(m->arena, "two"), value_text(m->arena, two));
    value_set_member(m->arena, object, SPAN("properties"), map);
    return object;
}

static struct version_result keep(struct model *m, enum version_mode mode, double time, struct value *object)
{
    struct version_result made;
    MUST(version_store(store_versions(m->store), object, mode, time, &made, &e));
    return made;
}

static struct versionnode head_of(struct model *m, const struct hash *id_hash)
{
    struct hash head;
    struct versionnode node;
    MUST(store_head(m->store, id_hash, &head, &e));
    MUST(versionnode_read(store_versions(m->store), &head, m->arena, &node, &e));
    return node;
}

static void what_neither_version_holds_is_confirmed_once(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    keep(m, VERSION_CHANGE, 1000, settings(m, "ours", NULL));
    struct version_result merged = keep(m, VERSION_MERGE, 2000, settings(m, NULL, "theirs"));
    assert_int_equal(head_of(m, &merged.id_hash).kind, VERSIONNODE_MERGE);
    MUST(confirm_version(m, &merged.id_hash, &STRANGER, &e));
    struct versionnode head = head_of(m, &merged.id_hash);
    assert_int_equal(head.kind, VERSIONNODE_CHANGE);
    assert_true(hash_eq(&head.data, &merged.hash));
    assert_true(head.creation_time == 2001); // of both own nodes the same
    MUST(confirm_version(m, &merged.id_hash, &STRANGER, &e));
    struct versionnode again = head_of(m, &merged.id_hash);
    assert_true(hash_eq(&again.hash, &head.hash));
    model_node_end(&p->a);
}

static void what_a_contact_sent_is_not_said_to_it(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    keep(m, VERSION_CHANGE, 1000, settings(m, "ours", NULL));
    struct version_result merged = keep(m, VERSION_MERGE, 2000, settings(m, "ours", "theirs"));
    MUST(confirm_version(m, &merged.id_hash, &STRANGER, &e));
    assert_int_equal(head_of(m, &merged.id_hash).kind, VERSIONNODE_MERGE);
    model_node_end(&p->a);
}

// The longer history counts between own nodes; whoever goes by the times would take the other version.
static void what_counts_here_for_its_history_counts_for_others(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_set_own_node(m, &OWN, &p->b.self->instance_keys.public_key, &e));
    keep(m, VERSION_CHANGE, 1000, settings(m, "base", NULL));
    keep(m, VERSION_CHANGE, 1001, settings(m, "once", NULL));
    struct version_result deep = keep(m, VERSION_CHANGE, 1002, settings(m, "twice", NULL));
    struct hash late_data = keep(m, VERSION_NONE, 0, settings(m, "late", NULL)).hash;
    struct hash first = head_of(m, &deep.id_hash).before[0];
    struct versionnode late = {.kind = VERSIONNODE_CHANGE, .data = late_data, .depth = 1, .creation_time = 5000};
    struct versionnode once;
    MUST(versionnode_read(store_versions(m->store), &first, m->arena, &once, &e));
    late.before = once.before;
    late.before_count = 1;
    struct version_result merged;
    MUST(versionnode_write(store_versions(m->store), &late, &e));
    MUST(version_follow(store_versions(m->store), &late.hash, &merged, &e));
    assert_true(hash_eq(&merged.hash, &deep.hash));
    MUST(confirm_version(m, &deep.id_hash, &OWN, &e));
    struct versionnode head = head_of(m, &deep.id_hash);
    assert_int_equal(head.kind, VERSIONNODE_CHANGE);
    assert_true(hash_eq(&head.data, &deep.hash) && head.creation_time == 5001);
    model_node_end(&p->a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, model_pair_begin, model_pair_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_neither_version_holds_is_confirmed_once),
        TEST(what_a_contact_sent_is_not_said_to_it),
        TEST(what_counts_here_for_its_history_counts_for_others),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
