// Group conversations between several stores: everybody sees everything of all, and who does not take part nothing.
#include "by_topic.h"
#include "crowd.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/group.h"
#include "tests/unit/cmocka_all.h"

static const char *code_of_saying(struct crowd *w, size_t i, const char *name)
{
    static struct error why;
    struct chat_sent sent;
    struct topic topic = crowd_topic(w, i, name);
    struct model *m = model_node_begin(&w->nodes[i]);
    error_clear(&why);
    (void)chat_send(m, &topic, SPAN("may I?"), NULL, 0, &sent, &why);
    model_node_drop(&w->nodes[i]);
    return why.code;
}

static void set_role(struct crowd *w, size_t by, const char *name, size_t whom, enum member_role role, bool history)
{
    struct topic topic = crowd_topic(w, by, name);
    struct model *m = model_node_begin(&w->nodes[by]);
    model_node_time += 1000;
    if (role == MEMBER_GONE)
        MUST(topic_remove(m, &topic, crowd_person(w, whom), &e));
    else
        MUST(topic_set_role(m, &topic, crowd_person(w, whom), role, history, &e));
    model_node_end(&w->nodes[by]);
}

static enum member_role role_at(struct crowd *w, size_t i, const char *name, size_t whom)
{
    struct topic topic = crowd_topic(w, i, name);
    const struct member *found = topic.members != NULL ? members_find(topic.members, crowd_person(w, whom)) : NULL;
    return found != NULL ? found->role : MEMBER_GONE;
}

// ---- Everybody hears everybody --------------------------------------------------------------------------------------

static void strangers_hear_each_other_in_one_order(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 3, false);
    crowd_sync_all(w);
    crowd_say(w, 0, "Team", "a1");
    crowd_say(w, 1, "Team", "b1");
    crowd_say(w, 2, "Team", "c1");
    crowd_say(w, 3, "Team", "d1");
    crowd_sync_all(w);
    crowd_say(w, 3, "Team", "d2");
    crowd_sync_all(w);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "a1 b1 c1 d1 d2");
    struct topic topic;
    assert_int_equal(topic_named(&w->nodes[4].m, SPAN("Team"), &topic, NULL), STATUS_NOT_FOUND);
    assert_int_equal(role_at(w, 2, "Team", 3), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 0), MEMBER_OWNER);
}

static void the_own_nodes_pass_each_other_on(void **state)
{
    struct crowd *w = *state;
    model_node_become_own(&w->nodes[0], &w->nodes[1]);
    model_node_become_own(&w->nodes[1], &w->nodes[0]);
    crowd_create(w, 0, "Team", "", 3, false);
    crowd_sync_all(w);
    crowd_say(w, 0, "Team", "a1");
    crowd_say(w, 1, "Team", "b1"); // only ann is met by cid and dan
    crowd_say(w, 2, "Team", "c1");
    crowd_sync_all(w);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "a1 b1 c1");
}

static void answers_come_behind_what_they_answer_to(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    model_node_time += 23 * 3600 * 1000; // ben's clock
    crowd_say(w, 1, "Team", "tomorrow");
    model_node_time -= 23 * 3600 * 1000;
    crowd_sync_all(w);
    crowd_say(w, 2, "Team", "today");
    crowd_sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "tomorrow today");
}

static void a_group_goes_on_without_its_creator(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 3, false);
    crowd_sync_all(w);
    model_node_pair(&w->nodes[1], &w->nodes[2]);
    model_node_pair(&w->nodes[2], &w->nodes[3]);
    crowd_say(w, 1, "Team", "b1");
    crowd_say(w, 3, "Team", "d1");
    for (int i = 0; i < 2; i++) {
        crowd_sync_two(w, 1, 2);
        crowd_sync_two(w, 2, 3);
    }
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "b1 d1");
}

// ---- Members --------------------------------------------------------------------------------------------------------

static void who_is_removed_gets_nothing_new(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 3, false);
    crowd_sync_all(w);
    crowd_say(w, 0, "Team", "a1");
    crowd_say(w, 3, "Team", "d1");
    crowd_sync_all(w);
    set_role(w, 0, "Team", 3, MEMBER_GONE, false);
    crowd_sync_all(w);
    crowd_say(w, 0, "Team", "a2");
    crowd_say(w, 1, "Team", "b2");
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 3, "Team"), "a1 d1");
    assert_string_equal(code_of_saying(w, 3, "Team"), "REFUSED");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "a1 d1 a2 b2");
    struct access_grants grants;
    for (size_t i = 0; i < 3; i++) { // the statement that sends him away is all that is for him
        MUST(access_list(&w->nodes[i].m, crowd_person(w, 3), &grants, &e));
        for (size_t k = 0; k < grants.count; k++)
            assert_true(i == 0 || strcmp(grants.items[k].type, "ChatMessage") == 0);
    }
}

// What was said before somebody was sent away stays, for all, when he comes back.
static void who_comes_back_loses_nothing(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    crowd_say(w, 2, "Team", "c1");
    crowd_sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_GONE, false);
    crowd_sync_all(w);
    crowd_say(w, 1, "Team", "b2");
    crowd_sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_WRITER, false);
    crowd_sync_all(w);
    crowd_say(w, 2, "Team", "c3");
    crowd_sync_all(w);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "c1 b2 c3");
    assert_string_equal(crowd_heard(w, 2, "Team"), "c1 c3");
}

// A statement that comes from somebody who has no part in it first, be it a further identity of a member, counts.
static void nobody_keeps_a_statement_from_others(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_GONE, false);
    const struct access_target statement = {ACCESS_OBJECT, crowd_topic(w, 0, "Team").members->hash};
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(access_grant(m, statement, crowd_person(w, 3), &e));
    model_node_end(&w->nodes[0]);
    model_node_sync(&w->nodes[0], &w->nodes[3]);
    m = model_node_begin(&w->nodes[3]);
    MUST(access_grant(m, statement, crowd_person(w, 2), &e));
    model_node_end(&w->nodes[3]);
    model_node_sync(&w->nodes[3], &w->nodes[2]);
    crowd_sync_all(w);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_GONE);
}

// Who is sent away and does not obey is not heard.
static void the_removed_are_not_heard(void **state)
{
    struct crowd *w = *state;
    struct channel_entry entry;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    struct chat_sent sent = crowd_say(w, 2, "Team", "c1");
    crowd_sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_GONE, false);
    struct model *m = model_node_begin(&w->nodes[2]);
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("still here"));
    model_set_hash(m, message, "sender", crowd_person(w, 2));
    MUST(channel_post(m, &sent.channel, message, NULL, &entry, &e));
    MUST(access_grant(m, (struct access_target){ACCESS_ID, sent.channel}, crowd_person(w, 0), &e));
    model_node_end(&w->nodes[2]);
    model_node_sync(&w->nodes[2], &w->nodes[0]);
    assert_string_equal(crowd_heard(w, 0, "Team"), "c1");
}

static void who_joins_sees_what_the_creator_meant(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "New", "", 2, false);
    crowd_create(w, 0, "All", "", 2, true);
    crowd_sync_all(w);
    crowd_say(w, 0, "New", "a1");
    crowd_say(w, 1, "New", "b1");
    crowd_say(w, 1, "All", "b1");
    crowd_sync_all(w);
    set_role(w, 0, "New", 3, MEMBER_WRITER, false);
    set_role(w, 0, "All", 3, MEMBER_WRITER, false);
    set_role(w, 0, "New", 4, MEMBER_WRITER, true);
    crowd_sync_all(w);
    crowd_say(w, 3, "New", "d2");
    crowd_say(w, 1, "New", "b2");
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 3, "New"), "d2 b2");
    assert_string_equal(crowd_heard(w, 3, "All"), "b1");
    assert_string_equal(crowd_heard(w, 4, "New"), "a1 b1 d2 b2");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(crowd_heard(w, i, "New"), "a1 b1 d2 b2");
    struct topics topics;
    MUST(topic_list(&w->nodes[1].m, &topics, &e));
    size_t groups = 0;
    for (size_t i = 0; i < topics.count; i++)
        groups += topics.items[i].kind == TOPIC_GROUP;
    assert_int_equal(groups, 2); // an epoch is no chat of its own
}

static void readers_only_read(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    crowd_say(w, 1, "Team", "b1");
    crowd_sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    crowd_sync_all(w);
    assert_string_equal(code_of_saying(w, 1, "Team"), "REFUSED");
    crowd_say(w, 2, "Team", "c1");
    crowd_sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(crowd_heard(w, i, "Team"), "b1 c1");
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_READER);
    set_role(w, 0, "Team", 1, MEMBER_WRITER, false);
    crowd_sync_all(w);
    crowd_say(w, 1, "Team", "b2");
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 2, "Team"), "b1 c1 b2");
}

static void only_owners_say_who_takes_part(void **state)
{
    struct crowd *w = *state;
    struct error why = {0};
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    struct topic topic = crowd_topic(w, 1, "Team");
    struct model *m = model_node_begin(&w->nodes[1]);
    assert_int_equal(topic_remove(m, &topic, crowd_person(w, 2), &why), STATUS_REFUSED);
    assert_int_equal(topic_rename(m, &topic, SPAN("Mine"), &why), STATUS_REFUSED);
    struct members forged = members_copy(m, topic.members); // and says it nevertheless
    members_find(&forged, crowd_person(w, 2))->role = MEMBER_GONE;
    members_find(&forged, crowd_person(w, 1))->role = MEMBER_OWNER;
    MUST(members_publish(m, &forged, &e));
    MUST(topic_reconcile(m, &forged, NULL, &e));
    model_node_end(&w->nodes[1]);
    crowd_sync_all(w);
    assert_int_equal(role_at(w, 0, "Team", 2), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 2), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_WRITER);
}

static void whoever_leaves_leaves_an_owner(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    struct topic topic = crowd_topic(w, 0, "Team");
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_leave(m, &topic, &e));
    model_node_end(&w->nodes[0]);
    crowd_sync_all(w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(role_at(w, i, "Team", 0), MEMBER_GONE);
        assert_int_equal(role_at(w, i, "Team", 1), MEMBER_OWNER);
    }
    assert_string_equal(code_of_saying(w, 0, "Team"), "REFUSED");
}

static void a_reader_owns_what_nobody_else_can(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    set_role(w, 0, "Team", 2, MEMBER_READER, false);
    crowd_sync_all(w);
    struct topic topic = crowd_topic(w, 0, "Team");
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_leave(m, &topic, &e));
    model_node_end(&w->nodes[0]);
    crowd_sync_all(w);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_OWNER);
    assert_int_equal(role_at(w, 1, "Team", 2), MEMBER_READER);
    for (size_t i = 1; i < 3; i++) { // until nobody is left
        topic = crowd_topic(w, i, "Team");
        m = model_node_begin(&w->nodes[i]);
        MUST(topic_leave(m, &topic, &e));
        model_node_end(&w->nodes[i]);
        crowd_sync_all(w);
    }
    assert_int_equal(role_at(w, 2, "Team", 2), MEMBER_GONE);
}

static void owners_who_act_at_once_both_get_their_way(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 3, true);
    set_role(w, 0, "Team", 1, MEMBER_OWNER, false);
    crowd_sync_all(w);
    model_node_pair(&w->nodes[1], &w->nodes[4]);
    set_role(w, 0, "Team", 2, MEMBER_READER, false);
    set_role(w, 1, "Team", 4, MEMBER_WRITER, false);
    set_role(w, 1, "Team", 3, MEMBER_GONE, false);
    crowd_sync_all(w);
    crowd_sync_all(w);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(role_at(w, i, "Team", 2), MEMBER_READER);
        assert_int_equal(role_at(w, i, "Team", 3), MEMBER_GONE);
        assert_int_equal(role_at(w, i, "Team", 4), MEMBER_WRITER);
    }
}

// An owner who was sent away goes on from before that, and further.
static void who_was_sent_away_cannot_come_back_alone(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_OWNER, false);
    crowd_sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_GONE, false);
    for (int i = 0; i < 3; i++)
        set_role(w, 1, "Team", 2, i % 2 == 0 ? MEMBER_READER : MEMBER_WRITER, false);
    crowd_sync_all(w);
    crowd_sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(role_at(w, i, "Team", 1), MEMBER_GONE);
    assert_int_equal(role_at(w, 0, "Team", 2), MEMBER_WRITER);
}

static void everybody_learns_a_new_name(void **state)
{
    struct crowd *w = *state;
    struct topic topic = crowd_create(w, 0, "Team", "", 2, false);
    crowd_sync_all(w);
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_rename(m, &topic, SPAN("Mannschaft ⚽"), &e));
    model_node_end(&w->nodes[0]);
    crowd_sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_true(span_eq(crowd_topic(w, i, "Mannschaft ⚽").id, topic.id));
}

// As after a rebuild from files, which do not say what holds.
static void statements_are_found_again(void **state)
{
    struct crowd *w = *state;
    struct topic topic = crowd_create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(store_setting_set(m->store, arena_printf(m->arena, "members.%s", hash_text(&topic.channel).s).ptr, SPAN(""),
                           &e));
    MUST(store_setting_set(m->store, "members.known", SPAN(""), &e));
    assert_null(crowd_topic(w, 0, "Team").members);
    MUST(topic_catch_up(m, &e));
    model_node_end(&w->nodes[0]);
    assert_int_equal(role_at(w, 0, "Team", 1), MEMBER_READER);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strangers_hear_each_other_in_one_order, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(the_own_nodes_pass_each_other_on, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(answers_come_behind_what_they_answer_to, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(a_group_goes_on_without_its_creator, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(who_is_removed_gets_nothing_new, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(who_comes_back_loses_nothing, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(nobody_keeps_a_statement_from_others, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(the_removed_are_not_heard, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(who_joins_sees_what_the_creator_meant, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(readers_only_read, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(only_owners_say_who_takes_part, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(whoever_leaves_leaves_an_owner, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(a_reader_owns_what_nobody_else_can, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(owners_who_act_at_once_both_get_their_way, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(who_was_sent_away_cannot_come_back_alone, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(everybody_learns_a_new_name, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(statements_are_found_again, crowd_begin, crowd_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
