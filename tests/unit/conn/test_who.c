// Who is who (WIRE.md 5.4): everything that is known is compared before a proof is given, and our own challenge is
// never answered, whoever brings it.
#include "conn/message.h"
#include "probe.h"
#include "tests/unit/cmocka_all.h"

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node node, ann; // ann: somebody the node may know
};

static const enum conn_role ROLES[] = {CONN_INITIATOR, CONN_ACCEPTOR};

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    s->world = pipe_world_create();
    s->recipes = recipes_create(false);
    node_begin(&s->node, s->world, s->recipes, "node@test", "archive");
    node_begin(&s->ann, s->world, s->recipes, "ann@test", "laptop");
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    pipe_world_destroy(s->world);
    node_end(&s->node);
    node_end(&s->ann);
    recipes_destroy(s->recipes);
    free(s);
    return 0;
}

// ---- A peer that says who it is ------------------------------------------------------------------------------------

static void meet(struct scene *s, struct probe *p, enum conn_role role)
{
    probe_begin(p, &s->node, role, false);
    probe_open(p, CONN_DEBUG);
    probe_handshake(p);
    if (role == CONN_INITIATOR)
        probe_send_text(p, "{\"command\":\"connection_group\",\"connectionGroupName\":\"debug\"}");
    else
        probe_send_text(p, "{\"command\":\"sync\"}");
}

static void introduce(struct scene *s, struct probe *p, const char *email, const struct public_key *person_key)
{
    struct conn_identity i = {.email = (char *)(uintptr_t)email, .person_public = *person_key};
    struct buf message = {0};
    exchange_person_id(s->recipes, span_of(email), &i.person_id, NULL);
    exchange_write_person(&i, &message);
    probe_send(p, true, buf_span(&message));
    buf_clear(&message);
    exchange_write_keys(&i, &message);
    probe_send(p, true, buf_span(&message));
    buf_free(&message);
}

// As initiator of the connection the node is challenged first; as acceptor it would challenge.
static void assert_refused_unproved(struct scene *s, struct probe *p, const char *code)
{
    assert_true(p->closed);
    assert_true(p->last_text);
    assert_string_equal(s->node.closed_why.code, code);
    assert_false(s->node.authenticated);
    probe_end(p);
}

// ---- What is known -------------------------------------------------------------------------------------------------

static void nobody_else_is_who_we_are(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < 2; i++) {
        struct probe p;
        meet(s, &p, ROLES[i]);
        introduce(s, &p, "node@test", &p.person_public);
        assert_refused_unproved(s, &p, "OWN-PERSON");
        meet(s, &p, ROLES[i]);
        introduce(s, &p, "node@test", &s->node.identity.person_public);
        assert_refused_unproved(s, &p, "OWN-PERSON");
        meet(s, &p, ROLES[i]);
        introduce(s, &p, "stranger@test", &s->node.identity.person_public);
        assert_refused_unproved(s, &p, "OWN-PERSON");
    }
}

static void a_known_instance_is_nobody_else(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < 2; i++) {
        struct probe p;
        meet(s, &p, ROLES[i]);
        s->node.known[0] = (struct known_peer){.instance_key = p.instance_public, .person = s->ann.identity.person_id};
        s->node.known_count = 1;
        introduce(s, &p, "other@test", &p.person_public);
        assert_refused_unproved(s, &p, "EP-PERSONIDMISMATCH");
    }
}

static void a_known_person_has_its_keys(void **state)
{
    struct scene *s = *state;
    node_learn(&s->node, &s->ann);
    for (size_t i = 0; i < 2; i++) {
        struct probe p;
        meet(s, &p, ROLES[i]);
        introduce(s, &p, "ann@test", &p.person_public);
        assert_refused_unproved(s, &p, "EP-KEYMISSMATCH");
    }
}

static enum status refuse(void *ctx, const struct conn *c, struct error *e)
{
    (void)ctx, (void)c;
    return error_set(e, STATUS_REFUSED, "UNKNOWN-INSTANCE", "not with that instance");
}

static void the_host_judges_before_the_proof(void **state)
{
    struct scene *s = *state;
    s->node.host.claim = refuse;
    for (size_t i = 0; i < 2; i++) {
        struct probe p;
        meet(s, &p, ROLES[i]);
        introduce(s, &p, "ann@test", &s->ann.identity.person_public);
        assert_refused_unproved(s, &p, "UNKNOWN-INSTANCE");
    }
}

// ---- Challenges that come back -------------------------------------------------------------------------------------

// Two connections of one person: the node waits for an answer on the first and is asked on the second.
struct relayed {
    struct probe asked, asking;
};

static void begin_relaying(struct scene *s, struct relayed *r)
{
    meet(s, &r->asked, CONN_INITIATOR);
    introduce(s, &r->asked, "mallory@test", &r->asked.person_public);
    assert_false(r->asked.last_text); // the node's challenge
    meet(s, &r->asking, CONN_ACCEPTOR);
    introduce(s, &r->asking, "mallory@test", &r->asked.person_public);
}

static void end_relaying(struct relayed *r)
{
    probe_end(&r->asked);
    probe_end(&r->asking);
}

static void our_challenge_is_not_answered(void **state)
{
    struct scene *s = *state;
    struct relayed r;
    begin_relaying(s, &r);
    probe_send(&r.asking, false, buf_span(&r.asked.last));
    assert_true(r.asking.closed);
    assert_string_equal(s->node.closed_why.code, "CHALLENGE-REFLECTED");
    assert_false(r.asked.closed);
    end_relaying(&r);
}

static void what_would_give_it_away_is_not_answered(void **state)
{
    struct scene *s = *state;
    struct relayed r;
    struct buf plain = {0}, inverted = {0};
    begin_relaying(s, &r);
    probe_proof_begin(&r.asked);
    assert_int_equal(box_open(&r.asked.proof.key, buf_span(&r.asked.last), &plain, NULL), STATUS_OK);
    for (size_t i = 0; i < plain.len; i++)
        plain.data[i] = (char)~plain.data[i];
    handshake_seal(&r.asked.proof.key, &RANDOM_SYSTEM, buf_span(&plain), &inverted);
    probe_send(&r.asking, false, buf_span(&inverted));
    assert_true(r.asking.closed);
    assert_string_equal(s->node.closed_why.code, "CHALLENGE-REFLECTED");
    buf_free(&plain);
    buf_free(&inverted);
    end_relaying(&r);
}

static void others_are_answered_and_none_is_left(void **state)
{
    struct scene *s = *state;
    struct relayed r;
    begin_relaying(s, &r);
    probe_proof_begin(&r.asked);
    struct buf challenge = {0};
    exchange_challenge(&r.asked.proof, &RANDOM_SYSTEM, &challenge);
    probe_send(&r.asking, false, buf_span(&challenge));
    assert_false(r.asking.closed);
    assert_false(r.asking.last_text); // the answer, then a challenge
    assert_non_null(s->node.challenges.first);
    buf_free(&challenge);
    r.asked.ends[0]->ops->close(r.asked.ends[0], "over");
    r.asking.ends[0]->ops->close(r.asking.ends[0], "over");
    pipe_settle(s->world);
    assert_null(s->node.challenges.first);
    end_relaying(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_else_is_who_we_are, begin, end),
        cmocka_unit_test_setup_teardown(a_known_instance_is_nobody_else, begin, end),
        cmocka_unit_test_setup_teardown(a_known_person_has_its_keys, begin, end),
        cmocka_unit_test_setup_teardown(the_host_judges_before_the_proof, begin, end),
        cmocka_unit_test_setup_teardown(our_challenge_is_not_answered, begin, end),
        cmocka_unit_test_setup_teardown(what_would_give_it_away_is_not_answered, begin, end),
        cmocka_unit_test_setup_teardown(others_are_answered_and_none_is_left, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
