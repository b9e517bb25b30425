// Whose turn it is to dial: what persons announce by the thousand costs a bounded number of attempts, and nobody waits
// for others' sake for long. No connections here: an attempt is under way until the test says that it failed.
#include "conn/routes.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERSONS = 120, ATTEMPTS = 100000, PORTS = 65536 };

struct scene {
    struct routes *routes;
    struct routes_host host;
    struct conn_identity self;
    uint64_t now, wake;
    unsigned under_way, most_under_way, dialled;
    unsigned by_person[PERSONS]; // attempts so far; the person is in the instance key
    unsigned under_way_of[PERSONS], most_of_one;
    uint8_t person_of[ATTEMPTS]; // by attempt
    bool open[ATTEMPTS];
    uint64_t first_open, last;
    bool ports[PORTS]; // dialled ones
};

static uint64_t now(void *ctx)
{
    return ((struct scene *)ctx)->now;
}

static uint32_t pick(void *ctx)
{
    (void)ctx;
    return 0;
}

static void dial(void *ctx, uint64_t attempt, const char *url, const struct conn_identity *local,
                 const struct public_key *remote)
{
    struct scene *s = ctx;
    (void)local;
    assert_true(attempt < ATTEMPTS);
    unsigned person = remote->b[0];
    s->person_of[attempt] = (uint8_t)person;
    s->open[attempt] = true;
    s->last = attempt;
    s->dialled++;
    s->by_person[person]++;
    if (++s->under_way > s->most_under_way)
        s->most_under_way = s->under_way;
    if (++s->under_way_of[person] > s->most_of_one)
        s->most_of_one = s->under_way_of[person];
    s->ports[strtoul(strrchr(url, ':') + 1, NULL, 10)] = true;
}

static void ended(struct scene *s, uint64_t attempt)
{
    s->open[attempt] = false;
    s->under_way--;
    s->under_way_of[s->person_of[attempt]]--;
}

static void cancel(void *ctx, uint64_t attempt)
{
    ended(ctx, attempt);
}

static void wake_at(void *ctx, uint64_t monotonic_ms)
{
    ((struct scene *)ctx)->wake = monotonic_ms;
}

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    s->now = s->first_open = 1;
    s->host =
        (struct routes_host){.ctx = s, .now = now, .random = pick, .dial = dial, .cancel = cancel, .wake_at = wake_at};
    s->routes = routes_create(&s->host, 10000);
    memset(s->self.instance_public.b, 0xff, sizeof s->self.instance_public.b);
    routes_add_local(s->routes, &s->self);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    routes_destroy(s->routes);
    free(s);
    return 0;
}

static struct routes_endpoint instance(uint8_t person, uint32_t number, const char *url)
{
    struct routes_endpoint e = {.urls = {url}};
    e.person.b[0] = e.person.b[1] = person;
    e.instance_key.b[0] = person;
    memcpy(e.instance_key.b + 1, &number, sizeof number);
    return e;
}

static enum status learn(struct scene *s, uint8_t person, uint32_t number, const char *url)
{
    struct error e;
    struct routes_endpoint endpoint = instance(person, number, url);
    return routes_learn(s->routes, &endpoint, ROUTES_STORED, &e);
}

static void refuse_all(struct scene *s)
{
    struct error why;
    error_set(&why, STATUS_IO, "UNREACHABLE", "no answer");
    for (uint64_t a = s->first_open; a <= s->last; a++) {
        if (!s->open[a])
            continue;
        ended(s, a);
        routes_failed(s->routes, a, &why);
    }
    s->first_open = s->last + 1;
}

// Lets time pass; every attempt is refused after one ms, unless it hangs.
static void pass(struct scene *s, uint64_t ms, bool hang)
{
    for (uint64_t until = s->now + ms; s->now < until;) {
        if (s->wake != 0 && s->wake <= s->now)
            routes_on_time(s->routes);
        uint64_t next = s->wake != 0 && s->wake < until ? s->wake : until;
        s->now = (s->under_way != 0 && !hang) || next <= s->now ? s->now + 1 : next;
        if (!hang)
            refuse_all(s);
    }
}

static unsigned ports_dialled(const struct scene *s)
{
    unsigned count = 0;
    for (size_t i = 0; i < PORTS; i++)
        count += s->ports[i];
    return count;
}

static void of_one_person_few_instances_count(void **state)
{
    struct scene *s = *state;
    char url[64];
    for (uint32_t i = 0; i < 3000; i++) {
        snprintf(url, sizeof url, "ws://198.51.100.%u:%u", i % 250, 1000 + i);
        assert_int_equal(learn(s, 1, i, url), i < ROUTES_INSTANCES ? STATUS_OK : STATUS_FULL);
    }
    assert_int_equal(learn(s, 2, 0, "ws://203.0.113.1:1"), STATUS_OK); // the others have room
    pass(s, 3000, true);
    assert_int_equal(s->under_way_of[1], ROUTES_DIALS_EACH);
    assert_int_equal(s->by_person[2], 1);
    pass(s, 60000, true); // none of them opens: each is given up and the next has its turn
    assert_int_equal(s->most_of_one, ROUTES_DIALS_EACH);
    assert_int_equal(ports_dialled(s), ROUTES_INSTANCES + 1);
}

static void turns_go_round_among_persons(void **state)
{
    struct scene *s = *state;
    char url[64];
    for (uint32_t i = 0; i < ROUTES_INSTANCES; i++)
        for (unsigned person = 0; person < PERSONS; person++) {
            snprintf(url, sizeof url, "ws://198.51.100.%u:%u", person, 1000 + i);
            if (person % 10 != 0 || i == 0) // every tenth has one instance only
                assert_int_equal(learn(s, (uint8_t)person, i, url), STATUS_OK);
        }
    pass(s, 2, true);
    assert_int_equal(s->under_way, ROUTES_DIALS);
    assert_int_equal(s->most_of_one, 1);
    pass(s, 40, false); // 32 at a time: four rounds for everybody's first
    for (unsigned person = 0; person < PERSONS; person++)
        assert_true(s->by_person[person] >= 1);
    assert_int_equal(s->most_under_way, ROUTES_DIALS);
}

static void a_profile_is_no_list_of_ports(void **state)
{
    struct scene *s = *state;
    char url[64];
    for (uint32_t round = 0; round < 100; round++) { // the person writes its profile anew, with other keys
        for (uint32_t i = 0; i < ROUTES_INSTANCES; i++) {
            snprintf(url, sizeof url, "ws://%s:%u", i % 2 == 0 ? "127.0.0.1" : "192.168.7.1", 2000 + 16 * round + i);
            assert_int_equal(learn(s, 1, 16 * round + i, url), STATUS_OK);
        }
        pass(s, 20000, false);
        for (uint32_t i = 0; i < ROUTES_INSTANCES; i++) {
            struct routes_endpoint e = instance(1, 16 * round + i, NULL);
            routes_forget(s->routes, NULL, &e.instance_key);
        }
    }
    assert_true(ports_dialled(s) >= 4);
    assert_true(ports_dialled(s) <= 8);
    assert_int_equal(learn(s, 2, 0, "ws://localhost:8765"), STATUS_OK); // what peers do announce
    pass(s, 100, false);
    assert_true(s->ports[8765]);
    pass(s, 3700000, true); // an hour later the person may have moved
    assert_int_equal(learn(s, 1, 1, "ws://10.0.0.1:4711"), STATUS_OK);
    pass(s, 1000, true);
    assert_true(s->ports[4711]);
}

static void names_do_not_lead_around_that(void **state)
{
    struct scene *s = *state;
    assert_int_equal(learn(s, 1, 0, "ws://one.example:1"), STATUS_OK);
    pass(s, 2, true);
    uint16_t allowed = 0;
    for (uint16_t port = 1; port < 100; port++)
        allowed += routes_may_reach(s->routes, 1, port % 2 != 0 ? "127.0.1.1" : "fd00::1", port);
    assert_int_equal(allowed, 8);
    assert_false(routes_may_reach(s->routes, 1, "::ffff:10.1.2.3", 100));
    assert_true(routes_may_reach(s->routes, 1, "127.0.1.1", 1)); // one of the eight
    assert_true(routes_may_reach(s->routes, 1, "203.0.113.1", 100));
    assert_false(routes_may_reach(s->routes, 2, "203.0.113.1", 100)); // no such attempt
}

static void where_nothing_answers_all_routes_wait(void **state)
{
    struct scene *s = *state;
    for (uint32_t i = 0; i < ROUTES_INSTANCES; i++)
        assert_int_equal(learn(s, 1, i, "ws://198.51.100.7:80"), STATUS_OK);
    pass(s, 4000, false);
    assert_true(s->dialled <= ROUTES_DIALS_EACH); // those begun before the first had failed
    pass(s, 60000, false);
    assert_true(s->dialled <= 4 * ROUTES_DIALS_EACH);
    unsigned before = s->dialled;
    routes_nudge(s->routes); // the network is back
    pass(s, 2, true);
    assert_true(s->dialled > before);
}

static uint64_t wait_a_second(void *ctx, const struct hash *person)
{
    const struct scene *s = ctx;
    return s->now < 1000 && person->b[0] == 1 ? 1000 - s->now : 0;
}

static void a_rate_is_kept_to(void **state)
{
    struct scene *s = *state;
    s->host.wait = wait_a_second;
    assert_int_equal(learn(s, 1, 0, "ws://198.51.100.7:80"), STATUS_OK);
    assert_int_equal(learn(s, 2, 0, "ws://198.51.100.8:80"), STATUS_OK);
    pass(s, 900, true);
    assert_int_equal(s->by_person[1], 0);
    assert_int_equal(s->by_person[2], 1);
    pass(s, 200, true);
    assert_int_equal(s->by_person[1], 1);
}

static void own_nodes_have_their_way(void **state)
{
    struct scene *s = *state;
    char url[64];
    for (unsigned person = 1; person < 50; person++)
        for (uint32_t i = 0; i < 4; i++) {
            snprintf(url, sizeof url, "ws://198.51.100.%u:%u", person, 1000 + i);
            assert_int_equal(learn(s, (uint8_t)person, i, url), STATUS_OK);
        }
    pass(s, 3, true);
    assert_int_equal(s->under_way, ROUTES_DIALS);
    struct routes_endpoint own = instance(0, 0, "ws://localhost:8765");
    assert_int_equal(routes_learn(s->routes, &own, ROUTES_STORED, NULL), STATUS_OK);
    routes_set_own(s->routes, &own.instance_key);
    pass(s, 2, true);
    assert_int_equal(s->by_person[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_one_person_few_instances_count, begin, end),
        cmocka_unit_test_setup_teardown(turns_go_round_among_persons, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_is_no_list_of_ports, begin, end),
        cmocka_unit_test_setup_teardown(names_do_not_lead_around_that, begin, end),
        cmocka_unit_test_setup_teardown(where_nothing_answers_all_routes_wait, begin, end),
        cmocka_unit_test_setup_teardown(a_rate_is_kept_to, begin, end),
        cmocka_unit_test_setup_teardown(own_nodes_have_their_way, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
