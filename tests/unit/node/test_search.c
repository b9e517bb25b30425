// Looking for what waits for the archive, page by page, among what the channels have.
#include <sys/resource.h>

#include "base/clock.h"
#include "harness.h"
#include "models/chat.h"
#include "store/outbox.h"
#include "tests/unit/cmocka_all.h"

enum { TOLD = 6, AT_EACH = 4, LONG = 1 << 20, CROWD = 3000, MANY = 5000, CROWD_KB = 256 << 10 };

struct scene {
    struct harness *h;
    struct hash friend;
    void (*plant)(struct scene *s, struct model *m, const struct topic *topic);
    const char *text;
    struct hash_map *waiting;
    bool planted;
};

static int setup(void **state)
{
    static struct scene scene;
    scene = (struct scene){.h = harness_create(), .waiting = hash_map_create()};
    harness_provision(scene.h);
    scene.friend = harness_befriend(scene.h, "ben@test");
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    hash_map_destroy(s->waiting);
    harness_destroy(s->h);
    return 0;
}

// ---- What is there --------------------------------------------------------------------------------------------------

static void let_wait(struct scene *s, struct model *m, const struct topic *topic, int64_t time, unsigned count)
{
    struct hash_list none = {0};
    struct chat_sent sent;
    int64_t seq;
    m->now_ms = time;
    for (unsigned i = 0; i < count; i++) {
        struct span text = arena_printf(m->arena, "wanted %zu", hash_map_count(s->waiting));
        assert_int_equal(chat_write_for(m, &m->self->person, &none, 0, text, NULL, 0, &sent, NULL), STATUS_OK);
        assert_int_equal(sent.timestamp, time);
        const struct store_intent row = {.op = text,
                                         .method = SPAN("node.post"),
                                         .params = SPAN("{}"),
                                         .topic = topic_key(m, topic),
                                         .message = sent.id,
                                         .time = (double)time};
        assert_int_equal(store_outbox_add(m->store, &row, &seq, NULL), STATUS_OK);
        hash_map_set(s->waiting, &sent.id, s);
    }
}

// Beside each message of the channel some of the same millisecond wait.
static void plant_among_others(struct scene *s, struct model *m, const struct topic *topic)
{
    struct chat_sent told[TOLD];
    for (size_t i = 0; i < TOLD; i++)
        assert_int_equal(chat_send(m, topic, span_of(s->text), NULL, 0, &told[i], NULL), STATUS_OK);
    for (size_t i = 0; i < TOLD; i++)
        let_wait(s, m, topic, told[i].timestamp, AT_EACH);
}

static void plant_crowd(struct scene *s, struct model *m, const struct topic *topic)
{
    let_wait(s, m, topic, m->now_ms, CROWD);
}

// More than one answer looks at; the older half lies beyond that of a channel's message.
static void plant_many(struct scene *s, struct model *m, const struct topic *topic)
{
    struct chat_sent told;
    assert_int_equal(chat_send(m, topic, span_of(s->text), NULL, 0, &told, NULL), STATUS_OK);
    let_wait(s, m, topic, told.timestamp - 1, MANY / 2);
    let_wait(s, m, topic, told.timestamp + 1, MANY / 2);
}

static enum status plant_work(struct store *store, void *arg, struct error *e)
{
    struct scene *s = arg;
    struct chat_sent first;
    struct topic topic;
    struct arena *arena = arena_create();
    struct model m = {.store = store, .self = s->h->node->self, .arena = arena, .now_ms = clock_wall_ms()};
    enum status st = chat_send_to(&m, &s->friend, SPAN("first"), NULL, 0, &first, e);
    if (st == STATUS_OK)
        st = chat_with(&m, &s->friend, &topic, e);
    if (st == STATUS_OK)
        s->plant(s, &m, &topic);
    arena_destroy(arena);
    return st;
}

static void planted(void *arg, enum status status, const struct error *e)
{
    struct scene *s = arg;
    (void)e;
    assert_int_equal(status, STATUS_OK);
    s->planted = true;
    loop_stop(s->h->node->loop);
}

static void plant(struct scene *s, void (*what)(struct scene *, struct model *, const struct topic *), const char *text)
{
    s->plant = what;
    s->text = text;
    store_submit(s->h->node->queue, plant_work, planted, s);
    while (!s->planted)
        loop_run(s->h->node->loop);
}

// ---- What is found --------------------------------------------------------------------------------------------------

static json_t *look(struct scene *s, int limit, const char *before)
{
    json_t *answer = harness_call(
        s->h, "chat.search",
        json_pack("{s:s, s:i, s:s*, s:b}", "text", "wanted", "limit", limit, "before", before, "face", true), NULL);
    assert_non_null(answer);
    return answer;
}

// Every one that waits stands on one page, in order.
static void assert_told_once(struct scene *s, int limit)
{
    char before[65] = "";
    json_int_t last = INT64_MAX;
    struct hash_map *found = hash_map_create();
    for (size_t pages = 0; pages == 0 || before[0] != '\0'; pages++) {
        assert_true(pages <= MANY); // a page that takes too long ends early, with what it has
        size_t i;
        json_t *item;
        json_t *page = look(s, limit, before[0] != '\0' ? before : NULL);
        json_array_foreach(json_object_get(page, "items"), i, item)
        {
            struct hash id;
            assert_true(hash_parse(span_of(json_string_value(json_object_get(item, "id"))), &id));
            assert_null(hash_map_get(found, &id));
            hash_map_set(found, &id, s);
            assert_true(json_integer_value(json_object_get(item, "timestamp")) <= last);
            last = json_integer_value(json_object_get(item, "timestamp"));
            hash_map_remove(s->waiting, &id);
        }
        const char *next = json_string_value(json_object_get(page, "next"));
        snprintf(before, sizeof before, "%s", next != NULL ? next : "");
    }
    hash_map_destroy(found);
    assert_int_equal(hash_map_count(s->waiting), 0);
}

static void each_of_one_millisecond_is_told_once(void **state)
{
    struct scene *s = *state;
    plant(s, plant_among_others, "wanted, and posted");
    assert_told_once(s, 3);
}

// Long texts without a hit end the look through the channels in the middle of a millisecond.
static void where_the_channels_stop_each_is_told_once(void **state)
{
    struct scene *s = *state;
    char *text = mem_alloc(LONG + 1);
    memset(text, 'x', LONG);
    plant(s, plant_among_others, text);
    free(text);
    assert_told_once(s, 100);
}

static void many_are_found_page_by_page(void **state)
{
    struct scene *s = *state;
    plant(s, plant_many, "wanted, and posted");
    assert_told_once(s, 100);
}

static long peak_kb(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return used.ru_maxrss;
}

static void many_hits_take_little_memory(void **state)
{
    struct scene *s = *state;
    plant(s, plant_crowd, NULL);
    long before = peak_kb();
    assert_int_equal(json_array_size(json_object_get(look(s, 2, NULL), "items")), 2);
    assert_true(peak_kb() - before < CROWD_KB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_of_one_millisecond_is_told_once),
        TEST(where_the_channels_stop_each_is_told_once),
        TEST(many_are_found_page_by_page),
        TEST(many_hits_take_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
