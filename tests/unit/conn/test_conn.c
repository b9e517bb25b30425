// Connections between two of our own nodes: the way to a serving connection, and everything that ends it on the way.
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node client, server;
    struct transport *ends[2];
};

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    s->world = pipe_world_create();
    s->recipes = recipes_create(false);
    node_begin(&s->client, s->world, s->recipes, "client@test", "laptop");
    node_begin(&s->server, s->world, s->recipes, "server@test", "archive");
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    pipe_world_destroy(s->world);
    node_end(&s->client);
    node_end(&s->server);
    recipes_destroy(s->recipes);
    free(s);
    return 0;
}

static void connect_nodes(struct scene *s, enum conn_group group, const struct pipe_line *line)
{
    nodes_connect(&s->client, &s->server, group, line, s->ends);
}

// ---- Pairing ----

static void invite(struct scene *s, struct pairing_token *token)
{
    assert_int_equal(tokens_issue(s->server.tokens, &s->server.identity.person_id, 0, 0, token, NULL), STATUS_OK);
    token->expires_ms = INT64_MAX;
    tokens_revoke(s->server.tokens, span_of(token->text));
    tokens_restore(s->server.tokens, token);
    s->client.token = token->text;
}

static void nodes_pair(void **state)
{
    struct scene *s = *state;
    struct pairing_token token;
    invite(s, &token);
    connect_nodes(s, CONN_PAIRING, NULL);
    pipe_settle(s->world);
    assert_string_equal(s->client.stored_email, "server@test");
    assert_string_equal(s->server.stored_email, "client@test");
    assert_int_equal(s->client.finished_count, 1);
    assert_int_equal(s->server.finished_count, 1);
    assert_string_equal(s->client.finished_why.code, "");
    assert_string_equal(s->server.finished_why.code, "");
    assert_int_equal(tokens_count(s->server.tokens), 0);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called.");
    assert_null(s->client.conn);
    assert_null(s->server.conn);
    assert_true(hash_eq(&s->server.known[0].person, &s->client.identity.person_id));
    assert_true(hash_eq(&s->server.known[0].instance, &s->client.identity.instance_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_pair, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
