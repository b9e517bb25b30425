// Own nodes do not send each other a root list twice; everybody else is asked and answered as ever.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

enum { MINUTE = 60000, IDLE_BYTES_MAX = 5000, MESSAGES = 50 };

// ---- Asking --------------------------------------------------------------------------------------------------------

static unsigned lists;      // sent whole
static unsigned unchanged;  // answered instead
static unsigned of_service; // requests for the list that were, to the byte, those of the reference

// An own node of this version whose list never changes.
static bool serve_list_once(void *ctx, struct script *script, const struct rpc_request *r)
{
    const char *word = json_string_value(json_array_get(r->args, 0));
    (void)ctx;
    if (r->service != CHUM_GET_ACCESSIBLE_ROOTS)
        return false;
    if (word == NULL || strcmp(word, CHUM_UNCHANGED) != 0) {
        lists++;
        return false;
    }
    unchanged++;
    rpc_answer_string(script->rpc, r->id, SPAN(CHUM_UNCHANGED));
    return true;
}

static void begin_own(struct gallery *g)
{
    lists = unchanged = 0;
    g->ours->options.peer_is_own = true;
    g->script.serve = serve_list_once;
}

static void an_own_node_sends_its_list_once(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    begin_own(g);
    gallery_pass(g);
    stage_sleep(&g->stage, 2 * MINUTE);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_int_equal(lists, 1);
    assert_int_equal(unchanged, 5); // four in the first minute
    assert_int_equal(chum_session_counts(g->ours->session).passes, 6);
}

static void what_failed_is_tried_again_with_the_kept_list(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    json_t *objects = json_object_get(g->exporter, "objects");
    json_t *right = json_incref(json_object_get(objects, hash_text(&root).s));
    gallery_root(g, &root, "Child");
    json_object_set_new(objects, hash_text(&root).s, json_string("<div"));
    begin_own(g);
    gallery_pass(g);
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 1);
    json_object_set_new(objects, hash_text(&root).s, right);
    stage_sleep(&g->stage, 5000);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_int_equal(chum_session_counts(g->ours->session).failed_roots, 0);
    assert_int_equal(lists, 1);
}

static bool wants_now;

static bool wants(void *ctx, struct store *s, const struct hash *sender, struct span type, const struct hash *id_hash)
{
    (void)ctx, (void)s, (void)sender, (void)type, (void)id_hash;
    return wants_now;
}

static void what_is_wanted_later_is_found_in_the_kept_list(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    g->ours->policy.wants = wants;
    wants_now = false;
    begin_own(g);
    gallery_pass(g);
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
    wants_now = true;
    stage_sleep(&g->stage, 20000);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
    assert_int_equal(lists, 1);
}

static bool expect_plain(void *ctx, struct script *script, bool text, struct span message)
{
    static const char service[] = "\"serviceId\":2,";
    char plain[80];
    (void)ctx, (void)script;
    if (!text || memmem(message.ptr, message.len, service, sizeof service - 1) == NULL)
        return false;
    snprintf(plain, sizeof plain, "{\"requestId\":%u,\"type\":\"request\",\"serviceId\":2,\"args\":[]}",
             of_service + 1);
    assert_true(span_eq_text(message, plain));
    of_service++;
    return false;
}

static void nobody_else_is_asked_otherwise(void **state)
{
    struct gallery *g = *state;
    of_service = 0;
    g->script.raw = expect_plain;
    gallery_pass(g);
    stage_sleep(&g->stage, MINUTE);
    assert_in_range(of_service, 50, 100);
}

static bool serve_unasked(void *ctx, struct script *script, const struct rpc_request *r)
{
    (void)ctx;
    if (r->service != CHUM_GET_ACCESSIBLE_ROOTS || lists++ == 0)
        return false;
    rpc_answer_string(script->rpc, r->id, SPAN(CHUM_UNCHANGED));
    return true;
}

static void nobody_else_may_answer_so(void **state)
{
    struct gallery *g = *state;
    lists = 0;
    g->script.serve = serve_unasked;
    gallery_pass(g);
    stage_wait_closed(&g->stage, g->ours);
    assert_int_equal(lists, 2);
    assert_non_null(strstr(pipe_closed(g->stage.ends[0]), "DAH-PAO1"));
}

// ---- Answering -----------------------------------------------------------------------------------------------------

static bool is_own;

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return is_own;
}

static struct hash grant_another(struct gallery *g)
{
    static unsigned number;
    struct hash root = side_put(g->ours, "{'$type$':'Child','x':'%u'}", number++);
    side_grant(g->ours, &root, g->peer);
    return root;
}

static const char *roots(struct gallery *g, const char *args)
{
    script_ask(&g->stage, &g->script, CHUM_GET_ACCESSIBLE_ROOTS, args);
    assert_int_equal(g->script.error.status, STATUS_OK);
    return script_data(&g->script);
}

static void connect_as(struct gallery *g, bool own)
{
    is_own = own;
    g->ours->policy.is_own = person_is_own;
    while (g->script.rpc != NULL) // the last one is being closed
        stage_step(&g->stage);
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
}

static void an_own_node_is_spared_the_list_it_has(void **state)
{
    struct gallery *g = *state;
    struct hash one = grant_another(g);
    connect_as(g, true);
    assert_non_null(strstr(roots(g, "['unchanged']"), hash_text(&one).s)); // it was answered none
    assert_string_equal(roots(g, "['unchanged']"), "\"unchanged\"");
    assert_non_null(strstr(roots(g, "[]"), hash_text(&one).s));
    struct hash two = grant_another(g);
    assert_non_null(strstr(roots(g, "['unchanged']"), hash_text(&two).s));
    assert_string_equal(roots(g, "['unchanged']"), "\"unchanged\"");
    stage_disconnect(&g->stage, g->ours);
    connect_as(g, true);
    assert_non_null(strstr(roots(g, "['unchanged']"), hash_text(&two).s));
}

static void nobody_else_is_answered_otherwise(void **state)
{
    struct gallery *g = *state;
    grant_another(g);
    connect_as(g, false);
    char *list = strdup(roots(g, "[]"));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(roots(g, "['unchanged']"), list);
    free(list);
}

// ---- Both ----------------------------------------------------------------------------------------------------------

static uint64_t bytes(const struct stage *s)
{
    return s->ends[0]->bytes_sent + s->ends[1]->bytes_sent;
}

static void own_nodes_say_little_while_nothing_happens(void **state)
{
    struct stage *s = *state;
    struct hash ignored[MESSAGES];
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    side_put_many(alice, bob, MESSAGES, ignored);
    side_put_many(bob, alice, MESSAGES, ignored);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, alice, 1);
    stage_wait_passes(s, bob, 1);
    stage_sleep(s, MINUTE);
    uint64_t before = bytes(s);
    stage_sleep(s, MINUTE);
    assert_in_range(bytes(s) - before, 1, IDLE_BYTES_MAX);
    struct hash late = side_put(alice, "{'$type$':'Child','x':'late'}");
    side_grant(alice, &late, bob);
    stage_sleep(s, 5 * MINUTE + 1000);
    assert_int_equal(side_presence(bob, &late), STORE_PRESENT);
}

static int begin_two(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, 2, NULL, NULL);
    is_own = true;
    for (size_t i = 0; i < 2; i++) {
        s->sides[i].options.peer_is_own = true;
        s->sides[i].policy.is_own = person_is_own;
    }
    *state = s;
    return 0;
}

static int end_two(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GALLERY_TEST(an_own_node_sends_its_list_once),
        GALLERY_TEST(what_failed_is_tried_again_with_the_kept_list),
        GALLERY_TEST(what_is_wanted_later_is_found_in_the_kept_list),
        GALLERY_TEST(nobody_else_is_asked_otherwise),
        GALLERY_TEST(nobody_else_may_answer_so),
        GALLERY_TEST(an_own_node_is_spared_the_list_it_has),
        GALLERY_TEST(nobody_else_is_answered_otherwise),
        cmocka_unit_test_setup_teardown(own_nodes_say_little_while_nothing_happens, begin_two, end_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
