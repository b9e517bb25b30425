// Times of others, which are any number there is: what they do to the order of a conversation, and to ours.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "conversation.h"
#include "models/contact.h"
#include "models/history.h"
#include "tests/unit/cmocka_all.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

// The messages of the text in their order, which is that of their times.
static size_t count_said(const struct chat_messages *page, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < page->count; i++) {
        assert_true(i == 0 || page->items[i].timestamp >= page->items[i - 1].timestamp);
        count += span_eq_text(page->items[i].text, text);
    }
    return count;
}

static void assert_order(const struct chat_messages *page, const char *const *texts, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < page->count; i++)
        at += at < count && span_eq_text(page->items[i].text, texts[at]);
    assert_int_equal(at, count);
    assert_int_equal(count_said(page, ""), 0);
}

static struct hash put_message(struct model *m, const char *text, double timestamp)
{
    struct hash data;
    struct hash creation_time;
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", span_of(text));
    model_set_hash(m, message, "sender", &m->self->person);
    MUST(model_put(m, message, &data, &e));
    struct value *time = model_object(m, "CreationTime");
    model_set_number(m, time, "timestamp", timestamp);
    model_set_hash(m, time, "data", &data);
    MUST(model_put(m, time, &creation_time, &e));
    return creation_time;
}

// Entries as any program may write them.
static void put_entries(struct model *m, const struct model_node *with, const struct hash_list *creation_times)
{
    struct topic topic;
    struct channel channel;
    MUST(topic_open_one_to_one(m, &with->self->person, &topic, &e));
    MUST(channel_get(m, &topic.channel, &channel, &e));
    struct hash head = channel.head;
    for (size_t i = 0; i < creation_times->count; i++) {
        struct hash below = head;
        MUST(list_insert(store_versions(m->store), &below, &creation_times->items[i], NULL, &head, &e));
    }
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", topic.id);
    model_set_hash(m, info, "head", &head);
    MUST(model_change(m, info, NULL, &e));
}

static void put_at(struct model_node *n, const struct model_node *with, const char *text, double timestamp)
{
    struct hash_list times = {0};
    struct model *m = model_node_begin(n);
    struct hash time = put_message(m, text, timestamp);
    hash_list_add(&times, &time);
    put_entries(m, with, &times);
    model_node_end(n);
    hash_list_free(&times);
}

static const double impossible[] = {9007199254740992.0, 9223372036854775808.0, 8640000000000001.0, 1e300};

static void impossible_times_leave_the_order_alone(void **state)
{
    struct model_pair *p = *state;
    double times[] = {impossible[0], impossible[1], impossible[2], impossible[3], (double)NAN};
    say(&p->a, &p->b, "before");
    sync_both(p);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        put_at(&p->b, &p->a, "far", times[i]);
    sync_both(p);
    const char *texts[] = {"before", "one", "two", "three", "four"};
    for (size_t i = 1; i < 5; i++) {
        bool first = i % 2 == 1;
        struct chat_sent sent = say(first ? &p->a : &p->b, first ? &p->b : &p->a, texts[i]);
        assert_int_equal(sent.timestamp, model_node_time); // not a day later
        sync_both(p);
    }
    struct chat_messages at_a = read_all(&p->a, &p->b);
    struct chat_messages at_b = read_all(&p->b, &p->a);
    assert_order(&at_a, texts, 5);
    assert_order(&at_b, texts, 5);
    assert_int_equal(count_said(&at_a, "far"), 5);
    assert_int_equal(at_a.items[at_a.count - 1].timestamp, TIME_LIMIT);
    assert_int_equal(at_a.count, at_b.count);
    for (size_t i = 0; i < at_a.count; i++)
        assert_true(hash_eq(&at_a.items[i].id, &at_b.items[i].id));
}

static void times_below_everything_are_at_the_beginning(void **state)
{
    struct model_pair *p = *state;
    say(&p->a, &p->b, "first");
    sync_both(p);
    put_at(&p->b, &p->a, "low", -9223372036854775808.0);
    put_at(&p->b, &p->a, "lower", -1e300);
    sync_both(p);
    struct chat_sent sent = say(&p->a, &p->b, "second");
    assert_int_equal(sent.timestamp, model_node_time);
    struct chat_messages page = read_all(&p->a, &p->b);
    assert_order(&page, (const char *[]){"first", "second"}, 2);
    assert_int_equal(page.items[0].timestamp, -TIME_LIMIT);
    assert_int_equal(page.count, 4);
}

static void a_clock_that_is_ahead_is_followed_for_a_day(void **state)
{
    struct model_pair *p = *state;
    say(&p->a, &p->b, "before");
    sync_both(p);
    put_at(&p->b, &p->a, "an hour ahead", (double)(model_node_time + DAY_MS / 24));
    sync_both(p);
    struct chat_sent sent = say(&p->a, &p->b, "answer");
    assert_int_equal(sent.timestamp, model_node_time - 1000 + DAY_MS / 24 + 1); // behind what it answers
    sync_both(p);
    put_at(&p->b, &p->a, "ten years ahead", (double)model_node_time + 3650.0 * DAY_MS);
    sync_both(p);
    model_node_time += DAY_MS;
    sent = say(&p->a, &p->b, "tomorrow");
    assert_int_equal(sent.timestamp, model_node_time);
    struct chat_messages page = read_all(&p->a, &p->b);
    assert_order(&page, (const char *[]){"before", "an hour ahead", "answer", "tomorrow", "ten years ahead"}, 5);
}

// Also where only entries of the far future are.
static void the_same_text_is_said_as_often_as_it_is_said(void **state)
{
    struct model_pair *p = *state;
    struct hash ids[7];
    put_at(&p->a, &p->b, "yes", impossible[1]);
    for (size_t i = 0; i < 7; i++) {
        struct chat_sent sent;
        struct model *m = model_node_begin(&p->a);
        MUST(chat_send_to(m, &p->b.self->person, SPAN("yes"), NULL, 0, &sent, &e)); // at one and the same time
        model_node_end(&p->a);
        ids[i] = sent.id;
        for (size_t k = 0; k < i; k++)
            assert_false(hash_eq(&ids[i], &ids[k]));
    }
    sync_both(p);
    struct chat_messages at_a = read_all(&p->a, &p->b);
    struct chat_messages at_b = read_all(&p->b, &p->a);
    assert_int_equal(count_said(&at_a, "yes"), 8);
    assert_int_equal(count_said(&at_b, "yes"), 8);
}

// What was posted elsewhere at this very time is no reason to take the post for done either.
static void one_object_goes_to_two_channels_at_one_time(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    struct channel_entry entries[2];
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("yes"));
    model_set_hash(m, message, "sender", &m->self->person);
    for (size_t i = 0; i < 2; i++) {
        struct hash channel;
        struct channel_entries found;
        MUST(channel_create(m, i == 0 ? SPAN("one") : SPAN("two"), &m->self->person, &channel, &e));
        MUST(channel_post(m, &channel, message, NULL, &entries[i], &e));
        MUST(channel_read(m, &(struct channel_query){.channels = &channel, .channel_count = 1}, &found, &e));
        assert_int_equal(found.count, 1);
    }
    model_node_end(&p->a);
}

static void expect_refusal(struct model *m, const struct hash *channel, const char *text, double timestamp,
                           const char *code)
{
    struct error why = {0};
    struct channel_entry entry;
    struct channel_post options = {.timestamp = timestamp};
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", span_of(text));
    model_set_hash(m, message, "sender", &m->self->person);
    MUST(store_savepoint(m->store, &e));
    assert_int_not_equal(channel_post(m, channel, message, &options, &entry, &why), STATUS_OK);
    store_undo(m->store);
    assert_string_equal(why.code, code);
}

static void posts_are_of_possible_times(void **state)
{
    struct model_pair *p = *state;
    struct hash channel;
    struct channel_entry entry;
    struct model *m = model_node_begin(&p->a);
    MUST(channel_create(m, SPAN("notes"), &m->self->person, &channel, &e));
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        expect_refusal(m, &channel, "late", impossible[i], "BAD-INPUT");
        expect_refusal(m, &channel, "early", -impossible[i], "BAD-INPUT");
    }
    expect_refusal(m, &channel, "never", (double)NAN, "BAD-INPUT");
    expect_refusal(m, &channel, "ever", (double)INFINITY, "BAD-INPUT");
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("at the end"));
    model_set_hash(m, message, "sender", &m->self->person);
    struct channel_post last = {.timestamp = (double)TIME_LIMIT};
    MUST(channel_post(m, &channel, message, &last, &entry, &e));
    model_node_end(&p->a);
}

static int by_hash(const void *a, const void *b)
{
    return hash_compare(a, b);
}

static void flood(struct model_pair *p, double first, double step)
{
    char text[20];
    struct hash_list times = {0};
    struct model *m = model_node_begin(&p->b);
    for (int i = 0; i <= CHANNEL_AHEAD_MAX; i++) {
        snprintf(text, sizeof text, "%d", i);
        struct hash time = put_message(m, text, first + step * i);
        hash_list_add(&times, &time);
    }
    if (!(step > 0)) // each belongs on top of the one before
        qsort(times.items, times.count, sizeof *times.items, by_hash);
    put_entries(m, &p->a, &times);
    model_node_end(&p->b);
    hash_list_free(&times);
    sync_both(p);
}

static struct hash list_of(struct model_node *n, const struct model_node *with)
{
    struct topic topic;
    struct channel channel;
    MUST(chat_with(&n->m, &with->self->person, &topic, &e));
    MUST(channel_get(&n->m, &topic.channel, &channel, &e));
    return channel.head;
}

static void assert_conversation(struct model_pair *p, const char *const *texts, size_t count)
{
    struct chat_messages at_a = read_all(&p->a, &p->b);
    struct chat_messages at_b = read_all(&p->b, &p->a);
    struct hash a = list_of(&p->a, &p->b);
    struct hash b = list_of(&p->b, &p->a);
    assert_order(&at_a, texts, count);
    assert_order(&at_b, texts, count);
    assert_true(hash_eq(&a, &b));
}

// Each post would write all of them anew, and to refuse posts would silence us.
static void a_flood_of_absurd_times_is_left_behind(void **state)
{
    struct model_pair *p = *state;
    const double times[][2] = {{(double)INFINITY, 0}, {impossible[1], 4096}, {CHANNEL_FAR_MS + 1, 1}};
    const char *texts[] = {"before", "one", "two", "three", "four", "five", "six"};
    say(&p->a, &p->b, "before");
    sync_both(p);
    for (size_t i = 0; i < 3; i++) {
        flood(p, times[i][0], times[i][1]);
        struct chat_sent sent = say(&p->a, &p->b, texts[1 + 2 * i]);
        assert_int_equal(sent.timestamp, model_node_time);
        sync_both(p);
        sent = say(&p->b, &p->a, texts[2 + 2 * i]);
        assert_int_equal(sent.timestamp, model_node_time);
        sync_both(p);
    }
    assert_conversation(p, texts, 7);
}

// Somebody whose clock was wrong for long meant what he said.
static void a_flood_from_a_clock_ahead_is_followed(void **state)
{
    struct model_pair *p = *state;
    double ahead = (double)model_node_time + 3650.0 * DAY_MS;
    say(&p->a, &p->b, "before");
    sync_both(p);
    flood(p, ahead, 1);
    struct chat_sent sent = say(&p->a, &p->b, "one");
    assert_true((double)sent.timestamp >= ahead + CHANNEL_AHEAD_MAX + 1 && (double)sent.timestamp < CHANNEL_FAR_MS);
    sync_both(p);
    say(&p->a, &p->b, "two");
    say(&p->b, &p->a, "three"); // without having heard of the one before
    sync_both(p);
    put_at(&p->b, &p->a, "far", (double)INFINITY);
    sync_both(p);
    say(&p->a, &p->b, "four");
    sync_both(p);
    assert_conversation(p, (const char *[]){"before", "0", "999", "1000", "one", "four"}, 6);
    assert_conversation(p, (const char *[]){"one", "two", "four"}, 3);
    assert_conversation(p, (const char *[]){"one", "three", "four", "far"}, 4);
}

static void histories_show_possible_numbers(void **state)
{
    struct model_pair *p = *state;
    struct hash node;
    struct history history;
    struct model *m = model_node_begin(&p->a);
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", SPAN("history"));
    struct version_result result;
    MUST(version_store(store_versions(m->store), info, VERSION_CHANGE, 1e300, &result, &e));
    MUST(store_head(m->store, &result.id_hash, &node, &e));
    MUST(history_of(m, &result.id_hash, &history, &e));
    assert_int_equal(history.count, 1);
    assert_int_equal(history.items[0].created_ms, TIME_LIMIT);
    model_node_end(&p->a);
    assert_int_equal(count_clamp(1e300), 9007199254740992);
    assert_int_equal(count_clamp((double)NAN), 0);
    assert_int_equal(count_clamp(-5), 0);
    assert_int_equal(time_clamp((double)NAN), TIME_LIMIT);
    assert_true(time_is_valid(-(double)TIME_LIMIT) && !time_is_valid((double)NAN));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, conversation_begin, model_pair_end)

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        TEST(impossible_times_leave_the_order_alone),
        TEST(times_below_everything_are_at_the_beginning),
        TEST(a_clock_that_is_ahead_is_followed_for_a_day),
        TEST(the_same_text_is_said_as_often_as_it_is_said),
        TEST(one_object_goes_to_two_channels_at_one_time),
        TEST(posts_are_of_possible_times),
        TEST(a_flood_of_absurd_times_is_left_behind),
        TEST(a_flood_from_a_clock_ahead_is_followed),
        TEST(histories_show_possible_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
