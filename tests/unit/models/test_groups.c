// Group conversations between several stores: everybody sees everything of all, and who does not take part nothing.
#include <stdio.h>

#include "by_topic.h"
#include "model_node.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/group.h"
#include "models/policy.h"
#include "models/readstate.h"
#include "models/search.h"
#include "models/sharing.h"
#include "tests/unit/cmocka_all.h"

enum { NODES = 5 }; // ann, ben, cid, dan, eve

struct crowd {
    struct model_node nodes[NODES];
};

static int set_up(void **state)
{
    struct crowd *w = mem_alloc(sizeof *w);
    static const char *const names[NODES] = {"ann", "ben", "cid", "dan", "eve"};
    model_node_time = 1700000000000;
    for (size_t i = 0; i < NODES; i++) {
        char email[32];
        snprintf(email, sizeof email, "%s@test", names[i]);
        model_node_open_plain(&w->nodes[i], email, names[i], NULL);
    }
    for (size_t i = 1; i < NODES; i++) // ann knows everybody, nobody else anybody
        model_node_pair(&w->nodes[0], &w->nodes[i]);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct crowd *w = *state;
    for (size_t i = 0; i < NODES; i++)
        model_node_close(&w->nodes[i]);
    free(w);
    return 0;
}

static const struct hash *person(struct crowd *w, size_t i)
{
    return &w->nodes[i].self->person;
}

// As often as it takes for something to come from any node by way of ann to any other.
static void sync_all(struct crowd *w)
{
    for (int round = 0; round < 3; round++)
        for (size_t i = 1; i < NODES; i++) {
            model_node_sync(&w->nodes[i], &w->nodes[0]);
            model_node_sync(&w->nodes[0], &w->nodes[i]);
        }
}

static void sync_two(struct crowd *w, size_t a, size_t b)
{
    for (int i = 0; i < 2; i++) {
        model_node_sync(&w->nodes[a], &w->nodes[b]);
        model_node_sync(&w->nodes[b], &w->nodes[a]);
    }
}

static struct topic create(struct crowd *w, size_t by, const char *name, const char *id, size_t count, bool history)
{
    struct hash persons[NODES];
    struct topic topic;
    for (size_t i = 0; i < count; i++)
        persons[i] = *person(w, i + 1);
    struct model *m = model_node_begin(&w->nodes[by]);
    const struct topic_plan plan = {
        .name = span_of(name), .id = span_of(id), .persons = persons, .count = count, .history = history};
    MUST(topic_create_group(m, &plan, &topic, &e));
    model_node_end(&w->nodes[by]);
    return topic;
}

static struct topic topic_at(struct crowd *w, size_t i, const char *name)
{
    struct topic topic;
    MUST(topic_named(&w->nodes[i].m, span_of(name), &topic, &e));
    return topic;
}

static struct chat_sent say(struct crowd *w, size_t i, const char *name, const char *text)
{
    struct chat_sent sent;
    struct topic topic = topic_at(w, i, name);
    model_node_time += 1000;
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(chat_send(m, &topic, span_of(text), NULL, 0, &sent, &e));
    model_node_end(&w->nodes[i]);
    return sent;
}

static const char *code_of_saying(struct crowd *w, size_t i, const char *name)
{
    static struct error why;
    struct chat_sent sent;
    struct topic topic = topic_at(w, i, name);
    struct model *m = model_node_begin(&w->nodes[i]);
    error_clear(&why);
    (void)chat_send(m, &topic, SPAN("may I?"), NULL, 0, &sent, &why);
    model_node_drop(&w->nodes[i]);
    return why.code;
}

// All texts of the conversation, separated by blanks; every message is verified.
static const char *heard(struct crowd *w, size_t i, const char *name)
{
    static struct buf texts;
    struct chat_messages page;
    struct topic topic = topic_at(w, i, name);
    MUST(chat_page(&w->nodes[i].m, &topic, 0, NULL, &page, &e));
    buf_clear(&texts);
    for (size_t k = 0; k < page.count; k++) {
        assert_int_equal(page.items[k].verification, VERIFICATION_VERIFIED);
        buf_printf(&texts, "%s" SPAN_FMT, k != 0 ? " " : "", SPAN_ARG(page.items[k].text));
    }
    return buf_cstr(&texts);
}

static void set_role(struct crowd *w, size_t by, const char *name, size_t whom, enum member_role role, bool history)
{
    struct topic topic = topic_at(w, by, name);
    struct model *m = model_node_begin(&w->nodes[by]);
    model_node_time += 1000;
    if (role == MEMBER_GONE)
        MUST(topic_remove(m, &topic, person(w, whom), &e));
    else
        MUST(topic_set_role(m, &topic, person(w, whom), role, history, &e));
    model_node_end(&w->nodes[by]);
}

static enum member_role role_at(struct crowd *w, size_t i, const char *name, size_t whom)
{
    struct topic topic = topic_at(w, i, name);
    const struct member *found = topic.members != NULL ? members_find(topic.members, person(w, whom)) : NULL;
    return found != NULL ? found->role : MEMBER_GONE;
}

// ---- Everybody hears everybody --------------------------------------------------------------------------------------

static void strangers_hear_each_other_in_one_order(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 3, false);
    sync_all(w);
    say(w, 0, "Team", "a1");
    say(w, 1, "Team", "b1");
    say(w, 2, "Team", "c1");
    say(w, 3, "Team", "d1");
    sync_all(w);
    say(w, 3, "Team", "d2");
    sync_all(w);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(heard(w, i, "Team"), "a1 b1 c1 d1 d2");
    struct topic topic;
    assert_int_equal(topic_named(&w->nodes[4].m, SPAN("Team"), &topic, NULL), STATUS_NOT_FOUND);
    assert_int_equal(role_at(w, 2, "Team", 3), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 0), MEMBER_OWNER);
}

static void become_own_nodes(struct model_node *a, struct model_node *b)
{
    struct model *m = model_node_begin(a);
    MUST(sharing_set_own_node(m, &b->self->person, &b->self->instance_keys.public_key, &e));
    MUST(sharing_apply(m, &b->self->person, &e));
    model_node_end(a);
}

static void the_own_nodes_pass_each_other_on(void **state)
{
    struct crowd *w = *state;
    become_own_nodes(&w->nodes[0], &w->nodes[1]);
    become_own_nodes(&w->nodes[1], &w->nodes[0]);
    create(w, 0, "Team", "", 3, false);
    sync_all(w);
    say(w, 0, "Team", "a1");
    say(w, 1, "Team", "b1"); // only ann is met by cid and dan
    say(w, 2, "Team", "c1");
    sync_all(w);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(heard(w, i, "Team"), "a1 b1 c1");
}

static void answers_come_behind_what_they_answer_to(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    model_node_time += 23 * 3600 * 1000; // ben's clock
    say(w, 1, "Team", "tomorrow");
    model_node_time -= 23 * 3600 * 1000;
    sync_all(w);
    say(w, 2, "Team", "today");
    sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(heard(w, i, "Team"), "tomorrow today");
}

static void a_group_goes_on_without_its_creator(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 3, false);
    sync_all(w);
    model_node_pair(&w->nodes[1], &w->nodes[2]);
    model_node_pair(&w->nodes[2], &w->nodes[3]);
    say(w, 1, "Team", "b1");
    say(w, 3, "Team", "d1");
    for (int i = 0; i < 2; i++) {
        sync_two(w, 1, 2);
        sync_two(w, 2, 3);
    }
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(heard(w, i, "Team"), "b1 d1");
}

// ---- Members --------------------------------------------------------------------------------------------------------

static void who_is_removed_gets_nothing_new(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 3, false);
    sync_all(w);
    say(w, 0, "Team", "a1");
    say(w, 3, "Team", "d1");
    sync_all(w);
    set_role(w, 0, "Team", 3, MEMBER_GONE, false);
    sync_all(w);
    say(w, 0, "Team", "a2");
    say(w, 1, "Team", "b2");
    sync_all(w);
    assert_string_equal(heard(w, 3, "Team"), "a1 d1");
    assert_string_equal(code_of_saying(w, 3, "Team"), "REFUSED");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(heard(w, i, "Team"), "a1 d1 a2 b2");
    struct access_grants grants;
    for (size_t i = 0; i < 3; i++) { // the statement that sends him away is all that is for him
        MUST(access_list(&w->nodes[i].m, person(w, 3), &grants, &e));
        for (size_t k = 0; k < grants.count; k++)
            assert_true(i == 0 || strcmp(grants.items[k].type, "ChatMessage") == 0);
    }
}

// What was said before somebody was sent away stays, for all, when he comes back.
static void who_comes_back_loses_nothing(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    say(w, 2, "Team", "c1");
    sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_GONE, false);
    sync_all(w);
    say(w, 1, "Team", "b2");
    sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_WRITER, false);
    sync_all(w);
    say(w, 2, "Team", "c3");
    sync_all(w);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(heard(w, i, "Team"), "c1 b2 c3");
    assert_string_equal(heard(w, 2, "Team"), "c1 c3");
}

// A statement that comes from somebody who has no part in it first, be it a further identity of a member, counts.
static void nobody_keeps_a_statement_from_others(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_GONE, false);
    const struct access_target statement = {ACCESS_OBJECT, topic_at(w, 0, "Team").members->hash};
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(access_grant(m, statement, person(w, 3), &e));
    model_node_end(&w->nodes[0]);
    model_node_sync(&w->nodes[0], &w->nodes[3]);
    m = model_node_begin(&w->nodes[3]);
    MUST(access_grant(m, statement, person(w, 2), &e));
    model_node_end(&w->nodes[3]);
    model_node_sync(&w->nodes[3], &w->nodes[2]);
    sync_all(w);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_GONE);
}

// Who is sent away and does not obey is not heard.
static void the_removed_are_not_heard(void **state)
{
    struct crowd *w = *state;
    struct channel_entry entry;
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    struct chat_sent sent = say(w, 2, "Team", "c1");
    sync_all(w);
    set_role(w, 0, "Team", 2, MEMBER_GONE, false);
    struct model *m = model_node_begin(&w->nodes[2]);
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("still here"));
    model_set_hash(m, message, "sender", person(w, 2));
    MUST(channel_post(m, &sent.channel, message, NULL, &entry, &e));
    MUST(access_grant(m, (struct access_target){ACCESS_ID, sent.channel}, person(w, 0), &e));
    model_node_end(&w->nodes[2]);
    model_node_sync(&w->nodes[2], &w->nodes[0]);
    assert_string_equal(heard(w, 0, "Team"), "c1");
}

static void who_joins_sees_what_the_creator_meant(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "New", "", 2, false);
    create(w, 0, "All", "", 2, true);
    sync_all(w);
    say(w, 0, "New", "a1");
    say(w, 1, "New", "b1");
    say(w, 1, "All", "b1");
    sync_all(w);
    set_role(w, 0, "New", 3, MEMBER_WRITER, false);
    set_role(w, 0, "All", 3, MEMBER_WRITER, false);
    set_role(w, 0, "New", 4, MEMBER_WRITER, true);
    sync_all(w);
    say(w, 3, "New", "d2");
    say(w, 1, "New", "b2");
    sync_all(w);
    assert_string_equal(heard(w, 3, "New"), "d2 b2");
    assert_string_equal(heard(w, 3, "All"), "b1");
    assert_string_equal(heard(w, 4, "New"), "a1 b1 d2 b2");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(heard(w, i, "New"), "a1 b1 d2 b2");
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
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    say(w, 1, "Team", "b1");
    sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    sync_all(w);
    assert_string_equal(code_of_saying(w, 1, "Team"), "REFUSED");
    say(w, 2, "Team", "c1");
    sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(heard(w, i, "Team"), "b1 c1");
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_READER);
    set_role(w, 0, "Team", 1, MEMBER_WRITER, false);
    sync_all(w);
    say(w, 1, "Team", "b2");
    sync_all(w);
    assert_string_equal(heard(w, 2, "Team"), "b1 c1 b2");
}

static void only_owners_say_who_takes_part(void **state)
{
    struct crowd *w = *state;
    struct error why = {0};
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    struct topic topic = topic_at(w, 1, "Team");
    struct model *m = model_node_begin(&w->nodes[1]);
    assert_int_equal(topic_remove(m, &topic, person(w, 2), &why), STATUS_REFUSED);
    assert_int_equal(topic_rename(m, &topic, SPAN("Mine"), &why), STATUS_REFUSED);
    struct members forged = members_copy(m, topic.members); // and says it nevertheless
    members_find(&forged, person(w, 2))->role = MEMBER_GONE;
    members_find(&forged, person(w, 1))->role = MEMBER_OWNER;
    MUST(members_publish(m, &forged, &e));
    MUST(topic_reconcile(m, &forged, NULL, &e));
    model_node_end(&w->nodes[1]);
    sync_all(w);
    assert_int_equal(role_at(w, 0, "Team", 2), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 2), MEMBER_WRITER);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_WRITER);
}

static void whoever_leaves_leaves_an_owner(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    sync_all(w);
    struct topic topic = topic_at(w, 0, "Team");
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_leave(m, &topic, &e));
    model_node_end(&w->nodes[0]);
    sync_all(w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(role_at(w, i, "Team", 0), MEMBER_GONE);
        assert_int_equal(role_at(w, i, "Team", 1), MEMBER_OWNER);
    }
    assert_string_equal(code_of_saying(w, 0, "Team"), "REFUSED");
}

static void a_reader_owns_what_nobody_else_can(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    set_role(w, 0, "Team", 2, MEMBER_READER, false);
    sync_all(w);
    struct topic topic = topic_at(w, 0, "Team");
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_leave(m, &topic, &e));
    model_node_end(&w->nodes[0]);
    sync_all(w);
    assert_int_equal(role_at(w, 2, "Team", 1), MEMBER_OWNER);
    assert_int_equal(role_at(w, 1, "Team", 2), MEMBER_READER);
    for (size_t i = 1; i < 3; i++) { // until nobody is left
        topic = topic_at(w, i, "Team");
        m = model_node_begin(&w->nodes[i]);
        MUST(topic_leave(m, &topic, &e));
        model_node_end(&w->nodes[i]);
        sync_all(w);
    }
    assert_int_equal(role_at(w, 2, "Team", 2), MEMBER_GONE);
}

static void owners_who_act_at_once_both_get_their_way(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 3, true);
    set_role(w, 0, "Team", 1, MEMBER_OWNER, false);
    sync_all(w);
    model_node_pair(&w->nodes[1], &w->nodes[4]);
    set_role(w, 0, "Team", 2, MEMBER_READER, false);
    set_role(w, 1, "Team", 4, MEMBER_WRITER, false);
    set_role(w, 1, "Team", 3, MEMBER_GONE, false);
    sync_all(w);
    sync_all(w);
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
    create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_OWNER, false);
    sync_all(w);
    set_role(w, 0, "Team", 1, MEMBER_GONE, false);
    for (int i = 0; i < 3; i++)
        set_role(w, 1, "Team", 2, i % 2 == 0 ? MEMBER_READER : MEMBER_WRITER, false);
    sync_all(w);
    sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(role_at(w, i, "Team", 1), MEMBER_GONE);
    assert_int_equal(role_at(w, 0, "Team", 2), MEMBER_WRITER);
}

static void everybody_learns_a_new_name(void **state)
{
    struct crowd *w = *state;
    struct topic topic = create(w, 0, "Team", "", 2, false);
    sync_all(w);
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(topic_rename(m, &topic, SPAN("Mannschaft ⚽"), &e));
    model_node_end(&w->nodes[0]);
    sync_all(w);
    for (size_t i = 0; i < 3; i++)
        assert_true(span_eq(topic_at(w, i, "Mannschaft ⚽").id, topic.id));
}

// As after a rebuild from files, which do not say what holds.
static void statements_are_found_again(void **state)
{
    struct crowd *w = *state;
    struct topic topic = create(w, 0, "Team", "", 2, false);
    set_role(w, 0, "Team", 1, MEMBER_READER, false);
    struct model *m = model_node_begin(&w->nodes[0]);
    MUST(store_setting_set(m->store, arena_printf(m->arena, "members.%s", hash_text(&topic.channel).s).ptr, SPAN(""),
                           &e));
    MUST(store_setting_set(m->store, "members.known", SPAN(""), &e));
    assert_null(topic_at(w, 0, "Team").members);
    MUST(topic_catch_up(m, &e));
    model_node_end(&w->nodes[0]);
    assert_int_equal(role_at(w, 0, "Team", 1), MEMBER_READER);
}

// ---- Ids ------------------------------------------------------------------------------------------------------------

static void topics_of_one_name_live_side_by_side(void **state)
{
    struct crowd *w = *state;
    struct topic topic;
    struct error why = {0};
    struct topic one = create(w, 0, "日本語", "", 2, false);
    struct topic two = create(w, 0, "日本語", "", 1, false);
    create(w, 0, "Привет", "", 1, false);
    assert_false(span_eq(one.id, two.id));
    sync_all(w);
    assert_int_equal(topic_named(&w->nodes[1].m, SPAN("日本語"), &topic, &why), STATUS_REFUSED);
    assert_string_equal(why.code, "AMBIGUOUS-ID");
    MUST(topic_named(&w->nodes[1].m, (struct span){two.id.ptr, 9}, &topic, &e));
    assert_true(hash_eq(&topic.channel, &two.channel));
    MUST(topic_named(&w->nodes[2].m, SPAN("日本語"), &topic, &e)); // he is in one of them
    MUST(topic_named(&w->nodes[1].m, SPAN("Привет"), &topic, &e));
}

// Dan, who takes no part in ann's, has made one of the same id before.
static void a_claimed_id_gains_nothing(void **state)
{
    struct crowd *w = *state;
    struct topics topics;
    model_node_pair(&w->nodes[3], &w->nodes[1]);
    create(w, 3, "mine", "family", 2, false);
    for (int i = 0; i < 2; i++)
        sync_two(w, 3, 1);
    say(w, 3, "family", "d1");
    sync_two(w, 3, 1);
    struct topic anns = create(w, 0, "ours", "family", 2, false);
    sync_all(w);
    sync_two(w, 3, 1);
    MUST(topic_with_id(&w->nodes[1].m, SPAN("family"), &topics, &e));
    assert_int_equal(topics.count, 2);
    const char *channel = arena_printf(w->nodes[1].m.arena, "%s", hash_text(&anns.channel).s).ptr;
    say(w, 1, "mine", "for dan");
    say(w, 1, channel, "for ann");
    say(w, 0, channel, "a1");
    sync_all(w);
    sync_two(w, 3, 1);
    sync_all(w);
    sync_two(w, 3, 1);
    assert_string_equal(heard(w, 3, "mine"), "d1 for dan");
    assert_string_equal(heard(w, 2, "ours"), "for ann a1");
    assert_string_equal(heard(w, 0, "ours"), "for ann a1");
    assert_string_equal(heard(w, 1, channel), "for ann a1");
}

static struct hash write_notes(struct crowd *w, size_t i)
{
    struct hash notes;
    struct channel_entry entry;
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(channel_create(m, SPAN("notes"), person(w, i), &notes, &e));
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("secret"));
    model_set_hash(m, message, "sender", person(w, i));
    MUST(channel_post(m, &notes, message, NULL, &entry, &e));
    model_node_end(&w->nodes[i]);
    return notes;
}

// A channel that was for nobody does not become one for the contact that makes a topic of its id.
static void private_channels_are_not_written_to(void **state)
{
    struct crowd *w = *state;
    struct hash notes = write_notes(w, 1);
    create(w, 0, "friendly", "notes", 1, true);
    sync_all(w);
    say(w, 1, "friendly", "hello");
    sync_all(w);
    assert_string_equal(heard(w, 0, "friendly"), "hello");
    assert_false(access_has(&w->nodes[1].m, (struct access_target){ACCESS_ID, notes}, person(w, 0)));
}

// Nor by way of the other own node, which takes no part and has the channel all the same.
static void nor_by_the_other_own_node(void **state)
{
    struct crowd *w = *state;
    struct hash head;
    model_node_pair(&w->nodes[3], &w->nodes[1]);
    become_own_nodes(&w->nodes[1], &w->nodes[3]);
    become_own_nodes(&w->nodes[3], &w->nodes[1]);
    struct hash notes = write_notes(w, 1);
    sync_two(w, 1, 3);
    create(w, 0, "friendly", "notes", 1, true);
    for (int i = 0; i < 3; i++) {
        sync_all(w);
        sync_two(w, 1, 3);
    }
    MUST(store_head(w->nodes[3].m.store, &notes, &head, &e));
    for (size_t i = 1; i <= 3; i += 2)
        assert_false(access_has(&w->nodes[i].m, (struct access_target){ACCESS_ID, notes}, person(w, 0)));
}

// ---- Everyone -------------------------------------------------------------------------------------------------------

static void what_is_for_everyone_is_not_passed_on(void **state)
{
    struct crowd *w = *state;
    struct topic topic;
    struct chat_sent sent;
    struct model *m = model_node_begin(&w->nodes[1]);
    MUST(topic_open_everyone(m, &topic, &e));
    MUST(chat_send(m, &topic, SPAN("b1"), NULL, 0, &sent, &e));
    model_node_end(&w->nodes[1]);
    sync_all(w);
    assert_string_equal(heard(w, 0, "Everyone"), "b1");
    assert_int_equal(topic_named(&w->nodes[2].m, SPAN("Everyone"), &topic, NULL), STATUS_NOT_FOUND);
    say(w, 0, "Everyone", "a1");
    sync_all(w);
    assert_string_equal(heard(w, 2, "Everyone"), "a1");
    assert_string_equal(heard(w, 1, "Everyone"), "b1 a1");
    assert_string_equal(heard(w, 0, "Everyone"), "b1 a1");
}

// ---- Read state and search ------------------------------------------------------------------------------------------

static struct readstate readstate_at(struct crowd *w, size_t i, const char *name)
{
    struct readstate r;
    struct topic topic = topic_at(w, i, name);
    MUST(readstate_get(&w->nodes[i].m, &topic, 1, &r, &e));
    return r;
}

static void read_up_to(struct crowd *w, size_t i, const char *name, const struct hash *message)
{
    struct topic topic = topic_at(w, i, name);
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(readstate_set(m, &topic, message, &e));
    model_node_end(&w->nodes[i]);
}

static void what_is_unread_is_counted(void **state)
{
    struct crowd *w = *state;
    create(w, 0, "Team", "", 2, false);
    struct chat_sent first = say(w, 0, "Team", "a1");
    say(w, 0, "Team", "a2");
    sync_all(w);
    say(w, 1, "Team", "b1");
    struct chat_sent last = say(w, 1, "Team", "b2");
    sync_all(w);
    assert_int_equal(readstate_at(w, 0, "Team").unread, 2); // own ones are read
    assert_int_equal(readstate_at(w, 2, "Team").unread, 4);
    assert_int_equal(readstate_at(w, 2, "Team").last_ms, last.timestamp);
    read_up_to(w, 2, "Team", &first.id);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 3);
    read_up_to(w, 2, "Team", NULL);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 0);
    read_up_to(w, 2, "Team", &first.id); // nothing becomes unread again
    assert_int_equal(readstate_at(w, 2, "Team").unread, 0);
    say(w, 0, "Team", "a3");
    sync_all(w);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 1);
}

// Over all pages; the last one with hits stays in found.
static size_t count_hits(struct crowd *w, size_t i, const char *text, size_t limit, struct search_result *found)
{
    size_t count = 0;
    struct hash before = {{0}};
    struct search_result page;
    struct topics topics;
    *found = (struct search_result){0};
    do {
        MUST(topic_list(&w->nodes[i].m, &topics, &e));
        MUST(search_messages(&w->nodes[i].m, &topics, span_of(text), hash_is_zero(&before) ? NULL : &before, limit,
                             &page, &e));
        assert_true(page.count <= limit);
        before = page.last;
        count += page.count;
        *found = page.count != 0 ? page : *found;
    } while (page.more);
    return count;
}

static void words_are_found_in_all_chats(void **state)
{
    struct crowd *w = *state;
    struct search_result found;
    struct error why = {0};
    create(w, 0, "Team", "", 2, false);
    create(w, 0, "Größe", "", 2, false);
    sync_all(w);
    say(w, 0, "Team", "STRASSE");
    say(w, 1, "Größe", "die Straße dort");
    for (int i = 0; i < 40; i++)
        say(w, 0, "Team", "noise");
    sync_all(w);
    assert_int_equal(count_hits(w, 2, "straße", 10, &found), 2);
    assert_true(span_eq_text(found.items[0].message.text, "die Straße dort")); // newest first
    assert_true(span_eq_text(found.items[0].topic->name, "Größe"));
    assert_int_equal(found.items[0].message.verification, VERIFICATION_VERIFIED);
    assert_int_equal(count_hits(w, 2, "NOISE", 7, &found), 40);
    assert_int_equal(count_hits(w, 2, "not there", 7, &found), 0);
    assert_int_equal(count_hits(w, 4, "noise", 7, &found), 0);
    assert_int_equal(search_messages(&w->nodes[2].m, &(struct topics){0}, SPAN("\xff"), NULL, 1, &found, &why),
                     STATUS_INVALID);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strangers_hear_each_other_in_one_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_own_nodes_pass_each_other_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_come_behind_what_they_answer_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_goes_on_without_its_creator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_removed_gets_nothing_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_back_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_keeps_a_statement_from_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_removed_are_not_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_joins_sees_what_the_creator_meant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_only_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_owners_say_who_takes_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whoever_leaves_leaves_an_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_owns_what_nobody_else_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(owners_who_act_at_once_both_get_their_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_sent_away_cannot_come_back_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(everybody_learns_a_new_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statements_are_found_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(topics_of_one_name_live_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claimed_id_gains_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(private_channels_are_not_written_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nor_by_the_other_own_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_unread_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_are_found_in_all_chats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_for_everyone_is_not_passed_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
