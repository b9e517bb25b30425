// What the own other node is given, and what is taken from it alone.
#include "by_topic.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/leute.h"
#include "models/policy.h"
#include "models/profile.h"
#include "models/restoring.h"
#include "models/returning.h"
#include "models/settings.h"
#include "models/sharing.h"
#include "models/someone.h"
#include "policy_world.h"
#include "tests/unit/cmocka_all.h"

static void the_own_node_gets_contacts_and_conversations(void **state)
{
    struct world *w = *state;
    struct model_node friend;
    struct chat_sent sent;
    struct contact found;
    struct topic topic_with;
    struct chat_messages page;
    model_node_become_own(&w->me, &w->peer);
    model_node_become_own(&w->peer, &w->me);
    model_node_open_plain(&friend, "friend@test", "friend", "ws://friend:1");
    model_node_pair(&w->peer, &friend);
    struct model *m = model_node_begin(&friend);
    MUST(chat_send_to(m, &w->peer.self->person, SPAN("hello there"), NULL, 0, &sent, &e));
    model_node_end(&friend);
    model_node_sync(&friend, &w->peer);
    for (int i = 0; i < 3; i++) {
        model_node_sync(&w->peer, &w->me);
        model_node_sync(&w->me, &w->peer);
    }
    MUST(contact_get(&w->me.m, &friend.self->person, &found, &e));
    assert_true(found.trusted); // vouched for by the other node
    struct span id = topic_one_to_one_id(w->me.m.arena, &w->peer.self->person, &friend.self->person);
    MUST(topic_find(&w->me.m, id, &topic_with, &e));
    assert_true(hash_is_zero(&topic_with.peer));
    MUST(chat_page(&w->me.m, &topic_with, 0, NULL, &page, &e));
    assert_int_equal(page.count, 1);
    assert_int_equal(page.items[0].verification, VERIFICATION_VERIFIED);
    model_node_close(&friend);
}

// What only the two write counts with its history, whoever was right about the time.
static void the_own_node_is_followed(void **state)
{
    struct world *w = *state;
    struct value *someone = model_object(&w->me.m, "Someone");
    model_set_text(&w->me.m, someone, "someoneId", SPAN("s"));
    model_set_hash(&w->me.m, someone, "mainProfile", &w->me.self->person);
    value_set_member(w->me.m.arena, someone, SPAN("identities"), value_map(w->me.m.arena));
    struct value *recipe = model_object(&w->me.m, "Recipe");
    model_set_text(&w->me.m, recipe, "name", SPAN("Own"));
    value_set_member(w->me.m.arena, recipe, SPAN("rule"), value_list(w->me.m.arena));
    const struct value *objects[] = {someone, recipe};
    for (size_t i = 0; i < 2; i++)
        assert_false(world_follows(w, objects[i]));
    model_node_become_own(&w->me, &w->peer);
    for (size_t i = 0; i < 2; i++)
        assert_true(world_follows(w, objects[i]));
    assert_false(world_follows(w, world_channel(w, "news", NULL)));
}

static uint64_t objects_of(struct model_node *n)
{
    struct store_totals totals;
    MUST(store_totals(n->store, &totals, &e));
    return totals.objects;
}

// What the own nodes share comes back to where it was made; that ends, and nothing is offered in vain for ever.
static void own_nodes_come_to_rest(void **state)
{
    struct world *w = *state;
    struct model_node friend;
    struct chat_sent sent;
    model_node_become_own(&w->me, &w->peer);
    model_node_become_own(&w->peer, &w->me);
    model_node_open_plain(&friend, "friend@test", "friend", "ws://friend:1");
    model_node_pair(&w->peer, &friend);
    struct model *m = model_node_begin(&w->peer);
    MUST(settings_set(m, SPAN("app"), SPAN("theme"), SPAN("dark"), &e));
    MUST(chat_send_to(m, &friend.self->person, SPAN("hello"), NULL, 0, &sent, &e));
    MUST(chat_send_to(m, &w->me.self->person, SPAN("hello"), NULL, 0, &sent, &e));
    MUST(profile_set_name(m, SPAN("Peer"), &e));
    model_node_end(&w->peer);
    for (int i = 0; i < 5; i++) {
        model_node_sync(&w->peer, &w->me);
        model_node_sync(&w->me, &w->peer);
    }
    uint64_t mine = objects_of(&w->me);
    uint64_t theirs = objects_of(&w->peer);
    assert_int_equal(model_node_sync(&w->peer, &w->me), 0);
    assert_int_equal(model_node_sync(&w->me, &w->peer), 0);
    assert_int_equal(objects_of(&w->me), mine);
    assert_int_equal(objects_of(&w->peer), theirs);
    model_node_close(&friend);
}

static void the_own_node_shares_settings_but_not_itself(void **state)
{
    struct world *w = *state;
    struct span value;
    struct someone me;
    struct hash id;
    model_node_become_own(&w->me, &w->peer);
    model_node_become_own(&w->peer, &w->me);
    struct model *m = model_node_begin(&w->peer);
    MUST(settings_set(m, SPAN("app"), SPAN("theme"), SPAN("dark"), &e));
    model_node_end(&w->peer);
    model_node_sync(&w->peer, &w->me);
    MUST(settings_get(&w->me.m, SPAN("app"), SPAN("theme"), &value, &e));
    assert_true(span_eq_text(value, "dark"));
    MUST(leute_me(&w->me.m, &id, &e));
    MUST(someone_load(&w->me.m, &id, &me, &e));
    assert_int_equal(me.count, 1);
    someone_free(&me);
    assert_false(world_may_import(w, world_profile(w, &w->me.self->person, &w->me.self->person)));
    assert_false(world_may_import(w, world_channel(w, "contacts", &w->me.self->person)));
    m = model_node_begin(&w->me);
    MUST(returning_expect(m, m->now_ms, &e)); // the store was restored: the other node may have more of it
    model_node_end(&w->me);
    assert_true(world_may_import(w, world_channel(w, "contacts", &w->me.self->person)));
    assert_false(world_may_import(w, world_profile(w, &w->me.self->person, &w->me.self->person)));
}

static struct value *grant_of(struct world *w, const struct hash *id)
{
    struct value *grant = model_object(&w->me.m, "IdAccess");
    model_set_hash(&w->me.m, grant, "id", id);
    value_set_member(w->me.m.arena, grant, SPAN("person"), model_hashes(&w->me.m, &w->peer.self->person, 1, false));
    value_set_member(w->me.m.arena, grant, SPAN("group"), value_list(w->me.m.arena));
    return grant;
}

static void peer_becomes_own(struct world *w)
{
    struct model *m = model_node_begin(&w->me);
    MUST(sharing_set_own_node(m, &w->peer.self->person, &w->peer.self->instance_keys.public_key, &e));
    model_node_end(&w->me);
}

static void takes_grants_from_the_own_node_only(void **state)
{
    struct world *w = *state;
    struct hash profile;
    struct hash leute;
    MUST(profile_own(&w->me.m, &profile, &e));
    MUST(leute_id(&w->me.m, &leute, &e));
    assert_false(world_may_import(w, grant_of(w, &profile)));
    assert_false(policy_may_want(&w->me.m, &w->peer.self->person, SPAN("IdAccess"), &profile));
    assert_false(policy_may_serve(&w->me.m, &w->peer.self->person, SPAN("IdAccess"), &profile));
    peer_becomes_own(w);
    assert_true(world_may_import(w, grant_of(w, &profile)));
    assert_true(policy_may_want(&w->me.m, &w->peer.self->person, SPAN("IdAccess"), &profile));
    assert_true(policy_may_serve(&w->me.m, &w->peer.self->person, SPAN("IdAccess"), &profile));
    assert_false(world_may_import(w, grant_of(w, &leute))); // never shared, whoever says so
}

static struct value *own_profile(struct world *w)
{
    struct value *profile = world_profile_of_peer(w, 1, 0);
    model_set_hash(&w->me.m, profile, "personId", &w->me.self->person);
    model_set_hash(&w->me.m, profile, "owner", &w->me.self->person);
    return profile;
}

static void takes_its_own_back_only_while_it_is_restored(void **state)
{
    struct world *w = *state;
    const struct hash *me = &w->me.self->person;
    peer_becomes_own(w);
    assert_false(world_may_import(w, own_profile(w)));
    assert_false(world_may_import(w, world_channel(w, "mine", me)));
    struct model *m = model_node_begin(&w->me);
    MUST(restoring_begin(m, &e));
    model_node_end(&w->me);
    assert_true(world_may_import(w, own_profile(w)));
    assert_true(world_may_import(w, world_channel(w, "mine", me)));
    m = model_node_begin(&w->me);
    MUST(restoring_end(m, w->me.keys, &e));
    model_node_end(&w->me);
    assert_false(world_may_import(w, own_profile(w)));
    assert_false(world_may_import(w, world_channel(w, "mine", me)));
}

static bool serves_to(struct world *w, const struct model_node *contact, const struct topic *topic)
{
    struct model *m = model_node_begin(&w->me);
    bool yes = policy_may_serve(m, &contact->self->person, SPAN("ChannelInfo"), &topic->channel);
    model_node_end(&w->me);
    return yes;
}

// The contact would refuse what is not a member's to pass on, for good.
static void passes_on_what_the_own_node_says_in_groups_of_both_only(void **state)
{
    struct world *w = *state;
    struct model_node friend;
    struct hash persons[2];
    struct topic topics[2];
    model_node_become_own(&w->me, &w->peer);
    model_node_become_own(&w->peer, &w->me);
    model_node_open_plain(&friend, "friend@test", "friend", "ws://friend:1");
    model_node_pair(&w->peer, &friend);
    persons[0] = friend.self->person;
    persons[1] = w->me.self->person;
    for (size_t i = 0; i < 2; i++) {
        const struct topic_plan plan = {.name = SPAN("Team"), .persons = persons, .count = i + 1};
        struct model *m = model_node_begin(&w->peer);
        MUST(topic_create_group(m, &plan, &topics[i], &e));
        model_node_end(&w->peer);
    }
    for (int i = 0; i < 3; i++) {
        model_node_sync(&w->peer, &w->me);
        model_node_sync(&w->me, &w->peer);
    }
    assert_false(serves_to(w, &friend, &topics[0]));
    assert_true(serves_to(w, &friend, &topics[1]));
    model_node_close(&friend);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_own_node_gets_contacts_and_conversations, world_begin, world_end),
        cmocka_unit_test_setup_teardown(the_own_node_is_followed, world_begin, world_end),
        cmocka_unit_test_setup_teardown(own_nodes_come_to_rest, world_begin, world_end),
        cmocka_unit_test_setup_teardown(the_own_node_shares_settings_but_not_itself, world_begin, world_end),
        cmocka_unit_test_setup_teardown(takes_grants_from_the_own_node_only, world_begin, world_end),
        cmocka_unit_test_setup_teardown(passes_on_what_the_own_node_says_in_groups_of_both_only, world_begin,
                                        world_end),
        cmocka_unit_test_setup_teardown(takes_its_own_back_only_while_it_is_restored, world_begin, world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
