// What a peer may make us store and what we never hand out: the hazards of MODELS.md 8.7, one by one.
#include "by_topic.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/leute.h"
#include "models/policy.h"
#include "models/profile.h"
#include "models/returning.h"
#include "models/settings.h"
#include "policy_world.h"
#include "tests/unit/cmocka_all.h"

// ---- Import ---------------------------------------------------------------------------------------------------------

static void takes_channels_from_their_owner_only(void **state)
{
    struct world *w = *state;
    const struct hash *me = &w->me.self->person;
    const struct hash *peer = &w->peer.self->person;
    const struct hash stranger = {{9}};
    assert_true(world_may_import(w, world_channel(w, "news", peer)));
    assert_false(world_may_import(w, world_channel(w, "contacts", me)));
    assert_false(world_may_import(w, world_channel(w, "news", &stranger)));
    assert_true(world_may_import(w, world_channel(w, topic_one_to_one_id(w->me.m.arena, me, peer).ptr, NULL)));
    assert_false(world_may_import(w, world_channel(w, topic_one_to_one_id(w->me.m.arena, me, &stranger).ptr, NULL)));
    assert_false(world_may_import(w, world_channel(w, topic_one_to_one_id(w->me.m.arena, peer, &stranger).ptr, NULL)));
}

static void takes_a_bounded_number_of_profiles(void **state)
{
    struct world *w = *state;
    assert_true(world_may_import(w, world_profile_of_peer(w, 0, 256)));
    assert_false(world_may_import(w, world_profile_of_peer(w, 0, 257)));
    for (unsigned i = 1; i < 64; i++) { // with the one of the pairing
        assert_true(world_may_import(w, world_profile_of_peer(w, i, 0)));
        struct model *m = model_node_begin(&w->me);
        MUST(model_change(m, world_profile_of_peer(w, i, 0), NULL, &e));
        model_node_end(&w->me);
    }
    assert_false(world_may_import(w, world_profile_of_peer(w, 64, 0)));
    assert_true(world_may_import(w, world_profile_of_peer(w, 7, 1))); // another version of one that is here
}

static void follows_the_history_of_who_writes_alone(void **state)
{
    struct world *w = *state;
    struct value *profile = world_profile_of_peer(w, 0, 0);
    assert_true(world_follows(w, profile));
    model_set_hash(&w->me.m, profile, "owner", &w->me.self->person);
    assert_false(world_follows(w, profile));
    assert_false(world_follows(w, world_channel(w, "news", &w->peer.self->person)));
}

static struct hash begin_channel(struct world *w, const char *id)
{
    struct hash channel_id;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, span_of(id), NULL, &channel_id, &e));
    model_node_end(&w->me);
    return channel_id;
}

static void takes_channels_without_owner_from_whom_they_came(void **state)
{
    struct world *w = *state;
    assert_true(world_may_import(w, world_channel(w, "theirs", NULL)));
    begin_channel(w, "ours");
    assert_false(world_may_import(w, world_channel(w, "ours", NULL)));

    assert_true(world_may_import(w, world_channel(w, "named before", NULL)));
    struct hash named = begin_channel(w, "named before");
    assert_false(world_may_import(w, world_channel(w, "named before", NULL)));
    struct model *m = model_node_begin(&w->me);
    MUST(access_grant(m, (struct access_target){ACCESS_ID, named}, &w->peer.self->person, &e));
    model_node_end(&w->me);
    assert_true(world_may_import(w, world_channel(w, "named before", NULL)));
}

static struct value *topic(struct world *w, struct span id, const struct hash *channel_id)
{
    struct value *t = model_object(&w->me.m, "Topic");
    model_set_text(&w->me.m, t, "id", id);
    model_set_hash(&w->me.m, t, "channel", channel_id);
    return t;
}

static void takes_topics_that_name_their_own_channel_only(void **state)
{
    struct world *w = *state;
    struct model *m = &w->me.m;
    const struct hash *me = &w->me.self->person;
    const struct hash *peer = &w->peer.self->person;
    struct span id = topic_one_to_one_id(m->arena, me, peer);
    struct hash good;
    struct hash secret;
    struct hash theirs;
    MUST(channel_id_hash(m, id, NULL, &good, &e));
    MUST(channel_id_hash(m, SPAN("contacts"), me, &secret, &e));
    MUST(channel_id_hash(m, SPAN("club"), peer, &theirs, &e));
    assert_true(world_may_import(w, topic(w, id, &good)));
    assert_false(world_may_import(w, topic(w, id, &secret)));
    assert_false(world_may_import(w, topic(w, SPAN("contacts"), &secret)));
    assert_false(world_may_import(w, topic(w, SPAN("EveryoneTopic"), &secret)));
    const struct hash stranger = {{9}};
    struct span others = topic_one_to_one_id(m->arena, peer, &stranger);
    MUST(channel_id_hash(m, others, NULL, &good, &e));
    assert_false(world_may_import(w, topic(w, others, &good)));
}

// The group of a peer that has one channel for all: it is taken, and what we write there goes back to that peer.
static void takes_part_in_a_group_of_a_peer(void **state)
{
    struct world *w = *state;
    struct hash channel_id;
    struct hash stored;
    struct topic found;
    MUST(channel_id_hash(&w->me.m, SPAN("club"), NULL, &channel_id, &e));
    assert_true(world_may_import(w, topic(w, SPAN("club"), &channel_id)));
    struct model *m = model_node_begin(&w->me);
    MUST(model_put(m, topic(w, SPAN("club"), &channel_id), &stored, &e));
    model_node_end(&w->me);
    MUST(topic_find(m, SPAN("club"), &found, &e));
    assert_true(access_has(m, (struct access_target){ACCESS_ID, channel_id}, &w->peer.self->person));
    assert_true(access_has(m, (struct access_target){ACCESS_OBJECT, stored}, &w->peer.self->person));
    assert_true(world_may_import(w, world_channel(w, "club", NULL)));

    struct hash ours = begin_channel(w, "ours");
    assert_false(world_may_import(w, topic(w, SPAN("ours"), &ours)));
}

// Even a Topic that comes in some other way opens nothing.
static void grants_nothing_for_a_topic_that_names_another_channel(void **state)
{
    struct world *w = *state;
    struct hash secret;
    struct hash stored;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, SPAN("contacts"), &w->me.self->person, &secret, &e));
    struct span id = topic_one_to_one_id(m->arena, &w->me.self->person, &w->peer.self->person);
    MUST(model_put(m, topic(w, id, &secret), &stored, &e));
    model_node_end(&w->me);
    assert_false(access_has(m, (struct access_target){ACCESS_ID, secret}, &w->peer.self->person));
    assert_false(access_has(m, (struct access_target){ACCESS_OBJECT, stored}, &w->peer.self->person));
    struct topic found;
    struct error why;
    assert_int_equal(topic_find(m, id, &found, &why), STATUS_NOT_FOUND);
}

static void takes_profiles_from_their_person_only(void **state)
{
    struct world *w = *state;
    const struct hash *me = &w->me.self->person;
    const struct hash *peer = &w->peer.self->person;
    const struct hash stranger = {{9}};
    assert_true(world_may_import(w, world_profile(w, peer, peer)));
    assert_false(world_may_import(w, world_profile(w, me, me)));
    assert_false(world_may_import(w, world_profile(w, me, peer)));
    assert_false(world_may_import(w, world_profile(w, peer, me)));
    assert_false(world_may_import(w, world_profile(w, &stranger, peer)));
    assert_false(world_may_import(w, world_profile(w, &stranger, &stranger)));
}

static struct value *current(struct world *w, const char *type, const struct hash *id)
{
    struct value *v;
    MUST(model_current(&w->me.m, id, type, &v, NULL, &e));
    return v;
}

static void takes_no_bookkeeping_from_anybody(void **state)
{
    struct world *w = *state;
    struct model *m = &w->me.m;
    struct hash id;
    MUST(leute_me(m, &id, &e));
    assert_false(world_may_import(w, current(w, "Someone", &id)));
    MUST(leute_id(m, &id, &e));
    assert_false(world_may_import(w, current(w, "Leute", &id)));
    assert_false(world_may_import(w, current(w, "Instance", &w->me.self->instance)));
    assert_false(world_may_import(w, current(w, "Person", &w->me.self->person)));
    MUST(group_id(m, SPAN(GROUP_EVERYONE), &id, &e));
    assert_false(world_may_import(w, current(w, "Group", &id)));
    model_node_begin(&w->me);
    MUST(settings_set(m, SPAN("app"), SPAN("k"), SPAN("v"), &e));
    model_node_end(&w->me);
    struct value *settings = model_object(m, "Settings");
    model_set_text(m, settings, "id", SPAN("app"));
    value_set_member(m->arena, settings, SPAN("properties"), value_map(m->arena));
    assert_false(world_may_import(w, settings));
}

static struct value *supply(struct world *w, const char *identity)
{
    struct value *v = model_object(&w->me.m, "NotifiedUsers"); // an application's own versioned type
    model_set_text(&w->me.m, v, "name", span_of(identity));
    value_set_member(w->me.m.arena, v, SPAN("existingMatches"), value_map(w->me.m.arena));
    return v;
}

static void keeps_own_application_objects_own(void **state)
{
    struct world *w = *state;
    struct version_result stored;
    assert_true(world_may_import(w, supply(w, "theirs")));
    struct model *m = model_node_begin(&w->me);
    MUST(model_change(m, supply(w, "mine"), &stored, &e));
    model_node_end(&w->me);
    assert_false(world_may_import(w, supply(w, "mine")));
    model_node_begin(&w->me);
    MUST(access_grant(m, (struct access_target){ACCESS_ID, stored.id_hash}, &w->peer.self->person, &e));
    model_node_end(&w->me);
    assert_true(world_may_import(w, supply(w, "mine"))); // edited together
    assert_true(world_may_import(w, supply(w, "theirs")));
}

// ---- What sticks ----------------------------------------------------------------------------------------------------

static void a_peer_cannot_rename_me(void **state)
{
    struct world *w = *state;
    struct hash id;
    struct span name;
    // The peer holds a version of my profile, changes it and offers it.
    struct model *m = model_node_begin(&w->peer);
    MUST(profile_id_hash(m, SPAN("default"), &w->me.self->person, &w->me.self->person, &id, &e));
    struct profile p;
    struct hash hash;
    MUST(profile_load(m, &id, &p, &e));
    struct value *named = model_object(m, "PersonName");
    model_set_text(m, named, "name", SPAN("Fool"));
    MUST(model_put(m, named, &hash, &e));
    hash_list_add(&p.descriptions, &hash);
    MUST(profile_save(m, &p, &e));
    profile_free(&p);
    MUST(access_grant(m, (struct access_target){ACCESS_ID, id}, &w->me.self->person, &e));
    model_node_end(&w->peer);
    assert_true(model_node_sync(&w->peer, &w->me) > 0);
    MUST(profile_name_of(&w->me.m, &w->me.self->person, &name, &e));
    assert_true(span_eq_text(name, "me@test"));
}

static void our_own_channel_is_news_only_after_a_restore(void **state)
{
    struct world *w = *state;
    struct hash mine;
    const struct hash unknown = {{1}};
    const struct hash *peer = &w->peer.self->person;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, SPAN("diary"), &w->me.self->person, &mine, &e));
    assert_false(policy_may_want(m, peer, SPAN("ChannelInfo"), &mine));
    assert_true(policy_may_want(m, peer, SPAN("ChannelInfo"), &unknown));
    MUST(returning_expect(m, m->now_ms, &e));
    assert_true(policy_may_want(m, peer, SPAN("ChannelInfo"), &mine));
    model_node_end(&w->me);
}

static void a_peer_cannot_write_into_my_channel(void **state)
{
    struct world *w = *state;
    struct hash mine;
    struct hash copy;
    struct channel_entry entry;
    struct channel_entries entries;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, SPAN("diary"), &w->me.self->person, &mine, &e));
    model_node_end(&w->me);
    m = model_node_begin(&w->peer);
    MUST(channel_create(m, SPAN("diary"), &w->me.self->person, &copy, &e));
    assert_true(hash_eq(&mine, &copy));
    struct value *note = model_object(m, "PersonName");
    model_set_text(m, note, "name", SPAN("graffiti"));
    MUST(channel_post(m, &copy, note, NULL, &entry, &e));
    MUST(access_grant(m, (struct access_target){ACCESS_ID, copy}, &w->me.self->person, &e));
    model_node_end(&w->peer);
    model_node_sync(&w->peer, &w->me);
    MUST(channel_read(&w->me.m, &(struct channel_query){.channels = &mine, .channel_count = 1}, &entries, &e));
    assert_int_equal(entries.count, 0);
}

// A peer cannot give a third person a key and then speak in its name.
static void a_peer_cannot_give_others_keys(void **state)
{
    struct world *w = *state;
    struct model_node third;
    struct trust_keys keys;
    model_node_open_plain(&third, "third@test", "third", NULL);
    model_node_pair(&w->me, &third);
    struct model *m = model_node_begin(&w->me);
    struct profile p = {.profile_id = SPAN("evil"), .person = third.self->person, .owner = w->peer.self->person};
    struct hash key;
    MUST(profile_put_sign_key(m, &w->peer.self->person_keys.sign_public, &key, &e));
    hash_list_add(&p.descriptions, &key);
    MUST(profile_save(m, &p, &e)); // as if it had come in
    profile_free(&p);
    model_node_end(&w->me);
    MUST(trust_keys_of(&w->me.m, &third.self->person, &keys, &e));
    assert_int_equal(keys.count, 1);
    assert_memory_equal(keys.items[0].key.b, third.self->person_keys.sign_public.b, SIGN_PUBLIC);
    model_node_close(&third);
}

static void a_peer_cannot_claim_anothers_instance_key(void **state)
{
    struct world *w = *state;
    struct model_node third;
    struct contact_endpoints rows;
    struct contact_paired paired;
    model_node_open_plain(&third, "third@test", "third", NULL);
    struct contact_identity identity = model_node_identity(&third, "ws://evil:1");
    identity.instance_public = w->peer.self->instance_keys.public_key;
    struct model *m = model_node_begin(&w->me);
    MUST(contact_pair(m, &identity, &paired, &e));
    MUST(contact_endpoints(m, &rows, &e));
    size_t claims = 0;
    for (size_t i = 0; i < rows.count; i++)
        claims += public_key_eq(&rows.items[i].instance_public, &w->peer.self->instance_keys.public_key);
    assert_int_equal(claims, 1);
    model_node_end(&w->me);
    model_node_close(&third);
}

// ---- Export ---------------------------------------------------------------------------------------------------------

static void never_grants_or_serves_what_is_private(void **state)
{
    struct world *w = *state;
    struct model *m = model_node_begin(&w->me);
    const struct hash *peer = &w->peer.self->person;
    struct error why;
    struct hash ids[4];
    MUST(leute_me(m, &ids[0], &e));
    MUST(leute_id(m, &ids[1], &e));
    MUST(group_id(m, SPAN(GROUP_EVERYONE), &ids[2], &e));
    ids[3] = w->me.self->instance;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(access_grant(m, (struct access_target){ACCESS_ID, ids[i]}, peer, &why), STATUS_REFUSED);
        struct store_info info;
        MUST(store_info(m->store, &ids[i], &info, &e));
        assert_false(policy_may_serve(m, peer, span_of(info.type), &ids[i]));
    }
    const struct hash nowhere = {{5}};
    assert_int_equal(access_grant(m, (struct access_target){ACCESS_ID, nowhere}, peer, &why), STATUS_NOT_FOUND);
    assert_int_equal(access_grant(m, (struct access_target){ACCESS_OBJECT, ids[0]}, peer, &why), STATUS_INVALID);
    model_node_end(&w->me);
}

static void adds_and_revokes_grants(void **state)
{
    struct world *w = *state;
    struct hash id;
    struct hash head;
    struct hash again;
    struct hash grant_id;
    struct access_grants grants;
    const struct hash *peer = &w->peer.self->person;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, SPAN("log"), &w->me.self->person, &id, &e));
    struct access_target target = {ACCESS_ID, id};
    MUST(access_grant(m, target, peer, &e));
    struct value *object = model_object(m, "IdAccess");
    model_set_hash(m, object, "id", &id);
    MUST(model_id(m, object, &grant_id, &e));
    MUST(store_head(m->store, &grant_id, &head, &e));
    m->now_ms += 10;
    MUST(access_grant(m, target, peer, &e));
    MUST(store_head(m->store, &grant_id, &again, &e));
    assert_true(hash_eq(&head, &again)); // nothing new for nothing new
    MUST(access_list(m, peer, &grants, &e));
    size_t found = 0;
    for (size_t i = 0; i < grants.count; i++)
        found += hash_eq(&grants.items[i].target.hash, &id) && grants.items[i].person_count == 1;
    assert_int_equal(found, 1);
    MUST(access_revoke(m, target, peer, &e));
    assert_false(access_has(m, target, peer));
    const struct hash_list nobody = {0};
    struct hash everyone;
    MUST(group_id(m, SPAN(GROUP_EVERYONE), &everyone, &e));
    MUST(access_add(m, target, NULL, 0, &everyone, 1, &e));
    assert_true(access_has(m, target, peer)); // by membership
    MUST(access_set(m, target, &nobody, &e));
    assert_false(access_has(m, target, peer));
    model_node_end(&w->me);
}

static bool head_is_listed(struct model *m, const struct hash *id)
{
    struct hash head;
    struct hash_list nodes = {0};
    MUST(store_head(m->store, id, &head, &e));
    MUST(version_list(store_versions(m->store), &head, &nodes, &e));
    bool listed = hash_list_has(&nodes, &head);
    hash_list_free(&nodes);
    return listed;
}

// Whoever gets a whole history at once adopts the deepest version listed, and merges are not.
static void a_grant_comes_with_what_was_merged(void **state)
{
    struct world *w = *state;
    struct hash id;
    struct hash empty;
    struct value *ignored;
    struct version_result merged;
    struct channel_entry entry;
    struct model *m = model_node_begin(&w->me);
    MUST(channel_create(m, SPAN("log"), NULL, &id, &e));
    MUST(model_current(m, &id, "ChannelInfo", &ignored, &empty, &e));
    struct value *note = model_object(m, "PersonName");
    model_set_text(m, note, "name", SPAN("a note"));
    MUST(channel_post(m, &id, note, NULL, &entry, &e));
    MUST(version_merge_foreign(store_versions(m->store), &empty, (double)m->now_ms + 1000, &merged, &e));
    assert_true(merged.changed);
    assert_false(head_is_listed(m, &id));
    MUST(access_grant(m, (struct access_target){ACCESS_ID, id}, &w->peer.self->person, &e));
    assert_true(head_is_listed(m, &id));
    model_node_end(&w->me);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_channels_from_their_owner_only, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_a_bounded_number_of_profiles, world_begin, world_end),
        cmocka_unit_test_setup_teardown(follows_the_history_of_who_writes_alone, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_channels_without_owner_from_whom_they_came, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_part_in_a_group_of_a_peer, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_topics_that_name_their_own_channel_only, world_begin, world_end),
        cmocka_unit_test_setup_teardown(grants_nothing_for_a_topic_that_names_another_channel, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_profiles_from_their_person_only, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_no_bookkeeping_from_anybody, world_begin, world_end),
        cmocka_unit_test_setup_teardown(keeps_own_application_objects_own, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_peer_cannot_rename_me, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_peer_cannot_write_into_my_channel, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_peer_cannot_give_others_keys, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_peer_cannot_claim_anothers_instance_key, world_begin, world_end),
        cmocka_unit_test_setup_teardown(never_grants_or_serves_what_is_private, world_begin, world_end),
        cmocka_unit_test_setup_teardown(adds_and_revokes_grants, world_begin, world_end),
        cmocka_unit_test_setup_teardown(a_grant_comes_with_what_was_merged, world_begin, world_end),
        cmocka_unit_test_setup_teardown(our_own_channel_is_news_only_after_a_restore, world_begin, world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
