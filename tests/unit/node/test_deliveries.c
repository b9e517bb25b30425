// When a message counts as delivered: once the peer has said that it stored it, and never because of somebody else.
#include <stdio.h>

#include "base/clock.h"
#include "harness.h"
#include "node/deliveries.h"
#include "store/delivery.h"
#include "tests/unit/cmocka_all.h"

enum { MANY = 5000 }; // more than one person's share

struct scene {
    struct harness *h;
    struct deliveries *deliveries;
    struct served_session session;
    struct hash person;
    struct hash other;
    struct hash message;
    enum status (*work)(struct store *s, struct scene *scene, struct error *e);
    struct hash about; // whose state is asked for
    enum delivery_state state;
    bool done;
};

static struct hash hash_of(unsigned number)
{
    char text[20];
    struct hash h = {{0}};
    int len = snprintf(text, sizeof text, "%u", number);
    memcpy(h.b, text, (size_t)len);
    return h;
}

// ---- Jobs -----------------------------------------------------------------------------------------------------------

static enum status run(struct store *s, void *arg, struct error *e)
{
    struct scene *scene = arg;
    return scene->work(s, scene, e);
}

static void ran(void *arg, enum status status, const struct error *e)
{
    struct scene *scene = arg;
    (void)e;
    assert_int_equal(status, STATUS_OK);
    scene->done = true;
    loop_stop(scene->h->node->loop);
}

// In the order of what the deliveries write.
static void do_work(struct scene *scene, enum status (*work)(struct store *s, struct scene *scene, struct error *e))
{
    scene->done = false;
    scene->work = work;
    store_submit(node_queue(scene->h->node), run, ran, scene);
    while (!scene->done)
        loop_run(scene->h->node->loop);
}

static enum status add_rows(struct store *s, struct scene *scene, struct error *e)
{
    bool changed;
    struct store_delivery d = {.person = scene->person, .message = scene->message, .at_ms = clock_wall_ms() + 60000};
    enum status st = store_delivery_set(s, &d, &changed, e);
    for (unsigned i = 0; st == STATUS_OK && i < MANY; i++) {
        d.person = scene->other;
        d.message = hash_of(i);
        st = store_delivery_set(s, &d, &changed, e);
    }
    return st;
}

static enum status read_state(struct store *s, struct scene *scene, struct error *e)
{
    struct store_deliveries rows;
    struct arena *a = arena_create();
    enum status st = store_delivery_of(s, a, &scene->about, &rows, e);
    assert_int_equal(rows.count, 1);
    scene->state = rows.items[0].state;
    arena_destroy(a);
    return st;
}

static enum delivery_state state_of(struct scene *scene, const struct hash *message)
{
    scene->about = *message;
    do_work(scene, read_state);
    return scene->state;
}

// ---- What the peer does ---------------------------------------------------------------------------------------------

static void is_served(struct scene *scene, enum chum_service service, const struct hash *hash)
{
    deliveries_served(scene->deliveries, &scene->session, &scene->person, service, hash, 1);
}

static int begin(void **state)
{
    struct scene *scene = mem_alloc(sizeof *scene);
    scene->h = harness_create();
    harness_provision(scene->h);
    scene->deliveries = scene->h->node->deliveries;
    scene->person = hash_of(1000000);
    scene->other = hash_of(1000001);
    scene->message = hash_of(1000002);
    do_work(scene, add_rows);
    deliveries_sent(scene->deliveries, &scene->message);
    for (unsigned i = 0; i < MANY; i++) {
        const struct hash message = hash_of(i);
        deliveries_sent(scene->deliveries, &message);
    }
    *state = scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;
    hash_list_free(&scene->session.taken);
    harness_destroy(scene->h);
    free(scene);
    return 0;
}

static void who_asks_for_more_of_the_feed_has_stored_what_came(void **state)
{
    struct scene *scene = *state;
    is_served(scene, CHUM_FEED, NULL);
    is_served(scene, CHUM_GET_OBJECT, &scene->message);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_SENT);
    is_served(scene, CHUM_FEED, NULL);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_DELIVERED);
}

// However often it asks for its list then: what it says counts.
static void what_is_left_is_not_delivered_until_all_is_said_to_be(void **state)
{
    struct scene *scene = *state;
    is_served(scene, CHUM_FEED, NULL);
    is_served(scene, CHUM_GET_OBJECT, &scene->message);
    deliveries_left(scene->deliveries, &scene->session, &scene->person);
    for (int i = 0; i < 4; i++)
        is_served(scene, CHUM_GET_ACCESSIBLE_ROOTS, NULL);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_SENT);
    deliveries_stored(scene->deliveries, &scene->session, &scene->person);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_DELIVERED);
}

static void who_has_no_feed_has_stored_what_it_asks_for_no_more(void **state)
{
    struct scene *scene = *state;
    is_served(scene, CHUM_GET_OBJECT, &scene->message);
    deliveries_left(scene->deliveries, &scene->session, &scene->person);
    is_served(scene, CHUM_GET_ACCESSIBLE_ROOTS, NULL);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_SENT);
    is_served(scene, CHUM_GET_ACCESSIBLE_ROOTS, NULL);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_DELIVERED);
}

static void nobody_takes_the_place_of_others(void **state)
{
    struct scene *scene = *state;
    struct served_session greedy = {0};
    for (unsigned i = 0; i < MANY; i++) {
        const struct hash message = hash_of(i);
        deliveries_served(scene->deliveries, &greedy, &scene->other, CHUM_GET_OBJECT, &message, 1);
    }
    deliveries_left(scene->deliveries, &greedy, &scene->other);
    is_served(scene, CHUM_GET_OBJECT, &scene->message);
    deliveries_left(scene->deliveries, &scene->session, &scene->person);
    deliveries_stored(scene->deliveries, &scene->session, &scene->person);
    assert_int_equal(state_of(scene, &scene->message), DELIVERY_DELIVERED);
    const struct hash first = hash_of(0);
    assert_int_equal(state_of(scene, &first), DELIVERY_SENT);
    deliveries_stored(scene->deliveries, &greedy, &scene->other);
    assert_int_equal(state_of(scene, &first), DELIVERY_DELIVERED);
}

static enum status add_old_row(struct store *s, struct scene *scene, struct error *e)
{
    bool changed;
    struct store_delivery d = {.person = scene->person, .message = scene->about, .at_ms = 1};
    return store_delivery_set(s, &d, &changed, e);
}

// The other own node tells of messages that are not here, or not yet.
static void what_was_not_shown_is_not_delivered_however_old(void **state)
{
    struct scene *scene = *state;
    const struct hash elsewhere = hash_of(1000003);
    scene->about = elsewhere;
    do_work(scene, add_old_row);
    is_served(scene, CHUM_FEED, NULL);
    deliveries_stored(scene->deliveries, &scene->session, &scene->person);
    assert_int_equal(state_of(scene, &elsewhere), DELIVERY_SENT);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(who_asks_for_more_of_the_feed_has_stored_what_came),
        SCENE(what_is_left_is_not_delivered_until_all_is_said_to_be),
        SCENE(who_has_no_feed_has_stored_what_it_asks_for_no_more),
        SCENE(nobody_takes_the_place_of_others),
        SCENE(what_was_not_shown_is_not_delivered_however_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
