// Two nodes that write, lose contact and meet again in random order: both end with the same conversation, nothing is
// lost, and following by cursor shows every message exactly once.
#include <stdio.h>

#include "by_topic.h"
#include "model_node.h"
#include "models/chat.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { STEPS = 12, LIMIT = 3 };

struct side {
    struct model_node node;
    struct topic topic;
    struct buf cursor;
    struct hash_map *followed; // ids that the cursor has shown
    size_t written;
};

static void follow(struct side *s)
{
    struct chat_messages news;
    struct span next;
    bool more = true;
    model_node_begin(&s->node);
    while (more) {
        MUST(chat_since(&s->node.m, &s->topic, buf_span(&s->cursor), LIMIT, &news, &next, &e));
        for (size_t i = 0; i < news.count; i++)
            assert_true(hash_map_add(s->followed, &news.items[i].id)); // never twice
        buf_clear(&s->cursor);
        buf_add_span(&s->cursor, next);
        more = news.more;
    }
    model_node_drop(&s->node);
}

static void write_message(struct side *s, const struct side *other)
{
    char text[32];
    struct chat_sent sent;
    model_node_time += (int64_t)property_below(2000);
    if (property_chance(4)) // clocks do not agree
        model_node_time -= (int64_t)property_below(5000);
    struct model *m = model_node_begin(&s->node);
    snprintf(text, sizeof text, "%zu", s->written++);
    MUST(chat_send_to(m, &other->node.self->person, span_of(text), NULL, 0, &sent, &e));
    model_node_end(&s->node);
}

static void step(struct side *s, struct side *other)
{
    switch (property_below(4)) {
    case 0:
    case 1:
        write_message(s, other);
        break;
    case 2:
        model_node_sync(&other->node, &s->node);
        break;
    default:
        follow(s);
        break;
    }
}

static struct hash version_of(struct side *s)
{
    struct hash hash;
    struct value *ignored;
    MUST(model_current(&s->node.m, &s->topic.channel, "ChannelInfo", &ignored, &hash, &e));
    return hash;
}

static size_t count_messages(struct side *s)
{
    struct chat_messages page;
    MUST(chat_page(&s->node.m, &s->topic, 0, NULL, &page, &e));
    for (size_t i = 0; i < page.count; i++)
        assert_int_equal(page.items[i].verification, VERIFICATION_VERIFIED);
    return page.count;
}

static void expect_same(struct side *a, struct side *b)
{
    for (int i = 0; i < 2; i++) {
        model_node_sync(&a->node, &b->node);
        model_node_sync(&b->node, &a->node);
    }
    struct hash x = version_of(a);
    struct hash y = version_of(b);
    assert_true(hash_eq(&x, &y));
    assert_int_equal(count_messages(a), a->written + b->written);
    assert_int_equal(count_messages(b), a->written + b->written);
    follow(a);
    follow(b);
    assert_int_equal(hash_map_count(a->followed), a->written + b->written);
    assert_int_equal(hash_map_count(b->followed), a->written + b->written);
}

static void open_side(struct side *s, const char *email)
{
    *s = (struct side){.followed = hash_map_create()};
    model_node_open_plain(&s->node, email, "instance", NULL);
}

static void open_topic(struct side *s, const struct side *other)
{
    struct model *m = model_node_begin(&s->node);
    MUST(topic_open_one_to_one(m, &other->node.self->person, &s->topic, &e));
    model_node_end(&s->node);
}

static void close_side(struct side *s)
{
    model_node_close(&s->node);
    hash_map_destroy(s->followed);
    buf_free(&s->cursor);
}

static void run_case(void)
{
    struct side sides[2];
    open_side(&sides[0], "ann@test");
    open_side(&sides[1], "ben@test");
    model_node_pair(&sides[0].node, &sides[1].node);
    open_topic(&sides[0], &sides[1]);
    open_topic(&sides[1], &sides[0]);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < STEPS; i++) {
            size_t who = property_below(2);
            step(&sides[who], &sides[1 - who]);
        }
        expect_same(&sides[0], &sides[1]);
    }
    close_side(&sides[0]);
    close_side(&sides[1]);
}

static void conversations_converge(void **state)
{
    (void)state;
    for (long i = property_cases(20); i > 0; i--)
        run_case();
}

int main(void)
{
    crypto_init();
    property_begin();
    const struct CMUnitTest tests[] = {cmocka_unit_test(conversations_converge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
