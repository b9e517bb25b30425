// Routes: whom to dial when, which of two connections lives, what switches do. Connections are real ones over pipes; a
// test says what becomes of each attempt.
#include "conn/routes.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node me, peer;
    struct routes *routes;
    struct routes_host host;
    struct transport *ends[2];
    uint64_t wake;
    uint64_t attempt; // the last one dialled; 0 = none or cancelled
    unsigned dialled, cancelled;
    char url[100];
    uint32_t random;
};

// ---- The routes' host, and the connections' host calling routes ----

static uint64_t now(void *ctx)
{
    return pipe_world_now(((struct scene *)ctx)->world);
}

static uint32_t pick(void *ctx)
{
    return ((struct scene *)ctx)->random;
}

static void dial(void *ctx, uint64_t attempt, const char *url, const struct conn_identity *local,
                 const struct public_key *remote)
{
    struct scene *s = ctx;
    assert_ptr_equal(local, &s->me.identity);
    assert_true(public_key_eq(remote, &s->peer.identity.instance_public));
    s->attempt = attempt;
    s->dialled++;
    snprintf(s->url, sizeof s->url, "%s", url);
}

static void cancel(void *ctx, uint64_t attempt)
{
    struct scene *s = ctx;
    s->cancelled++;
    if (s->attempt == attempt)
        s->attempt = 0;
}

static void wake_at(void *ctx, uint64_t monotonic_ms)
{
    ((struct scene *)ctx)->wake = monotonic_ms;
}

static struct scene *current; // conn_host.ctx is the node, so its callbacks find the routes here

static const char *assigned(void *ctx, struct conn *c)
{
    (void)ctx;
    return routes_assigned(current->routes, c);
}

static bool admits(void *ctx, const struct conn_identity *local, const struct public_key *source, enum conn_group group)
{
    (void)ctx;
    return routes_admits(current->routes, local, source, group, true);
}

static void (*node_closed)(void *ctx, struct conn *c, const struct error *why);

static void closed(void *ctx, struct conn *c, const struct error *why)
{
    routes_closed(current->routes, c, why);
    node_closed(ctx, c, why);
}

static int begin(void **state)
{
    struct scene *s = current = mem_alloc(sizeof *s);
    s->world = pipe_world_create();
    s->recipes = recipes_create(false);
    node_begin(&s->me, s->world, s->recipes, "me@test", "laptop");
    node_begin(&s->peer, s->world, s->recipes, "peer@test", "archive");
    node_closed = s->me.host.closed;
    s->me.host.assigned = assigned;
    s->me.host.admits = admits;
    s->me.host.closed = closed;
    s->host =
        (struct routes_host){.ctx = s, .now = now, .random = pick, .dial = dial, .cancel = cancel, .wake_at = wake_at};
    s->routes = routes_create(&s->host, 3);
    routes_add_local(s->routes, &s->me.identity);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    pipe_world_destroy(s->world);
    routes_destroy(s->routes);
    node_end(&s->me);
    node_end(&s->peer);
    recipes_destroy(s->recipes);
    free(s);
    return 0;
}

// ---- Moves ----

static void pass(struct scene *s, uint64_t ms)
{
    uint64_t until = now(s) + ms;
    while (s->wake != 0 && s->wake <= until) {
        if (s->wake > now(s))
            pipe_sleep(s->world, s->wake - now(s));
        routes_on_time(s->routes);
    }
    pipe_sleep(s->world, until - now(s));
}

static struct routes_endpoint endpoint(const struct scene *s, const char *url)
{
    return (struct routes_endpoint){
        .person = s->peer.identity.person_id,
        .instance = s->peer.identity.instance_id,
        .person_key = s->peer.identity.person_public,
        .instance_key = s->peer.identity.instance_public,
        .urls = {url},
    };
}

static void learn(struct scene *s, const char *url, enum routes_reason reason)
{
    struct routes_endpoint e = endpoint(s, url);
    assert_int_equal(routes_learn(s->routes, &e, reason, NULL), STATUS_OK);
    pass(s, 0);
}

static void learn_both(struct scene *s, const char *first, const char *second)
{
    struct routes_endpoint e = endpoint(s, first);
    e.urls[1] = second;
    assert_int_equal(routes_learn(s->routes, &e, ROUTES_STORED, NULL), STATUS_OK);
    pass(s, 0);
}

static void fail_attempt(struct scene *s)
{
    struct error why;
    error_set(&why, STATUS_IO, "UNREACHABLE", "no answer");
    uint64_t attempt = s->attempt;
    s->attempt = 0;
    routes_failed(s->routes, attempt, &why);
    pass(s, 0);
}

static void succeed(struct scene *s)
{
    routes_opened(s->routes, s->attempt);
    nodes_connect(&s->me, &s->peer, CONN_CHUM, NULL, s->ends);
    pipe_settle(s->world);
}

static struct conn *come_in(struct scene *s)
{
    nodes_connect(&s->peer, &s->me, CONN_CHUM, NULL, s->ends);
    pipe_settle(s->world);
    return s->me.conn;
}

// How long until the next attempt begins, to the ms.
static uint64_t until_dial(struct scene *s)
{
    unsigned before = s->dialled;
    uint64_t begun = now(s);
    while (s->dialled == before && s->wake != 0)
        pass(s, s->wake > now(s) ? s->wake - now(s) : 0);
    return now(s) - begun;
}

static void remember(void *ctx, const struct route_info *info)
{
    *(struct route_info *)ctx = *info;
}

static struct route_info info(struct scene *s)
{
    struct route_info i = {0};
    routes_each(s->routes, remember, &i);
    return i;
}

// ---- Dialling ----

static void known_endpoints_are_dialled_at_once(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    assert_int_equal(s->dialled, 1);
    assert_string_equal(s->url, "ws://peer:1");
    assert_int_equal(info(s).state, ROUTE_DIALLING);
    learn(s, "ws://peer:1", ROUTES_STORED); // again: nothing new
    assert_int_equal(s->dialled, 1);
    succeed(s);
    assert_int_equal(info(s).state, ROUTE_ACTIVE);
    assert_ptr_equal(info(s).active, s->me.conn);
    pass(s, 100000);
    assert_int_equal(s->dialled, 1);
}

static void attempts_back_off_as_the_reference_does(void **state)
{
    struct scene *s = *state;
    static const uint64_t seconds[] = {5, 10, 20, 30, 60, 120, 120, 120};
    learn(s, "ws://peer:1", ROUTES_STORED);
    for (size_t i = 0; i < 8; i++) {
        fail_attempt(s);
        assert_int_equal(until_dial(s), seconds[i] * 1000);
    }
    s->random = UINT32_MAX;
    fail_attempt(s);
    assert_int_equal(until_dial(s), 132000);
    assert_int_equal(info(s).failures, 9);
}

static void a_socket_that_does_not_open_is_given_up(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    pass(s, 4999);
    assert_int_equal(s->cancelled, 0);
    pass(s, 1);
    assert_int_equal(s->cancelled, 1);
    assert_int_equal(until_dial(s), 5000);
    routes_opened(s->routes, s->attempt); // open: from here on the connection has its own deadlines
    pass(s, 60000);
    assert_int_equal(s->cancelled, 1);
}

static void other_addresses_are_tried_before_pausing(void **state)
{
    struct scene *s = *state;
    learn_both(s, "ws://peer:1", "wss://relay");
    fail_attempt(s);
    assert_int_equal(s->dialled, 2);
    assert_string_equal(s->url, "wss://relay");
    fail_attempt(s);
    assert_int_equal(until_dial(s), 5000);
    assert_string_equal(s->url, "ws://peer:1");
    fail_attempt(s);
    assert_string_equal(s->url, "wss://relay");
    succeed(s);
    learn_both(s, "ws://peer:1", "wss://relay");
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    until_dial(s);
    assert_string_equal(s->url, "wss://relay"); // what worked comes first
}

static void a_changed_address_is_tried_at_once(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    learn(s, "ws://peer:2", ROUTES_STORED); // while the old one is being tried
    fail_attempt(s);
    assert_int_equal(s->dialled, 2);
    assert_string_equal(s->url, "ws://peer:2");
    fail_attempt(s);
    assert_int_equal(until_dial(s), 5000);
    assert_string_equal(s->url, "ws://peer:2"); // the old one is forgotten
    fail_attempt(s);
    learn_both(s, "ws://peer:2", "wss://relay"); // while waiting
    assert_int_equal(s->dialled, 4);
    fail_attempt(s);
    assert_string_equal(s->url, "wss://relay");
}

static void what_cannot_be_dialled_is_waited_for(void **state)
{
    struct scene *s = *state;
    learn(s, NULL, ROUTES_STORED);
    learn(s, "http://peer", ROUTES_STORED);
    pass(s, 600000);
    assert_int_equal(s->dialled, 0);
    assert_int_equal(info(s).state, ROUTE_INCOMING);
    assert_non_null(come_in(s));
    assert_int_equal(info(s).state, ROUTE_ACTIVE);
}

static void the_table_is_bounded_and_knows_no_own_instances(void **state)
{
    struct scene *s = *state;
    struct error e;
    struct routes_endpoint own = endpoint(s, "ws://me:1");
    own.instance_key = s->me.identity.instance_public;
    assert_int_equal(routes_learn(s->routes, &own, ROUTES_STORED, &e), STATUS_OK);
    pass(s, 0);
    assert_int_equal(s->dialled, 0);
    struct routes_endpoint other = endpoint(s, NULL);
    for (uint8_t i = 0; i < 3; i++) {
        other.instance_key.b[0] = i;
        assert_int_equal(routes_learn(s->routes, &other, ROUTES_STORED, &e), STATUS_OK);
    }
    other.instance_key.b[0] = 77;
    assert_int_equal(routes_learn(s->routes, &other, ROUTES_STORED, &e), STATUS_FULL);
    assert_string_equal(e.code, "TOO-MANY-ENDPOINTS");
}

static void many_endpoints_are_learned_quickly(void **state)
{
    struct scene *s = *state;
    routes_destroy(s->routes);
    s->routes = routes_create(&s->host, 20000);
    routes_add_local(s->routes, &s->me.identity);
    struct routes_endpoint e = endpoint(s, NULL);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 20000; i++) {
            uint32_t person = i / ROUTES_INSTANCES;
            memcpy(e.instance_key.b, &i, sizeof i);
            memcpy(e.person.b, &person, sizeof person);
            assert_int_equal(routes_learn(s->routes, &e, ROUTES_STORED, NULL), STATUS_OK);
        }
    struct hash person = {{0}}, instance;
    assert_true(routes_known(s->routes, &s->me.identity, &e.instance_key, &person, &instance));
    routes_forget(s->routes, NULL, &e.instance_key);
    assert_false(routes_known(s->routes, &s->me.identity, &e.instance_key, &person, &instance));
}

// ---- After pairing, and reconnecting ----

static void the_inviting_side_gets_a_second(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_JUST_PAIRED);
    assert_int_equal(s->dialled, 0);
    assert_int_equal(until_dial(s), 1000);
}

static void the_invited_side_may_dial_first(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_JUST_INVITED);
    assert_int_equal(s->dialled, 0);
    assert_int_equal(until_dial(s), 600);
}

static void peers_like_us_need_no_courtesy(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_JUST_PAIRED);
    routes_set_own(s->routes, &s->peer.identity.instance_public);
    assert_int_equal(until_dial(s), 0);
    for (unsigned i = 0; i < 8; i++) { // quick attempts, doubling
        static const uint64_t ms[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
        fail_attempt(s);
        assert_int_equal(until_dial(s), ms[i]);
    }
    succeed(s);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_int_equal(until_dial(s), 100);
}

static void lost_connections_come_back_in_five_to_ten_seconds(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    succeed(s);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_int_equal(until_dial(s), 5000);
    succeed(s);
    s->random = UINT32_MAX;
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_int_equal(until_dial(s), 10000);
}

// The reference forgets to reconnect in this case (WIRE.md 8.5).
static void an_inbound_connection_in_between_does_not_end_reconnecting(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    succeed(s);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    pass(s, 3000);
    come_in(s);
    pass(s, 10000);
    assert_int_equal(s->dialled, 1);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_int_equal(until_dial(s), 5000);
}

static void a_peer_that_is_still_storing_is_asked_again_soon(void **state)
{
    struct scene *s = *state;
    s->peer.refuse_unknown = true;
    learn(s, "ws://peer:1", ROUTES_STORED);
    for (int i = 0; i < 6; i++) {
        succeed(s);
        assert_int_equal(until_dial(s), 1000);
    }
    succeed(s);
    assert_int_equal(until_dial(s), 5000); // it means it
    s->peer.refuse_unknown = false;
    succeed(s);
    assert_int_equal(info(s).state, ROUTE_ACTIVE);
}

// ---- Duplicates (WIRE.md 8.4) ----

static void within_two_seconds_the_new_connection_goes(void **state)
{
    struct scene *s = *state;
    learn(s, NULL, ROUTES_STORED);
    come_in(s);
    struct transport *first = s->ends[0];
    pass(s, 1999);
    come_in(s);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Duplicate connection - dropped new connection");
    assert_null(pipe_closed(first));
}

static void later_the_old_connection_goes(void **state)
{
    struct scene *s = *state;
    learn(s, NULL, ROUTES_STORED);
    come_in(s);
    struct transport *first = s->ends[0];
    pass(s, 2000);
    struct conn *second = come_in(s);
    assert_string_equal(pipe_closed(first), "Close called: New connection replaced old one");
    assert_null(pipe_closed(s->ends[0]));
    assert_ptr_equal(info(s).active, second);
    pass(s, 1999);
    come_in(s);
    assert_non_null(pipe_closed(s->ends[0])); // the window began anew
}

// The reference lets a late attempt replace the healthy connection (WIRE.md 8.5).
static void a_late_attempt_is_dropped_when_the_peer_came_first(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    assert_int_equal(s->dialled, 1);
    come_in(s);
    assert_int_equal(s->cancelled, 1);
    pass(s, 600000);
    assert_int_equal(s->dialled, 1);
}

// When two tandem nodes dial each other, both keep the same one of the two connections.
static void crossing_connections_leave_one(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    routes_set_own(s->routes, &s->peer.identity.instance_public);
    routes_opened(s->routes, s->attempt);
    bool smaller = memcmp(s->me.identity.instance_public.b, s->peer.identity.instance_public.b, BOX_KEY) < 0;
    come_in(s);
    if (smaller) {
        assert_string_equal(pipe_closed(s->ends[0]), "Close called: Duplicate connection - dropped new connection");
        assert_int_equal(s->cancelled, 0);
    } else {
        assert_null(pipe_closed(s->ends[0]));
        assert_int_equal(s->cancelled, 1);
    }
}

// ---- Switches ----

static void people_can_be_switched_off(void **state)
{
    struct scene *s = *state;
    const struct hash *person = &s->peer.identity.person_id;
    const struct public_key *key = &s->peer.identity.instance_public;
    learn(s, "ws://peer:1", ROUTES_STORED);
    succeed(s);
    routes_enable_person(s->routes, person, false);
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Route is disabled");
    assert_false(routes_admits(s->routes, &s->me.identity, key, CONN_PAIRING, true));
    assert_false(routes_admits(s->routes, &s->me.identity, key, CONN_DEBUG, true));
    come_in(s); // a reference peer goes on dialling only if it was answered with `sync`
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Route is disabled");
    pass(s, 600000);
    assert_int_equal(s->dialled, 1);
    assert_int_equal(info(s).state, ROUTE_DISABLED);
    routes_enable_person(s->routes, person, true);
    pass(s, 0);
    assert_int_equal(s->dialled, 2);
    assert_true(routes_admits(s->routes, &s->me.identity, key, CONN_PAIRING, false));
}

static void forgotten_peers_are_left_alone(void **state)
{
    struct scene *s = *state;
    const struct public_key *key = &s->peer.identity.instance_public;
    learn(s, "ws://peer:1", ROUTES_STORED);
    succeed(s);
    routes_forget(s->routes, NULL, key);
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Corresponding route was stopped");
    pass(s, 600000);
    assert_int_equal(s->dialled, 1);
    assert_false(routes_admits(s->routes, &s->me.identity, key, CONN_PAIRING, false));
    assert_true(routes_admits(s->routes, &s->me.identity, key, CONN_PAIRING, true)); // as a stranger
}

static void dialling_as_a_whole_can_be_switched_off(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    routes_set_outgoing(s->routes, false);
    assert_int_equal(s->cancelled, 1);
    pass(s, 600000);
    assert_int_equal(s->dialled, 1);
    routes_set_outgoing(s->routes, true);
    pass(s, 0);
    assert_int_equal(s->dialled, 2);
}

static void a_nudge_ends_waiting(void **state)
{
    struct scene *s = *state;
    learn(s, "ws://peer:1", ROUTES_STORED);
    for (int i = 0; i < 5; i++) {
        fail_attempt(s);
        until_dial(s);
    }
    fail_attempt(s);
    routes_nudge(s->routes);
    assert_int_equal(until_dial(s), 0);
    fail_attempt(s);
    assert_int_equal(until_dial(s), 5000); // and the list starts anew
}

// ---- The table ----

static void the_table_answers_who_is_known(void **state)
{
    struct scene *s = *state;
    struct hash person = {{0}}, instance;
    const struct public_key *key = &s->peer.identity.instance_public;
    assert_false(routes_known(s->routes, &s->me.identity, key, &person, &instance));
    assert_int_equal(routes_person_key(s->routes, &s->peer.identity.person_id, key), CONN_KEY_NEW);
    learn(s, NULL, ROUTES_STORED);
    assert_true(routes_known(s->routes, &s->me.identity, key, &person, &instance));
    assert_true(hash_eq(&person, &s->peer.identity.person_id));
    assert_true(hash_eq(&instance, &s->peer.identity.instance_id));
    assert_int_equal(routes_person_key(s->routes, &s->peer.identity.person_id, &s->peer.identity.person_public),
                     CONN_KEY_MATCHES);
    assert_int_equal(routes_person_key(s->routes, &s->peer.identity.person_id, key), CONN_KEY_DIFFERS);
    assert_int_equal(routes_person_key(s->routes, &s->me.identity.person_id, key), CONN_KEY_OURS);
    assert_ptr_equal(routes_identity(s->routes, &s->me.identity.instance_public), &s->me.identity);
    assert_null(routes_identity(s->routes, &s->me.identity.person_public));
}

static void hearsay_stands_against_nobody_else(void **state)
{
    struct scene *s = *state;
    struct routes_endpoint e = endpoint(s, NULL);
    struct hash instance, person = {{1}}, other = {{1}};
    e.hearsay = true;
    assert_int_equal(routes_learn(s->routes, &e, ROUTES_STORED, NULL), STATUS_OK);
    assert_false(routes_known(s->routes, &s->me.identity, &e.instance_key, &person, &instance));
    assert_int_equal(routes_person_key(s->routes, &other, &e.person_key), CONN_KEY_NEW);
    person = e.person; // but for whom it is said of
    assert_true(routes_known(s->routes, &s->me.identity, &e.instance_key, &person, &instance));
    assert_int_equal(routes_person_key(s->routes, &e.person, &e.person_key), CONN_KEY_MATCHES);
    e.hearsay = false; // a pairing stands behind it
    assert_int_equal(routes_learn(s->routes, &e, ROUTES_STORED, NULL), STATUS_OK);
    person = other;
    assert_true(routes_known(s->routes, &s->me.identity, &e.instance_key, &person, &instance));
    assert_true(hash_eq(&person, &e.person));
    assert_int_equal(routes_person_key(s->routes, &other, &e.person_key), CONN_KEY_DIFFERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_endpoints_are_dialled_at_once, begin, end),
        cmocka_unit_test_setup_teardown(attempts_back_off_as_the_reference_does, begin, end),
        cmocka_unit_test_setup_teardown(a_socket_that_does_not_open_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(other_addresses_are_tried_before_pausing, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_address_is_tried_at_once, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_dialled_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(the_table_is_bounded_and_knows_no_own_instances, begin, end),
        cmocka_unit_test_setup_teardown(many_endpoints_are_learned_quickly, begin, end),
        cmocka_unit_test_setup_teardown(the_inviting_side_gets_a_second, begin, end),
        cmocka_unit_test_setup_teardown(the_invited_side_may_dial_first, begin, end),
        cmocka_unit_test_setup_teardown(peers_like_us_need_no_courtesy, begin, end),
        cmocka_unit_test_setup_teardown(lost_connections_come_back_in_five_to_ten_seconds, begin, end),
        cmocka_unit_test_setup_teardown(an_inbound_connection_in_between_does_not_end_reconnecting, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_is_still_storing_is_asked_again_soon, begin, end),
        cmocka_unit_test_setup_teardown(within_two_seconds_the_new_connection_goes, begin, end),
        cmocka_unit_test_setup_teardown(later_the_old_connection_goes, begin, end),
        cmocka_unit_test_setup_teardown(a_late_attempt_is_dropped_when_the_peer_came_first, begin, end),
        cmocka_unit_test_setup_teardown(crossing_connections_leave_one, begin, end),
        cmocka_unit_test_setup_teardown(people_can_be_switched_off, begin, end),
        cmocka_unit_test_setup_teardown(forgotten_peers_are_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(dialling_as_a_whole_can_be_switched_off, begin, end),
        cmocka_unit_test_setup_teardown(a_nudge_ends_waiting, begin, end),
        cmocka_unit_test_setup_teardown(the_table_answers_who_is_known, begin, end),
        cmocka_unit_test_setup_teardown(hearsay_stands_against_nobody_else, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
