// Pages of several owners' channels, read as one: a page is what a walk from the newest entry finds, wherever it
// starts.
#include "model_node.h"
#include "models/channel.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { CHANNELS = 3, POSTS = 300, PAGES = 100, OLDEST = 1000, SPAN_MS = 2000 };

struct world {
    struct model_node node;
    struct hash channels[CHANNELS]; // of three owners: nobody, us, somebody else
    struct hash elsewhere;          // an entry of another channel
    struct channel_entries all;     // of the channels, newest first
};

static struct hash post(struct model *m, const struct hash *channel, double timestamp)
{
    struct channel_entry entry;
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", model_random_text(m, 8));
    model_set_hash(m, message, "sender", &m->self->person);
    MUST(channel_post(m, channel, message, &(struct channel_post){.timestamp = timestamp}, &entry, &e));
    return entry.creation_time;
}

// One in ten has an older time, as posts from elsewhere do.
static double next_time(double *newest)
{
    *newest += property_below(SPAN_MS / POSTS + 1);
    return property_chance(10) ? OLDEST + property_below((uint32_t)(*newest - OLDEST) + 1) : *newest;
}

static void open_world(struct world *w)
{
    static const struct hash other = {{1}};
    *w = (struct world){0};
    model_node_open_plain(&w->node, "ann@test", "ann", NULL);
    struct model *m = model_node_begin(&w->node);
    const struct hash *owners[CHANNELS] = {NULL, &m->self->person, &other};
    struct hash diary;
    double newest = OLDEST;
    for (size_t i = 0; i < CHANNELS; i++)
        MUST(channel_create(m, SPAN("pages"), owners[i], &w->channels[i], &e));
    MUST(channel_create(m, SPAN("diary"), NULL, &diary, &e));
    for (uint32_t n = property_below(POSTS) + 1; n > 0; n--)
        post(m, &w->channels[property_below(CHANNELS)], next_time(&newest));
    w->elsewhere = post(m, &diary, (OLDEST + newest) / 2);
    model_node_end(&w->node);
    const struct channel_query everything = {w->channels, CHANNELS, .limit = POSTS, .unverified = true};
    MUST(channel_read(m, &everything, &w->all, &e));
}

static bool is_taken(const struct channel_entry *entry, const struct list_key *before, double to)
{
    struct list_key key = {entry->timestamp, entry->creation_time};
    return (before == NULL || list_key_compare(&key, before) < 0) && (to <= 0 || entry->timestamp <= to);
}

static void expect_page(struct world *w, const struct channel_query *q, const struct list_key *before)
{
    struct channel_entries page;
    size_t taken = 0;
    MUST(channel_read(&w->node.m, q, &page, &e));
    for (size_t i = 0; i < w->all.count; i++) {
        if (!is_taken(&w->all.items[i], before, q->to))
            continue;
        if (taken < page.count)
            assert_memory_equal(&page.items[taken], &w->all.items[i], sizeof page.items[taken]);
        taken++;
    }
    assert_int_equal(page.count, taken < q->limit ? taken : q->limit);
    assert_int_equal(page.more, taken > q->limit);
}

static void read_random_page(struct world *w)
{
    const struct channel_entry *start = &w->all.items[property_below((uint32_t)w->all.count)];
    struct channel_query q = {w->channels, CHANNELS, .limit = 1 + property_below(60), .unverified = true};
    struct list_key before = {start->timestamp, start->creation_time};
    if (property_chance(10)) // an id that none of the channels has
        before = (struct list_key){0, w->elsewhere};
    if (property_chance(4))
        q.to = OLDEST + property_below(SPAN_MS);
    if (!property_chance(10))
        q.before = &before.creation_time;
    struct value *object;
    if (q.before != NULL) {
        MUST(model_read(&w->node.m, q.before, "CreationTime", &object, &e));
        assert_true(value_get_number(object, "timestamp", &before.timestamp));
    }
    expect_page(w, &q, q.before != NULL ? &before : NULL);
}

static void pages_are_what_the_walk_finds(void **state)
{
    (void)state;
    for (long i = property_cases(10); i > 0; i--) {
        struct world w;
        open_world(&w);
        for (int n = 0; n < PAGES; n++)
            read_random_page(&w);
        model_node_close(&w.node);
    }
}

int main(void)
{
    crypto_init();
    property_begin();
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_are_what_the_walk_finds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
