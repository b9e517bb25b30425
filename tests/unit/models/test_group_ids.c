// Which conversation is meant by an id or a name, and what cannot be gained by taking one that somebody else has.
#include "by_topic.h"
#include "crowd.h"
#include "models/access.h"
#include "models/chat.h"
#include "tests/unit/cmocka_all.h"

static void topics_of_one_name_live_side_by_side(void **state)
{
    struct crowd *w = *state;
    struct topic topic;
    struct error why = {0};
    struct topic one = crowd_create(w, 0, "日本語", "", 2, false);
    struct topic two = crowd_create(w, 0, "日本語", "", 1, false);
    crowd_create(w, 0, "Привет", "", 1, false);
    assert_false(span_eq(one.id, two.id));
    crowd_sync_all(w);
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
    crowd_create(w, 3, "mine", "family", 2, false);
    for (int i = 0; i < 2; i++)
        crowd_sync_two(w, 3, 1);
    crowd_say(w, 3, "family", "d1");
    crowd_sync_two(w, 3, 1);
    struct topic anns = crowd_create(w, 0, "ours", "family", 2, false);
    crowd_sync_all(w);
    crowd_sync_two(w, 3, 1);
    MUST(topic_with_id(&w->nodes[1].m, SPAN("family"), &topics, &e));
    assert_int_equal(topics.count, 2);
    const char *channel = arena_printf(w->nodes[1].m.arena, "%s", hash_text(&anns.channel).s).ptr;
    crowd_say(w, 1, "mine", "for dan");
    crowd_say(w, 1, channel, "for ann");
    crowd_say(w, 0, channel, "a1");
    crowd_sync_all(w);
    crowd_sync_two(w, 3, 1);
    crowd_sync_all(w);
    crowd_sync_two(w, 3, 1);
    assert_string_equal(crowd_heard(w, 3, "mine"), "d1 for dan");
    assert_string_equal(crowd_heard(w, 2, "ours"), "for ann a1");
    assert_string_equal(crowd_heard(w, 0, "ours"), "for ann a1");
    assert_string_equal(crowd_heard(w, 1, channel), "for ann a1");
}

static struct hash write_notes(struct crowd *w, size_t i)
{
    struct hash notes;
    struct channel_entry entry;
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(channel_create(m, SPAN("notes"), crowd_person(w, i), &notes, &e));
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("secret"));
    model_set_hash(m, message, "sender", crowd_person(w, i));
    MUST(channel_post(m, &notes, message, NULL, &entry, &e));
    model_node_end(&w->nodes[i]);
    return notes;
}

// A channel that was for nobody does not become one for the contact that makes a topic of its id.
static void private_channels_are_not_written_to(void **state)
{
    struct crowd *w = *state;
    struct hash notes = write_notes(w, 1);
    crowd_create(w, 0, "friendly", "notes", 1, true);
    crowd_sync_all(w);
    crowd_say(w, 1, "friendly", "hello");
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 0, "friendly"), "hello");
    assert_false(access_has(&w->nodes[1].m, (struct access_target){ACCESS_ID, notes}, crowd_person(w, 0)));
}

// Nor by way of the other own node, which takes no part and has the channel all the same.
static void nor_by_the_other_own_node(void **state)
{
    struct crowd *w = *state;
    struct hash head;
    model_node_pair(&w->nodes[3], &w->nodes[1]);
    model_node_become_own(&w->nodes[1], &w->nodes[3]);
    model_node_become_own(&w->nodes[3], &w->nodes[1]);
    struct hash notes = write_notes(w, 1);
    crowd_sync_two(w, 1, 3);
    crowd_create(w, 0, "friendly", "notes", 1, true);
    for (int i = 0; i < 3; i++) {
        crowd_sync_all(w);
        crowd_sync_two(w, 1, 3);
    }
    MUST(store_head(w->nodes[3].m.store, &notes, &head, &e));
    for (size_t i = 1; i <= 3; i += 2)
        assert_false(access_has(&w->nodes[i].m, (struct access_target){ACCESS_ID, notes}, crowd_person(w, 0)));
}

static void what_is_for_everyone_is_not_passed_on(void **state)
{
    struct crowd *w = *state;
    struct topic topic;
    struct chat_sent sent;
    struct model *m = model_node_begin(&w->nodes[1]);
    MUST(topic_open_everyone(m, &topic, &e));
    MUST(chat_send(m, &topic, SPAN("b1"), NULL, 0, &sent, &e));
    model_node_end(&w->nodes[1]);
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 0, "Everyone"), "b1");
    assert_int_equal(topic_named(&w->nodes[2].m, SPAN("Everyone"), &topic, NULL), STATUS_NOT_FOUND);
    crowd_say(w, 0, "Everyone", "a1");
    crowd_sync_all(w);
    assert_string_equal(crowd_heard(w, 2, "Everyone"), "a1");
    assert_string_equal(crowd_heard(w, 1, "Everyone"), "b1 a1");
    assert_string_equal(crowd_heard(w, 0, "Everyone"), "b1 a1");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(topics_of_one_name_live_side_by_side, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(a_claimed_id_gains_nothing, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(private_channels_are_not_written_to, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(nor_by_the_other_own_node, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(what_is_for_everyone_is_not_passed_on, crowd_begin, crowd_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
