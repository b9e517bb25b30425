// Pairing between two of our nodes and with a hand-driven peer that cheats.
#include "base/clock.h"
#include "probe.h"
#include "tests/unit/cmocka_all.h"

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node client, server;
    struct transport *ends[2];
    struct pairing_token token;
};

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    s->world = pipe_world_create();
    s->recipes = recipes_create(false);
    node_begin(&s->client, s->world, s->recipes, "client@test", "laptop");
    node_begin(&s->server, s->world, s->recipes, "server@test", "archive");
    tokens_issue(s->server.tokens, &s->server.identity.person_id, NULL, 0, clock_wall_ms(), &s->token, NULL);
    s->client.token = s->token.text;
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    if (s->client.storing != NULL)
        node_store_now(&s->client);
    if (s->server.storing != NULL)
        node_store_now(&s->server);
    pipe_world_destroy(s->world);
    node_end(&s->client);
    node_end(&s->server);
    recipes_destroy(s->recipes);
    free(s);
    return 0;
}

static void pair(struct scene *s)
{
    nodes_connect(&s->client, &s->server, CONN_PAIRING, NULL, s->ends);
    pipe_settle(s->world);
}

static void assert_paired(const struct node *n, const char *with)
{
    assert_int_equal(n->finished_count, 1);
    assert_string_equal(n->finished_why.code, "");
    assert_string_equal(n->stored_email, with);
    assert_true((n->states >> CONN_PAIRED & 1) != 0);
    assert_int_equal(n->last_state, CONN_CLOSED);
}

static void nodes_pair(void **state)
{
    struct scene *s = *state;
    pair(s);
    assert_paired(&s->client, "server@test");
    assert_paired(&s->server, "client@test");
    assert_int_equal(tokens_count(s->server.tokens), 0);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called.");
    assert_true(hash_eq(&s->server.known[0].person, &s->client.identity.person_id));
    assert_true(hash_eq(&s->server.known[0].instance, &s->client.identity.instance_id));
}

// The invited side stores before it tells who it is, and closes at once after that.
static void storing_takes_its_time(void **state)
{
    struct scene *s = *state;
    s->client.store_later = s->server.store_later = true;
    pair(s);
    pipe_sleep(s->world, 20000);
    assert_int_equal(s->client.store_count, 1);
    assert_int_equal(s->server.store_count, 0);
    node_store_now(&s->client);
    assert_paired(&s->client, "server@test");
    pipe_settle(s->world);
    assert_int_equal(s->server.store_count, 1);
    assert_int_equal(s->server.closed_count, 1); // the connection is gone, storing goes on
    assert_int_equal(s->server.finished_count, 0);
    node_store_now(&s->server);
    assert_paired(&s->server, "client@test");
}

static void a_failed_store_fails_the_pairing(void **state)
{
    struct scene *s = *state;
    s->server.store_later = true;
    pair(s);
    struct error why;
    error_set(&why, STATUS_FULL, "DISK-FULL", "no space");
    struct pairing *p = s->server.storing;
    s->server.storing = NULL;
    pairing_stored(p, &why);
    assert_string_equal(s->server.finished_why.code, "DISK-FULL");
    assert_int_equal(tokens_count(s->server.tokens), 1); // and the invitation can be used again
    struct pairing_token again;
    assert_int_equal(tokens_reserve(s->server.tokens, span_of(s->token.text), &s->token.person,
                                    &s->client.identity.person_id, clock_wall_ms(), &again, NULL),
                     STATUS_OK);
}

static void a_token_is_good_once(void **state)
{
    struct scene *s = *state;
    pair(s);
    struct node other;
    node_begin(&other, s->world, s->recipes, "other@test", "phone");
    other.token = s->token.text;
    nodes_connect(&other, &s->server, CONN_PAIRING, NULL, s->ends);
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Error: Authentication token is not existing.");
    assert_string_equal(other.finished_why.code, "PEER-CLOSED");
    assert_int_equal(other.store_count, 0);
    pipe_world_destroy(s->world);
    s->world = pipe_world_create();
    node_end(&other);
}

static int64_t much_later(void *ctx)
{
    (void)ctx;
    return clock_wall_ms() + TOKEN_TTL_MS;
}

static void a_token_expires(void **state)
{
    struct scene *s = *state;
    s->server.pairing_host.wall_now = much_later;
    pair(s);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Error: Authentication token is not existing.");
    assert_int_equal(s->server.store_count, 0);
}

static void a_token_serves_one_pairing_at_a_time(void **state)
{
    struct scene *s = *state;
    s->client.store_later = true;
    pair(s); // the client keeps the server waiting
    struct node other;
    node_begin(&other, s->world, s->recipes, "other@test", "phone");
    other.token = s->token.text;
    struct transport *ends[2];
    nodes_connect(&other, &s->server, CONN_PAIRING, NULL, ends);
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(ends[0]), "Close called: Error: Authentication token is not existing.");
    node_store_now(&s->client);
    pipe_settle(s->world);
    assert_string_equal(s->server.stored_email, "client@test");
    pipe_world_destroy(s->world);
    s->world = pipe_world_create();
    node_end(&other);
}

static void an_invited_node_that_vanishes_leaves_nothing(void **state)
{
    struct scene *s = *state;
    s->client.store_later = true;
    pair(s);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_string_equal(s->server.finished_why.code, "CONNECTION-LOST");
    assert_int_equal(s->server.store_count, 0);
    assert_int_equal(s->client.finished_count, 0); // it is still storing
    node_store_now(&s->client);
    assert_string_equal(s->client.finished_why.code, "CONNECTION-LOST");
    assert_int_equal(tokens_count(s->server.tokens), 1);
}

static void an_invited_node_that_waits_is_not_waited_for(void **state)
{
    struct scene *s = *state;
    s->client.store_later = true;
    pair(s);
    pipe_sleep(s->world, 29999);
    assert_int_equal(s->server.finished_count, 0);
    pipe_sleep(s->world, 1);
    assert_string_equal(s->server.finished_why.code, "CONN-TIMEOUT");
}

// ---- Cheating: an identity that differs from what was proved ----

static void speak_until_pairing(struct scene *s, struct probe *p, struct conn_identity *claimed)
{
    exchange_person_id(s->recipes, span_of(claimed->email), &claimed->person_id, NULL);
    claimed->person_public = p->person_public;
    probe_proof_begin(p);
    probe_open(p, CONN_PAIRING);
    probe_handshake(p);
    probe_send_text(p, "{\"command\":\"connection_group\",\"connectionGroupName\":\"pairing\"}");
    struct buf message = {0};
    exchange_write_person(claimed, &message);
    probe_send(p, true, buf_span(&message));
    buf_clear(&message);
    exchange_write_keys(claimed, &message);
    probe_send(p, true, buf_span(&message));
    probe_respond(p, false);
    probe_challenge(p);
    buf_clear(&message);
    exchange_write_instance(claimed, "", &message);
    probe_send(p, true, buf_span(&message));
    buf_clear(&message);
    buf_printf(&message, "{\"command\":\"authentication_token\",\"token\":\"%s\"}", s->token.text);
    probe_send(p, true, buf_span(&message));
    buf_free(&message);
}

static void claim(struct scene *s, bool person_source, void (*forge)(struct scene *s, struct pairing_identity *i),
                  bool accepted)
{
    struct probe p;
    struct conn_identity honest = {.email = (char[]){"probe@test"}, .instance_name = (char[]){"probe"}};
    probe_begin(&p, &s->server, CONN_INITIATOR, person_source);
    speak_until_pairing(s, &p, &honest);
    struct pairing_identity identity = {
        .email = honest.email,
        .instance_name = honest.instance_name,
        .person_public = p.person_public,
        .instance_public = p.instance_public,
    };
    forge(s, &identity);
    struct buf message = {0};
    pairing_identity_write(&identity, &message);
    probe_send(&p, true, buf_span(&message));
    buf_free(&message);
    assert_int_equal(s->server.store_count, accepted);
    assert_int_equal(s->server.finished_count, 1);
    assert_string_equal(s->server.finished_why.code, accepted ? "" : "IDENTITY-MISMATCH");
    if (!accepted)
        assert_string_equal(p.reason, "Close called: Error: The identity is not the one that was authenticated");
    probe_end(&p);
}

static void forge_nothing(struct scene *s, struct pairing_identity *i)
{
    (void)s, (void)i;
}

static void forge_email(struct scene *s, struct pairing_identity *i)
{
    (void)s;
    static char victim[] = "victim@test";
    i->email = victim;
}

static void forge_name(struct scene *s, struct pairing_identity *i)
{
    (void)s;
    static char other[] = "other";
    i->instance_name = other;
}

static void forge_person_key(struct scene *s, struct pairing_identity *i)
{
    (void)s;
    i->person_public.b[0] ^= 1;
}

static void forge_sign_key(struct scene *s, struct pairing_identity *i)
{
    (void)s;
    i->person_sign_public.b[31] ^= 1;
}

static void forge_instance_key(struct scene *s, struct pairing_identity *i)
{
    (void)s;
    i->instance_public.b[5] ^= 1;
}

static void steal_instance_key(struct scene *s, struct pairing_identity *i)
{
    node_learn(&s->server, &s->client);
    i->instance_public = s->client.identity.instance_public;
}

static void honest_identities_are_taken(void **state)
{
    claim(*state, false, forge_nothing, true);
}

static void honest_identities_are_taken_with_the_person_key_as_source(void **state)
{
    claim(*state, true, forge_nothing, true);
}

static void a_forged_email_is_refused(void **state)
{
    claim(*state, false, forge_email, false);
}

static void a_forged_instance_name_is_refused(void **state)
{
    claim(*state, false, forge_name, false);
}

static void a_forged_person_key_is_refused(void **state)
{
    claim(*state, false, forge_person_key, false);
}

static void a_forged_sign_key_is_refused(void **state)
{
    claim(*state, false, forge_sign_key, false);
}

static void a_forged_instance_key_is_refused(void **state)
{
    claim(*state, false, forge_instance_key, false);
}

// With the person key as source the instance key is not proved; somebody else's is refused all the same.
static void a_stolen_instance_key_is_refused(void **state)
{
    claim(*state, true, steal_instance_key, false);
}

static void identities_are_read_strictly(void **state)
{
    (void)state;
#define KEY "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
    static const char *const bad[] = {
        "{\"command\":\"identity\"}",
        "{\"command\":\"identity\",\"obj\":{\"type\":\"public\"}}",
        "{\"command\":\"identity\",\"obj\":[]}",
        "{\"command\":\"identity\",\"obj\":{\"type\":\"private\",\"personEmail\":\"a\",\"instanceName\":\"b\","
        "\"personKeyPublic\":" KEY ",\"personSignKeyPublic\":" KEY ",\"instanceKeyPublic\":" KEY
        ",\"instanceSignKeyPublic\":" KEY "}}",
        "{\"command\":\"identity\",\"obj\":{\"type\":\"public\",\"personEmail\":\"a\\u0000b\",\"instanceName\":\"b\","
        "\"personKeyPublic\":" KEY ",\"personSignKeyPublic\":" KEY ",\"instanceKeyPublic\":" KEY
        ",\"instanceSignKeyPublic\":" KEY "}}",
        "{\"command\":\"identity\",\"obj\":{\"type\":\"public\",\"personEmail\":\"a\",\"instanceName\":\"b\",\"url\":1,"
        "\"personKeyPublic\":" KEY ",\"personSignKeyPublic\":" KEY ",\"instanceKeyPublic\":" KEY
        ",\"instanceSignKeyPublic\":" KEY "}}",
    };
    struct pairing_identity i = {0};
    struct error e;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_int_equal(pairing_identity_read(true, span_of(bad[k]), &i, &e), STATUS_INVALID);
        assert_string_equal(e.message, "Received data does not match the data expected for command 'identity'");
    }
    assert_int_equal(pairing_identity_read(
                         true,
                         SPAN("{\"obj\":{\"instanceName\":\"b\",\"type\":\"public\",\"personEmail\":\"a\",\"more\":1,"
                              "\"personKeyPublic\":" KEY ",\"personSignKeyPublic\":" KEY ",\"instanceKeyPublic\":" KEY
                              ",\"instanceSignKeyPublic\":" KEY "},\"command\":\"identity\"}"),
                         &i, &e),
                     STATUS_OK);
    assert_null(i.url);
    pairing_identity_free(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_pair, begin, end),
        cmocka_unit_test_setup_teardown(storing_takes_its_time, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_store_fails_the_pairing, begin, end),
        cmocka_unit_test_setup_teardown(a_token_is_good_once, begin, end),
        cmocka_unit_test_setup_teardown(a_token_expires, begin, end),
        cmocka_unit_test_setup_teardown(a_token_serves_one_pairing_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(an_invited_node_that_vanishes_leaves_nothing, begin, end),
        cmocka_unit_test_setup_teardown(an_invited_node_that_waits_is_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(honest_identities_are_taken, begin, end),
        cmocka_unit_test_setup_teardown(honest_identities_are_taken_with_the_person_key_as_source, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_email_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_instance_name_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_person_key_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_sign_key_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_instance_key_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_stolen_instance_key_is_refused, begin, end),
        cmocka_unit_test(identities_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
