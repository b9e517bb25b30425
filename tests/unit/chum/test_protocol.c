// A session against a peer that plays a script: starting, asking again, how often it polls, stopping, and peers that
// fail, dawdle or never answer (WIRE.md 10.2, 10.3, 10.7 – 10.9).
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

enum { TIMES = 200 };

struct scene {
    struct stage stage;
    struct side *ours;
    struct script script;
    json_t *exporter;
    uint64_t began;                         // the peer's "synchronisation" was on its way
    unsigned unknown_left;                  // so many requests are answered with UNKNOWN-SERVICE
    const char *version;                    // the answer to the first question, NULL = the right one
    int64_t deaf_to;                        // this service is not answered
    unsigned deaf_left;                     // so many times
    int64_t held;                           // the request that was left unanswered last
    const char *error;                      // of the next list of roots
    uint64_t versions[TIMES], roots[TIMES]; // when each was asked for
    size_t version_count, roots_count;
    unsigned early_answers;
};

static bool serve(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct scene *s = ctx;
    uint64_t now = pipe_world_now(s->stage.world);
    if (r->service == CHUM_GET_PROTOCOL_VERSION && s->version_count < TIMES)
        s->versions[s->version_count++] = now;
    if (r->service == CHUM_GET_ACCESSIBLE_ROOTS && s->roots_count < TIMES)
        s->roots[s->roots_count++] = now;
    if (s->unknown_left != 0) {
        s->unknown_left--;
        rpc_answer_unknown_service(script->rpc, r->id, r->service);
        return true;
    }
    if (s->deaf_to == r->service && s->deaf_left != 0) {
        s->deaf_left--;
        s->held = r->id;
        return true;
    }
    if (r->service == CHUM_GET_PROTOCOL_VERSION && s->version != NULL) {
        rpc_answer_json(script->rpc, r->id, span_of(s->version));
        return true;
    }
    if (r->service == CHUM_GET_ACCESSIBLE_ROOTS && s->error != NULL) {
        rpc_answer_error(script->rpc, r->id, "FileNotFoundError", "File not found", s->error);
        s->error = NULL;
        return true;
    }
    return false;
}

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    stage_begin(&s->stage, 2, NULL, NULL);
    script_begin(&s->script);
    s->ours = &s->stage.sides[0];
    s->script.serve = serve;
    s->script.ctx = s;
    s->script.exporter = s->exporter =
        json_pack("{s:[],s:{},s:{},s:{},s:{}}", "roots", "children", "idChildren", "objects", "blobs");
    s->stage.sides[1].script = &s->script;
    s->deaf_to = -1;
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    stage_end(&s->stage);
    script_end(&s->script);
    json_decref(s->exporter);
    free(s);
    return 0;
}

static bool is_synchronised(void *ctx)
{
    const struct scene *s = ctx;
    return s->script.synchronised && s->ours->session != NULL;
}

static void start(struct scene *s)
{
    stage_connect(&s->stage, s->ours, &s->stage.sides[1], NULL);
    stage_wait(&s->stage, is_synchronised, s, "synchronisation");
    s->began = pipe_world_now(s->stage.world);
}

static void start_and_pass(struct scene *s)
{
    start(s);
    stage_wait_passes(&s->stage, s->ours, 1);
}

static void sleep_ms(struct scene *s, uint64_t ms)
{
    stage_sleep(&s->stage, ms);
}

static void expect_closed(struct scene *s, const char *reason)
{
    const char *got = pipe_closed(s->stage.ends[0]);
    assert_null(s->ours->session);
    assert_non_null(got);
    if (strstr(got, reason) == NULL)
        fail_msg("closed with: %s", got);
}

// ---- Starting ------------------------------------------------------------------------------------------------------

static void a_reference_peer_is_given_time(void **state)
{
    struct scene *s = *state;
    start(s);
    sleep_ms(s, 50);
    assert_int_equal(s->version_count, 0);
    sleep_ms(s, 30);
    assert_int_equal(s->version_count, 1);
}

static void a_tandem_peer_is_asked_at_once(void **state)
{
    struct scene *s = *state;
    s->ours->options.peer_is_own = true;
    start(s);
    sleep_ms(s, 1);
    assert_int_equal(s->version_count, 1);
}

static void early_answer(void *ctx, const struct rpc_reply *reply)
{
    struct scene *s = ctx;
    s->early_answers += reply->kind == RPC_DATA && json_integer_value(reply->data) == CHUM_PROTOCOL_VERSION;
}

static const char *ready_and_hasty(void *ctx, struct conn *c, enum conn_group group)
{
    struct side *peer = ctx;
    struct scene *s = peer->script->ctx;
    (void)group;
    script_play(peer->script, c);
    rpc_call(peer->script->rpc, CHUM_GET_PROTOCOL_VERSION, SPAN("[]"), conn_now(c), 60000, early_answer, s);
    return NULL;
}

// The reference loses it (WIRE.md 10.2).
static void a_question_right_behind_the_synchronisation_is_answered(void **state)
{
    struct scene *s = *state;
    s->stage.sides[1].node.host.ready = ready_and_hasty;
    start_and_pass(s);
    assert_int_equal(s->early_answers, 1);
}

static void a_peer_without_services_yet_is_asked_again(void **state)
{
    struct scene *s = *state;
    s->unknown_left = 15;
    start_and_pass(s);
    assert_int_equal(s->version_count, 16);
    assert_in_range(s->versions[1] - s->versions[0], 300, 310);
    assert_int_equal(s->ours->importing, 1);
}

static void a_peer_without_services_is_given_up(void **state)
{
    struct scene *s = *state;
    s->unknown_left = 1000;
    start(s);
    stage_wait_closed(&s->stage, s->ours);
    assert_int_equal(s->version_count, 16);
    expect_closed(s, "Close called: Chum ended [");
    expect_closed(s, "UNKNOWN-SERVICE");
}

static void a_lost_first_question_is_repeated(void **state)
{
    struct scene *s = *state;
    s->deaf_to = CHUM_GET_PROTOCOL_VERSION;
    s->deaf_left = 1;
    start_and_pass(s);
    assert_int_equal(s->version_count, 2);
}

static void a_peer_that_never_answers_is_given_up(void **state)
{
    struct scene *s = *state;
    s->deaf_to = CHUM_GET_PROTOCOL_VERSION;
    s->deaf_left = 1000;
    start(s);
    stage_wait_closed(&s->stage, s->ours);
    assert_int_equal(s->version_count, 2);
}

static void another_version_ends_it(void **state)
{
    struct scene *s = *state;
    s->version = "7";
    start(s);
    stage_wait_closed(&s->stage, s->ours);
    expect_closed(s, "Close called: Chum ended [");
    expect_closed(s, "] with error: Error: CS-MISMATCH: [");
    expect_closed(s, "] Chum protocol mismatch, local: 8, remote: 7");
}

static void the_version_has_to_be_a_number(void **state)
{
    struct scene *s = *state;
    s->version = "\"8\"";
    start(s);
    stage_wait_closed(&s->stage, s->ours);
    expect_closed(s, "CS-MISMATCH");
}

static bool is_authenticated(void *ctx)
{
    return ((struct side *)ctx)->session != NULL;
}

static bool swallow_from_peer(void *ctx, int from, bool *text, struct buf *payload)
{
    const struct scene *s = ctx;
    (void)text, (void)payload;
    return from == 0 || s->ours->session == NULL;
}

static void a_peer_that_does_not_synchronise_is_given_up(void **state)
{
    struct scene *s = *state;
    struct pipe_line line = {swallow_from_peer, s};
    stage_connect(&s->stage, s->ours, &s->stage.sides[1], &line);
    stage_wait(&s->stage, is_authenticated, s->ours, "the session");
    stage_wait_closed(&s->stage, s->ours);
    assert_int_equal(s->version_count, 0);
}

// ---- Polling -------------------------------------------------------------------------------------------------------

// The pause before the last list of roots was asked for.
static uint64_t last_pause(const struct scene *s)
{
    assert_in_range(s->roots_count, 2, TIMES);
    return s->roots[s->roots_count - 1] - s->roots[s->roots_count - 2];
}

static void an_active_session_polls_often_then_every_five_seconds(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    sleep_ms(s, 10000);
    assert_in_range(last_pause(s), 800, 810);
    sleep_ms(s, 60000);
    assert_in_range(last_pause(s), 5000, 5100);
    chum_session_keep_active(s->ours->session, 20000);
    sleep_ms(s, 3000);
    assert_in_range(last_pause(s), 800, 810);
    sleep_ms(s, 30000);
    assert_in_range(last_pause(s), 5000, 5100);
}

static void an_own_node_is_asked_rarely_because_it_tells(void **state)
{
    struct scene *s = *state;
    s->ours->options.peer_is_own = true;
    start_and_pass(s);
    sleep_ms(s, 50000);
    assert_in_range(last_pause(s), 15000, 15010);
    sleep_ms(s, 150000);
    assert_in_range(last_pause(s), 45000, 60010);
    script_ask(&s->stage, &s->script, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, "[]");
    sleep_ms(s, 100);
    assert_in_range(last_pause(s), 0, 44990);
}

static bool holds_one(void *ctx)
{
    return ((struct scene *)ctx)->deaf_left == 0;
}

static void answer_late(struct scene *s)
{
    s->deaf_to = CHUM_GET_ACCESSIBLE_ROOTS;
    s->deaf_left = 1;
    stage_wait(&s->stage, holds_one, s, "the next question");
    sleep_ms(s, 700);
    rpc_answer_string(s->script.rpc, s->held, SPAN("[]"));
}

// The reference ends its process when a connection closes before its answer is sent (WIRE.md 13.18).
static void it_winds_up_when_its_question_is_answered(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    s->deaf_to = CHUM_GET_ACCESSIBLE_ROOTS;
    s->deaf_left = 1;
    stage_wait(&s->stage, holds_one, s, "the next question");
    conn_wind_up(chum_session_conn(s->ours->session), "enough");
    sleep_ms(s, 500);
    assert_non_null(s->ours->session);
    rpc_answer_string(s->script.rpc, s->held, SPAN("[]"));
    sleep_ms(s, 100);
    assert_null(s->ours->session);
}

static void a_slow_peer_is_polled_less_often(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    answer_late(s);
    sleep_ms(s, 1100); // once may be an accident
    assert_in_range(last_pause(s), 800, 810);
    answer_late(s);
    answer_late(s);
    sleep_ms(s, 13500);
    assert_in_range(last_pause(s), 14000, 14100); // 20 times 700 ms
}

static void a_poke_asks_now(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    sleep_ms(s, 70000);
    size_t before = s->roots_count;
    sleep_ms(s, 200);
    chum_session_poke(s->ours->session);
    sleep_ms(s, 10);
    assert_in_range(s->roots_count, before + 1, before + 2);
}

static void an_unchanged_list_is_not_looked_at_again(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    sleep_ms(s, 10000);
    assert_in_range(chum_session_counts(s->ours->session).passes, 12, 14);
    assert_int_equal(s->ours->passed, 1);
}

// ---- Roots ---------------------------------------------------------------------------------------------------------

static struct hash offer(struct scene *s, const char *text)
{
    struct error e;
    struct object o;
    struct side *peer = &s->stage.sides[1];
    struct value *v = value_object(peer->arena, SPAN("Child"));
    value_set_member(peer->arena, v, SPAN("x"), value_text(peer->arena, text));
    assert_int_equal(object_make(peer->recipes, peer->arena, v, MICRODATA_OBJECT, &o, &e), STATUS_OK);
    const char *hash = arena_copy(peer->arena, span_of(hash_text(&o.hash).s)).ptr;
    json_array_append_new(json_object_get(s->exporter, "roots"),
                          json_pack("{s:s,s:s,s:s}", "type", "unversioned", "hash", hash, "oneType", "Child"));
    json_object_set_new(json_object_get(s->exporter, "children"), hash, json_array());
    json_object_set_new(json_object_get(s->exporter, "objects"), hash, json_stringn(o.microdata.ptr, o.microdata.len));
    return o.hash;
}

static void a_failing_list_is_an_empty_pass(void **state)
{
    struct scene *s = *state;
    struct hash leaf = offer(s, "1");
    s->error = "SB-READ2";
    start(s);
    stage_wait_passes(&s->stage, s->ours, 1);
    assert_int_equal(s->roots_count, 2);
    assert_int_equal(side_presence(s->ours, &leaf), STORE_PRESENT);
}

static void an_unanswered_list_ends_it(void **state)
{
    struct scene *s = *state;
    s->deaf_to = CHUM_GET_ACCESSIBLE_ROOTS;
    s->deaf_left = 1;
    start(s);
    sleep_ms(s, 50000);
    assert_non_null(s->ours->session);
    sleep_ms(s, 20000);
    assert_null(s->ours->session);
}

static bool has_failed(void *ctx)
{
    return ((struct side *)ctx)->failures.len != 0;
}

static void a_root_that_failed_is_tried_again(void **state)
{
    struct scene *s = *state;
    struct hash good = offer(s, "1");
    struct hash bad = offer(s, "2");
    json_t *objects = json_object_get(s->exporter, "objects");
    json_t *right = json_incref(json_object_get(objects, hash_text(&bad).s));
    json_object_set_new(objects, hash_text(&bad).s, json_string("<div"));
    start(s);
    stage_wait(&s->stage, has_failed, s->ours, "a failure");
    stage_wait_passes(&s->stage, s->ours, 1);
    assert_int_equal(side_presence(s->ours, &good), STORE_PRESENT);
    assert_int_equal(chum_session_counts(s->ours->session).failed_roots, 1);
    json_object_set_new(objects, hash_text(&bad).s, right);
    stage_wait_passes(&s->stage, s->ours, 5); // the first pause is 2 s
    assert_int_equal(side_presence(s->ours, &bad), STORE_PRESENT);
    assert_int_equal(chum_session_counts(s->ours->session).failed_roots, 0);
    assert_string_equal(buf_cstr(&s->ours->failures), "CIEC-FO2 ");
}

// ---- Answers out of order ------------------------------------------------------------------------------------------

enum { HELD = 4 };

struct backwards { // answers requests for objects in fours, the last first
    int64_t ids[HELD];
    json_t *args[HELD];
    size_t count;
    unsigned rounds;
};

static struct backwards backwards;

static bool serve_backwards(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct backwards *b = &backwards;
    if (r->service != CHUM_GET_OBJECT)
        return serve(ctx, script, r);
    b->ids[b->count] = r->id;
    b->args[b->count++] = json_deep_copy(r->args);
    if (b->count == HELD) {
        for (size_t i = HELD; i-- > 0;) {
            const json_t *hash = json_array_get(b->args[i], 0);
            const json_t *text = json_object_get(json_object_get(script->exporter, "objects"), json_string_value(hash));
            rpc_answer_string(script->rpc, b->ids[i], (struct span){json_string_value(text), json_string_length(text)});
            json_decref(b->args[i]);
        }
        b->count = 0;
        b->rounds++;
    }
    return true;
}

static void answers_may_come_in_any_order(void **state)
{
    struct scene *s = *state;
    struct hash hashes[8];
    backwards = (struct backwards){.count = 0};
    for (size_t i = 0; i < 8; i++)
        hashes[i] = offer(s, (const char[]){(char)('a' + i), '\0'});
    s->script.serve = serve_backwards;
    start_and_pass(s);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(side_presence(s->ours, &hashes[i]), STORE_PRESENT);
    assert_int_equal(backwards.rounds, 2);
    assert_int_equal(s->ours->failures.len, 0);
}

// ---- Stopping ------------------------------------------------------------------------------------------------------

static void stopping_waits_for_our_answers(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    s->deaf_to = CHUM_GET_ACCESSIBLE_ROOTS;
    s->deaf_left = 1;
    stage_wait(&s->stage, holds_one, s, "the next question");
    chum_session_stop(s->ours->session, "bye");
    sleep_ms(s, 100);
    assert_non_null(s->ours->session);
    rpc_answer_string(s->script.rpc, s->held, SPAN("[]"));
    sleep_ms(s, 100);
    expect_closed(s, "Close called: bye");
}

static void stopping_does_not_wait_for_ever(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    s->deaf_to = CHUM_GET_ACCESSIBLE_ROOTS;
    s->deaf_left = 1;
    stage_wait(&s->stage, holds_one, s, "the next question");
    chum_session_stop(s->ours->session, NULL);
    sleep_ms(s, 5000);
    expect_closed(s, "Close called.");
}

static void an_idle_session_stops_at_once(void **state)
{
    struct scene *s = *state;
    start_and_pass(s);
    sleep_ms(s, 1500);
    chum_session_stop(s->ours->session, "bye");
    sleep_ms(s, 1);
    expect_closed(s, "Close called: bye");
    assert_int_equal(s->ours->closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reference_peer_is_given_time, begin, end),
        cmocka_unit_test_setup_teardown(a_tandem_peer_is_asked_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_question_right_behind_the_synchronisation_is_answered, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_without_services_yet_is_asked_again, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_without_services_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(a_lost_first_question_is_repeated, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_never_answers_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(another_version_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(the_version_has_to_be_a_number, begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_does_not_synchronise_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(an_active_session_polls_often_then_every_five_seconds, begin, end),
        cmocka_unit_test_setup_teardown(an_own_node_is_asked_rarely_because_it_tells, begin, end),
        cmocka_unit_test_setup_teardown(it_winds_up_when_its_question_is_answered, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_peer_is_polled_less_often, begin, end),
        cmocka_unit_test_setup_teardown(a_poke_asks_now, begin, end),
        cmocka_unit_test_setup_teardown(an_unchanged_list_is_not_looked_at_again, begin, end),
        cmocka_unit_test_setup_teardown(a_failing_list_is_an_empty_pass, begin, end),
        cmocka_unit_test_setup_teardown(an_unanswered_list_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(a_root_that_failed_is_tried_again, begin, end),
        cmocka_unit_test_setup_teardown(answers_may_come_in_any_order, begin, end),
        cmocka_unit_test_setup_teardown(stopping_waits_for_our_answers, begin, end),
        cmocka_unit_test_setup_teardown(stopping_does_not_wait_for_ever, begin, end),
        cmocka_unit_test_setup_teardown(an_idle_session_stops_at_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
