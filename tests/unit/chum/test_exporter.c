// What a peer is shown and given: lists that follow what is granted, and peers that ask more than they read.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

static bool is_listed(struct gallery *g, const struct hash *hash)
{
    script_ask(&g->stage, &g->script, CHUM_GET_ACCESSIBLE_ROOTS, "[]");
    assert_int_equal(g->script.error.status, STATUS_OK);
    return strstr(script_data(&g->script), hash_text(hash).s) != NULL;
}

static void the_list_follows_what_is_granted(void **state)
{
    struct gallery *g = *state;
    struct hash one = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    struct hash two = side_put(g->ours, "{'$type$':'Child','x':'2'}");
    side_grant(g->ours, &one, g->peer);
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    for (size_t i = 0; i < 3; i++) {
        assert_true(is_listed(g, &one));
        assert_false(is_listed(g, &two));
    }
    side_grant(g->ours, &two, g->peer);
    assert_true(is_listed(g, &one));
    assert_true(is_listed(g, &two));
    side_change(g->ours, "{'$type$':'Access','object':'%s','person':[],'group':[]}", hash_text(&one).s);
    assert_false(is_listed(g, &one));
    assert_true(is_listed(g, &two));
}

static const char *refusal(struct gallery *g, int64_t service, const struct hash *hash)
{
    char args[80];
    snprintf(args, sizeof args, "['%s']", hash_text(hash).s);
    script_ask(&g->stage, &g->script, service, args);
    return g->script.error.code;
}

static bool serves_but_children(void *ctx, struct store *s, const struct hash *person, struct span type,
                                const struct hash *what)
{
    (void)ctx, (void)s, (void)person;
    assert_false(hash_is_zero(what));
    assert_true(span_eq_text(type, "Item") || span_eq_text(type, "Child") || span_eq_text(type, "Link"));
    return !span_eq_text(type, "Child");
}

static void what_the_policy_keeps_back_is_not_listed(void **state)
{
    struct gallery *g = *state;
    struct hash link = side_put(g->ours, "{'$type$':'Link','text':'a'}");
    struct hash child = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    struct hash item = side_change(g->ours, "{'$type$':'Item','id':'one','x':'1'}");
    side_grant(g->ours, &child, g->peer);
    side_grant(g->ours, &link, g->peer);
    side_grant_id(g->ours, &item, g->peer);
    g->ours->policy.serves = serves_but_children;
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    assert_false(is_listed(g, &child));
    assert_true(is_listed(g, &link));
    assert_true(is_listed(g, &item));
    assert_string_equal(refusal(g, CHUM_GET_OBJECT, &child), "CES-GO1");
}

static void nothing_is_given_before_it_was_shown(void **state)
{
    struct gallery *g = *state;
    struct hash leaf = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    struct hash root = side_put(g->ours, "{'$type$':'Link','text':'a','next':'%s'}", hash_text(&leaf).s);
    side_grant(g->ours, &root, g->peer);
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    assert_string_equal(refusal(g, CHUM_GET_OBJECT, &root), "CES-GO1");
    assert_string_equal(refusal(g, CHUM_GET_OBJECT_CHILDREN, &root), "CES-GOC1");
    assert_true(is_listed(g, &root));
    assert_string_equal(refusal(g, CHUM_GET_OBJECT, &root), "");
    assert_string_equal(refusal(g, CHUM_GET_OBJECT, &leaf), "CES-GO1");
    assert_string_equal(refusal(g, CHUM_GET_OBJECT_CHILDREN, &root), "");
    assert_string_equal(refusal(g, CHUM_GET_OBJECT, &leaf), "");
}

// ---- What the peer says of what it was given -----------------------------------------------------------------------

static void ask_feed(struct gallery *g, const char *cursor, const char *word)
{
    char args[100];
    snprintf(args, sizeof args, "[%s%s]", cursor, word);
    script_ask(&g->stage, &g->script, CHUM_FEED, args);
    assert_int_equal(g->script.error.status, STATUS_OK);
}

static void get_cursor(struct gallery *g, char cursor[80])
{
    long long epoch;
    long long place;
    assert_int_equal(sscanf(script_data(&g->script), "%*[\"]%lld %lld", &epoch, &place), 2);
    snprintf(cursor, 80, "'%lld',%lld", epoch, place);
}

// It may have refused its last batch.
static void who_asks_for_the_list_instead_of_the_feed_has_stored_nothing_for_sure(void **state)
{
    struct gallery *g = *state;
    char cursor[80];
    struct hash one = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    side_grant(g->ours, &one, g->peer);
    g->ours->options.feeds = true;
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    ask_feed(g, "'0',0", "");
    get_cursor(g, cursor);
    ask_feed(g, cursor, "");
    assert_true(is_listed(g, &one));
    assert_int_equal(g->ours->said_left, 0);
    ask_feed(g, "'0',0", "");
    assert_true(is_listed(g, &one));
    assert_int_equal(g->ours->said_left, 1);
    assert_true(is_listed(g, &one));
    assert_int_equal(g->ours->said_left, 1);
    script_ask(&g->stage, &g->script, CHUM_GET_ACCESSIBLE_ROOTS, "['','left']");
    assert_int_equal(g->ours->said_left, 2);
    ask_feed(g, cursor, ",'left'");
    assert_int_equal(g->ours->said_left, 3);
}

// ---- A peer that asks and does not read ----------------------------------------------------------------------------

enum { GREEDY = 200, BIG = 1 << 20 };

static size_t answers;
static size_t bytes;

static void count_answer(void *ctx, const struct rpc_reply *reply)
{
    (void)ctx;
    if (reply->kind == RPC_DATA && reply->text != NULL)
        bytes += reply->text->len;
    else if (reply->kind == RPC_DATA)
        bytes += json_string_length(reply->data);
    else if (reply->kind == RPC_CHUNK)
        bytes += reply->chunk.len;
    answers += reply->kind != RPC_CHUNK;
}

static bool all_here(void *ctx)
{
    (void)ctx;
    return answers == GREEDY;
}

// Asks GREEDY times for the same thing; what the session has waiting for the line stays small.
static void ask_without_reading(struct gallery *g, int64_t service, const struct hash *hash)
{
    char args[80];
    struct conn *ours = chum_session_conn(g->ours->session);
    answers = bytes = 0;
    snprintf(args, sizeof args, "[\"%s\"]", hash_text(hash).s);
    conn_pause(g->script.conn, true);
    for (size_t i = 0; i < GREEDY; i++)
        rpc_call_stream(g->script.rpc, service, span_of(args), conn_now(g->script.conn), 600000, count_answer, NULL);
    for (size_t i = 0; i < 100; i++) {
        stage_step(&g->stage);
        assert_in_range(conn_queued(ours), 0, 5 * BIG);
    }
    conn_pause(g->script.conn, false);
    stage_wait(&g->stage, all_here, NULL, "all answers");
    assert_in_range(bytes, (size_t)GREEDY * BIG, (size_t)GREEDY * BIG + GREEDY * 100);
}

static enum status run_put(struct store *store, void *arg, struct error *e)
{
    return store_put(store, arg, NULL, e);
}

static struct hash put_big(struct side *side, struct span text)
{
    struct error e = {0};
    struct object o;
    struct value *v = value_object(side->arena, SPAN("Child"));
    value_set_member(side->arena, v, SPAN("x"), value_string(side->arena, text));
    assert_int_equal(object_make(side->recipes, side->arena, v, MICRODATA_OBJECT, &o, &e), STATUS_OK);
    side_must(side, run_put, &o);
    return o.hash;
}

static void show_big(struct gallery *g, struct hash *object, struct hash *file)
{
    struct buf text = {0};
    memset(buf_reserve(&text, BIG), 'x', BIG);
    text.len = BIG;
    *file = side_file(g->ours, buf_span(&text));
    struct hash root = side_put(g->ours, "{'$type$':'Album','title':'a','image':'%s'}", hash_text(file).s);
    *object = put_big(g->ours, buf_span(&text));
    side_grant(g->ours, &root, g->peer);
    side_grant(g->ours, object, g->peer);
    buf_free(&text);
    gallery_pass(g);
    assert_true(is_listed(g, object));
    assert_string_equal(refusal(g, CHUM_GET_OBJECT_CHILDREN, &root), "");
}

static void objects_wait_for_a_peer_that_does_not_read(void **state)
{
    struct hash object, file;
    show_big(*state, &object, &file);
    ask_without_reading(*state, CHUM_GET_OBJECT, &object);
}

static void files_wait_for_a_peer_that_does_not_read(void **state)
{
    struct hash object, file;
    show_big(*state, &object, &file);
    ask_without_reading(*state, CHUM_GET_BLOB, &file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GALLERY_TEST(the_list_follows_what_is_granted),
        GALLERY_TEST(what_the_policy_keeps_back_is_not_listed),
        GALLERY_TEST(nothing_is_given_before_it_was_shown),
        GALLERY_TEST(who_asks_for_the_list_instead_of_the_feed_has_stored_nothing_for_sure),
        GALLERY_TEST(objects_wait_for_a_peer_that_does_not_read),
        GALLERY_TEST(files_wait_for_a_peer_that_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
