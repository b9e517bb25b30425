// What is unread in a group conversation, and words that are looked for in all of them.
#include "by_topic.h"
#include "crowd.h"
#include "models/readstate.h"
#include "models/search.h"
#include "tests/unit/cmocka_all.h"

static struct readstate readstate_at(struct crowd *w, size_t i, const char *name)
{
    struct readstate r;
    struct topic topic = crowd_topic(w, i, name);
    MUST(readstate_get(&w->nodes[i].m, &topic, 1, &r, &e));
    return r;
}

static void read_up_to(struct crowd *w, size_t i, const char *name, const struct hash *message)
{
    struct topic topic = crowd_topic(w, i, name);
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(readstate_set(m, &topic, message, &e));
    model_node_end(&w->nodes[i]);
}

static void what_is_unread_is_counted(void **state)
{
    struct crowd *w = *state;
    crowd_create(w, 0, "Team", "", 2, false);
    struct chat_sent first = crowd_say(w, 0, "Team", "a1");
    crowd_say(w, 0, "Team", "a2");
    crowd_sync_all(w);
    crowd_say(w, 1, "Team", "b1");
    struct chat_sent last = crowd_say(w, 1, "Team", "b2");
    crowd_sync_all(w);
    assert_int_equal(readstate_at(w, 0, "Team").unread, 2); // own ones are read
    assert_int_equal(readstate_at(w, 2, "Team").unread, 4);
    assert_int_equal(readstate_at(w, 2, "Team").last_ms, last.timestamp);
    read_up_to(w, 2, "Team", &first.id);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 3);
    read_up_to(w, 2, "Team", NULL);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 0);
    read_up_to(w, 2, "Team", &first.id); // nothing becomes unread again
    assert_int_equal(readstate_at(w, 2, "Team").unread, 0);
    crowd_say(w, 0, "Team", "a3");
    crowd_sync_all(w);
    assert_int_equal(readstate_at(w, 2, "Team").unread, 1);
}

static void no_more_than_the_newest_count_as_unread(void **state)
{
    struct crowd *w = *state;
    struct readstate r;
    const char *names[] = {"One", "Two"};
    for (size_t i = 0; i < 2; i++) {
        crowd_create(w, 0, names[i], "", 2, false);
        for (size_t said = 0; said < READSTATE_MANY / 2 + 1; said++)
            crowd_say(w, 0, names[i], "again");
    }
    crowd_sync_all(w);
    struct topic both[] = {crowd_topic(w, 1, "One"), crowd_topic(w, 1, "Two")};
    MUST(readstate_get(&w->nodes[1].m, both, 1, &r, &e));
    assert_int_equal(r.unread, READSTATE_MANY / 2 + 1);
    MUST(readstate_get(&w->nodes[1].m, both, 2, &r, &e)); // shown as one
    assert_int_equal(r.unread, READSTATE_MANY);
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
    crowd_create(w, 0, "Team", "", 2, false);
    crowd_create(w, 0, "Größe", "", 2, false);
    crowd_sync_all(w);
    crowd_say(w, 0, "Team", "STRASSE");
    crowd_say(w, 1, "Größe", "die Straße dort");
    for (int i = 0; i < 40; i++)
        crowd_say(w, 0, "Team", "noise");
    crowd_sync_all(w);
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
        cmocka_unit_test_setup_teardown(what_is_unread_is_counted, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(no_more_than_the_newest_count_as_unread, crowd_begin, crowd_end),
        cmocka_unit_test_setup_teardown(words_are_found_in_all_chats, crowd_begin, crowd_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
