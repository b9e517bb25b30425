// Contacts tell each other of news: what one may see is there at once, nothing is asked in vain meanwhile, and what is
// none of its business it does not hear of. Who does not say that it listens is not told.
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#include "script.h"

#include "../cmocka_all.h"

enum { AT_ONCE_MS = 200, MINUTE = 60000 };

static int begin(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, 2, NULL, NULL);
    *state = s;
    return 0;
}

static int end(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

static struct hash edit(struct side *side, const char *id, int value)
{
    return side_change(side, "{'$type$':'Doc','id':'%s','s':'%d'}", id, value);
}

static uint64_t passes(const struct side *side)
{
    return chum_session_counts(side->session).passes;
}

// They have met and had nothing to say for some time.
static void meet(struct stage *s)
{
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    stage_wait_passes(s, &s->sides[0], 1);
    stage_wait_passes(s, &s->sides[1], 1);
    stage_sleep(s, 3 * MINUTE);
}

struct expected {
    struct side *side;
    struct hash id, current;
};

static bool is_there(void *ctx)
{
    const struct expected *e = ctx;
    struct hash current = side_current(e->side, &e->id);
    return hash_eq(&current, &e->current);
}

static void news_reach_a_contact_at_once(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash id = edit(alice, "d", 0);
    side_grant_id(alice, &id, bob);
    meet(s);
    for (int i = 1; i <= 5; i++) {
        uint64_t began = pipe_world_now(s->world);
        edit(alice, "d", i);
        chum_session_tell_news(alice->session);
        struct expected e = {bob, id, side_current(alice, &id)};
        stage_wait(s, is_there, &e, "the version that was told of");
        assert_in_range(pipe_world_now(s->world) - began, 0, AT_ONCE_MS);
        stage_sleep(s, (uint64_t)i * 700);
    }
}

static void give_feeds(struct stage *s)
{
    s->sides[0].options.feeds = s->sides[1].options.feeds = true;
}

// One after another, as in a conversation: none waits because one was there just before.
static void news_that_a_feed_brings_do_not_rest(void **state)
{
    enum { TIMES = 20, PAUSE_MS = 5 };
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct hash id = edit(alice, "d", 0);
    side_grant_id(alice, &id, &s->sides[1]);
    give_feeds(s);
    meet(s);
    uint64_t began = pipe_world_now(s->world);
    for (int i = 1; i <= TIMES; i++) {
        edit(alice, "d", i);
        chum_session_tell_news(alice->session);
        struct expected e = {&s->sides[1], id, side_current(alice, &id)};
        stage_wait(s, is_there, &e, "the version that was told of");
        stage_sleep(s, PAUSE_MS);
    }
    assert_in_range(pipe_world_now(s->world) - began, 0, TIMES * PAUSE_MS + AT_ONCE_MS);
}

static void who_is_told_asks_seldom(void **state)
{
    struct stage *s = *state;
    meet(s);
    uint64_t before = passes(&s->sides[1]);
    stage_sleep(s, 10 * MINUTE);
    assert_in_range(passes(&s->sides[1]) - before, 10, 16);
}

static void who_is_told_and_fed_asks_still_less(void **state)
{
    struct stage *s = *state;
    s->sides[0].options.feeds = s->sides[1].options.feeds = true;
    meet(s);
    uint64_t before = passes(&s->sides[1]);
    stage_sleep(s, 10 * MINUTE);
    assert_in_range(passes(&s->sides[1]) - before, 2, 4);
}

static void what_one_may_not_see_is_not_told(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    meet(s);
    uint64_t before = passes(&s->sides[1]);
    for (int i = 0; i < 20; i++) {
        edit(alice, "secret", i);
        chum_session_tell_news(alice->session);
        stage_sleep(s, 100);
    }
    assert_in_range(passes(&s->sides[1]) - before, 0, 1);
}

static void a_burst_of_news_is_told_few_times(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct hash id = edit(alice, "d", 0);
    side_grant_id(alice, &id, &s->sides[1]);
    meet(s);
    uint64_t before = passes(&s->sides[1]);
    for (int i = 1; i <= 50; i++)
        edit(alice, "d", i);
    for (int i = 1; i <= 50; i++)
        chum_session_tell_news(alice->session);
    struct expected e = {&s->sides[1], id, side_current(alice, &id)};
    stage_wait(s, is_there, &e, "the last version");
    stage_sleep(s, 1000);
    assert_in_range(passes(&s->sides[1]) - before, 1, 4);
}

// ---- A peer that does not listen -----------------------------------------------------------------------------------

static bool count_news(void *ctx, struct script *script, const struct rpc_request *r)
{
    unsigned *told = ctx;
    *told += r->service == CHUM_NEW_ACCESSIBLE_ROOT_EVENT;
    (void)script;
    return false;
}

static void ask(struct stage *s, struct script *script, enum chum_service service, const char *range)
{
    char args[80];
    snprintf(args, sizeof args, "['000102030405060708090a0b0c0d0e0f',['%s']]", range);
    script_ask(s, script, service, service == CHUM_SUMS ? args : "[]");
}

// A peer that asks for the version with these arguments, and is asked for nothing itself. service: what it asks for
// before the last change; 0: nothing.
static unsigned times_told_who(const char *greeting, enum chum_service service, const char *range)
{
    struct stage s;
    struct script script = {0};
    unsigned told = 0;
    stage_begin(&s, 2, NULL, NULL);
    script_begin(&script);
    struct side *alice = &s.sides[0];
    struct hash id = edit(alice, "d", 0);
    side_grant_id(alice, &id, &s.sides[1]);
    script.serve = count_news;
    script.ctx = &told;
    json_t *nothing = json_pack("{s:[]}", "roots");
    script.exporter = nothing;
    s.sides[1].script = &script;
    alice->options.feeds = service == CHUM_SUMS;
    stage_connect(&s, alice, &s.sides[1], NULL);
    stage_wait_passes(&s, alice, 1);
    script_ask(&s, &script, CHUM_GET_PROTOCOL_VERSION, greeting);
    if (service == CHUM_SUMS)
        ask(&s, &script, CHUM_SUMS, "");
    for (int i = 1; i <= 3; i++) {
        edit(alice, "d", i);
        chum_session_tell_news(alice->session);
        stage_sleep(&s, 500);
        if (service != 0 && i == 2)
            ask(&s, &script, service, range);
    }
    stage_end(&s);
    script_end(&script);
    json_decref(nothing);
    return told;
}

static unsigned times_told(const char *greeting)
{
    return times_told_who(greeting, 0, "");
}

static void only_who_listens_is_told(void **state)
{
    (void)state;
    assert_int_equal(times_told("[{'news':1}]"), 3);
    assert_int_equal(times_told("[{'news':1,'later':{'a':[]}}]"), 3); // a newer one
    assert_int_equal(times_told("[]"), 0);
    assert_int_equal(times_told("[{'news':0}]"), 0);
    assert_int_equal(times_told("[{'news':'1'}]"), 0);
    assert_int_equal(times_told("[[1],'news']"), 0);
}

// Of what comes before its question it is told once.
static void who_need_not_answer_is_told_again_when_it_has_asked(void **state)
{
    (void)state;
    assert_int_equal(times_told("[{'news':2}]"), 1);
    assert_int_equal(times_told("[{'news':3,'later':{'a':[]}}]"), 1); // a newer one
    assert_int_equal(times_told_who("[{'news':2}]", CHUM_GET_ACCESSIBLE_ROOTS, ""), 2);
    assert_int_equal(times_told_who("[{'news':1}]", CHUM_GET_ACCESSIBLE_ROOTS, ""), 3);
    assert_int_equal(times_told_who("[{'news':2}]", CHUM_SUMS, ""), 2);
    assert_int_equal(times_told_who("[{'news':2}]", CHUM_SUMS, "0"), 1); // of what was added up before
}

static bool count_answers(void *ctx, struct script *script, bool text, struct span message)
{
    unsigned *answers = ctx;
    (void)script;
    *answers += text && memmem(message.ptr, message.len, "\"responseId\"", 12) != NULL;
    return false;
}

static unsigned answers_to(const char *args)
{
    struct stage s;
    struct script script = {0};
    unsigned answers = 0;
    stage_begin(&s, 2, NULL, NULL);
    script_begin(&script);
    json_t *nothing = json_pack("{s:[]}", "roots");
    script.exporter = nothing;
    script.raw = count_answers;
    script.ctx = &answers;
    s.sides[1].script = &script;
    stage_connect(&s, &s.sides[0], &s.sides[1], NULL);
    stage_wait_passes(&s, &s.sides[0], 1);
    rpc_tell(script.rpc, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, span_of(args));
    stage_sleep(&s, 500);
    stage_end(&s);
    script_end(&script);
    json_decref(nothing);
    return answers;
}

// As the reference asks, and as nodes of an earlier version do.
static void who_wants_an_answer_gets_one(void **state)
{
    (void)state;
    assert_int_equal(answers_to("[]"), 1);
    assert_int_equal(answers_to("[\"later\"]"), 1);
    assert_int_equal(answers_to("[\"" CHUM_QUIET "\"]"), 0);
}

// ---- A peer that tells of nothing -----------------------------------------------------------------------------------

static bool feed_nothing(void *ctx, struct script *script, const struct rpc_request *r)
{
    (void)ctx;
    if (r->service == CHUM_FEED)
        rpc_answer_string(script->rpc, r->id, SPAN("7 2 end\n"));
    return r->service == CHUM_FEED;
}

// What it tells of is asked for, but not all the time.
static void news_in_vain_rest(void **state)
{
    enum { TOLD = 200, EACH_MS = 10, REST_MS = 50, FREE = 8 };
    struct stage s;
    struct script script = {0};
    (void)state;
    stage_begin(&s, 2, NULL, NULL);
    script_begin(&script);
    json_t *nothing = json_pack("{s:[]}", "roots");
    script.exporter = nothing;
    script.serve = feed_nothing;
    give_feeds(&s);
    s.sides[1].script = &script;
    stage_connect(&s, &s.sides[0], &s.sides[1], NULL);
    script_ask(&s, &script, CHUM_GET_PROTOCOL_VERSION, "[{'news':2,'feeds':1}]");
    stage_sleep(&s, 1000);
    uint64_t before = passes(&s.sides[0]);
    for (int i = 0; i < TOLD; i++) {
        rpc_tell(script.rpc, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, SPAN("[\"" CHUM_QUIET "\"]"));
        stage_sleep(&s, EACH_MS);
    }
    assert_in_range(passes(&s.sides[0]) - before, 10, TOLD * EACH_MS / REST_MS + FREE);
    stage_end(&s);
    script_end(&script);
    json_decref(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(news_reach_a_contact_at_once, begin, end),
        cmocka_unit_test_setup_teardown(news_that_a_feed_brings_do_not_rest, begin, end),
        cmocka_unit_test_setup_teardown(who_is_told_asks_seldom, begin, end),
        cmocka_unit_test_setup_teardown(who_is_told_and_fed_asks_still_less, begin, end),
        cmocka_unit_test_setup_teardown(what_one_may_not_see_is_not_told, begin, end),
        cmocka_unit_test_setup_teardown(a_burst_of_news_is_told_few_times, begin, end),
        cmocka_unit_test(only_who_listens_is_told),
        cmocka_unit_test(who_need_not_answer_is_told_again_when_it_has_asked),
        cmocka_unit_test(who_wants_an_answer_gets_one),
        cmocka_unit_test(news_in_vain_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
