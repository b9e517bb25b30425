// Connections between two of our own nodes: the way to a serving connection, and everything that ends it on the way.
#include "probe.h"
#include "tests/unit/expect_abort.h"

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node client, server;
    struct transport *ends[2];
    struct budget *kept[100];
    size_t kept_count;
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

// ---- The way there ----

static void chum_is_reached_and_carries_messages(void **state)
{
    struct scene *s = *state;
    node_learn(&s->client, &s->server);
    node_learn(&s->server, &s->client);
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    assert_int_equal(conn_state(s->client.conn), CONN_ACTIVE);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
    assert_true(conn_peer(s->server.conn)->known);
    assert_string_equal(conn_peer(s->server.conn)->email, "client@test");
    assert_string_equal(conn_peer(s->client.conn)->instance_name, "archive");
    assert_true(hash_eq(&conn_peer(s->client.conn)->instance_id, &s->server.identity.instance_id));
    conn_send_text(s->client.conn, SPAN("hello"));
    conn_send_binary(s->client.conn, SPAN("1234"));
    pipe_settle(s->world);
    assert_string_equal(buf_cstr(&s->server.received), "hello\n");
    assert_int_equal(s->server.last_binary.len, 4);
    conn_close(s->client.conn, "bye");
    assert_int_equal(s->client.closed_count, 1);
    assert_string_equal(s->client.closed_why.code, "CLOSED");
    pipe_settle(s->world);
    assert_string_equal(s->server.closed_why.code, "PEER-CLOSED");
    assert_string_equal(s->server.closed_why.message, "bye");
}

// How the server's side ends when the client closes so.
static enum conn_state end_after(struct scene *s, const char *reason)
{
    connect_nodes(s, CONN_CHUM, NULL);
    conn_close(s->client.conn, reason);
    pipe_settle(s->world);
    assert_int_equal(s->client.last_state, CONN_CLOSED);
    return s->server.last_state;
}

// What the peer says when it ends a connection because it is to end is no failure of it; anything else is one.
static void an_intended_close_is_no_failure(void **state)
{
    struct scene *s = *state;
    static const char *const intended[] = {NULL, "closeConnections called by user.", "Corresponding route was stopped",
                                           "Route is disabled", "New connection replaced old one"};
    node_learn(&s->client, &s->server);
    node_learn(&s->server, &s->client);
    for (size_t i = 0; i < sizeof intended / sizeof *intended; i++)
        assert_int_equal(end_after(s, intended[i]), CONN_CLOSED);
    assert_int_equal(end_after(s, "Error: Key does not match your previous visit"), CONN_FAILED);
    assert_int_equal(end_after(s, "bye"), CONN_FAILED);
}

static void idle_connections_stay_alive(void **state)
{
    struct scene *s = *state;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_sleep(s->world, 3600 * 1000);
    assert_int_equal(conn_state(s->client.conn), CONN_ACTIVE);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
    assert_int_equal(s->server.received.len, 0);
}

// Who does not read does not hear the keepalives either.
static void a_paused_connection_stays_alive(void **state)
{
    struct scene *s = *state;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    conn_pause(s->server.conn, true);
    conn_send_text(s->client.conn, SPAN("hello"));
    pipe_sleep(s->world, 100000);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
    assert_int_equal(conn_state(s->client.conn), CONN_ACTIVE);
    assert_int_equal(s->server.received.len, 0);
    conn_pause(s->server.conn, false);
    pipe_sleep(s->world, 100000);
    assert_string_equal(buf_cstr(&s->server.received), "hello\n");
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
}

static bool crowded;

static bool is_crowded(void *ctx)
{
    (void)ctx;
    return crowded;
}

// It is noticed after an event, so one message more is read.
static void a_crowded_host_reads_nobody(void **state)
{
    struct scene *s = *state;
    s->server.host.crowded = is_crowded;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    crowded = true;
    for (size_t i = 0; i < 3; i++)
        conn_send_text(s->client.conn, SPAN("hello"));
    pipe_sleep(s->world, 10000);
    assert_string_equal(buf_cstr(&s->server.received), "hello\n");
    crowded = false;
    pipe_sleep(s->world, 2 * CONN_CROWDED_MS);
    assert_string_equal(buf_cstr(&s->server.received), "hello\nhello\nhello\n");
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
}

static void a_handed_over_request_begins_a_connection(void **state)
{
    struct scene *s = *state;
    struct handshake_request request = {.source = s->client.identity.instance_public,
                                        .target = s->server.identity.instance_public};
    struct buf first = {0};
    handshake_write_request(&request, &first);
    pipe_open(s->world, NULL, s->ends);
    assert_non_null(conn_accept(s->ends[1], &s->server.host, buf_span(&first)));
    buf_clear(&first);
    request.target = s->client.identity.instance_public; // not one of the server's
    handshake_write_request(&request, &first);
    pipe_open(s->world, NULL, s->ends);
    assert_null(conn_accept(s->ends[1], &s->server.host, buf_span(&first)));
    assert_int_equal(s->server.closed_count, 1);
    assert_string_equal(s->server.closed_why.code, "UNKNOWN-TARGET");
    buf_free(&first);
}

static void a_lost_socket_is_reported_once(void **state)
{
    struct scene *s = *state;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    pipe_break(s->ends[0]);
    pipe_settle(s->world);
    assert_int_equal(s->client.closed_count, 1);
    assert_int_equal(s->server.closed_count, 1);
    assert_string_equal(s->server.closed_why.code, "CONNECTION-LOST");
}

static void the_host_may_drop_a_duplicate(void **state)
{
    struct scene *s = *state;
    s->server.assigned = "Duplicate connection - dropped new connection";
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Duplicate connection - dropped new connection");
    assert_false(s->server.authenticated);
}

// ---- Holding an early chum (WIRE.md 6.6) ----

static void an_early_chum_waits_for_the_pairing(void **state)
{
    struct scene *s = *state;
    s->server.refuse_unknown = true;
    s->server.hold_ms = 3000;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    assert_int_equal(s->server.ready_count, 1);
    conn_send_text(s->client.conn, SPAN("synchronisation"));
    pipe_sleep(s->world, 1000);
    assert_int_equal(conn_state(s->server.conn), CONN_AUTHENTICATED);
    node_learn(&s->server, &s->client);
    conn_resume(s->server.conn);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
    assert_string_equal(buf_cstr(&s->server.received), "synchronisation\n");
}

// What is learned first may be another peer.
static void an_early_chum_is_held_until_it_is_known(void **state)
{
    struct scene *s = *state;
    s->server.refuse_unknown = true;
    s->server.hold_ms = 3000;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_sleep(s->world, 1000);
    conn_resume(s->server.conn);
    assert_int_equal(conn_state(s->server.conn), CONN_AUTHENTICATED);
    pipe_sleep(s->world, 1999);
    node_learn(&s->server, &s->client);
    conn_resume(s->server.conn);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
}

static void a_held_chum_is_refused_in_the_end(void **state)
{
    struct scene *s = *state;
    s->server.refuse_unknown = true;
    s->server.hold_ms = 3000;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_sleep(s->world, 2999);
    assert_non_null(s->server.conn);
    pipe_sleep(s->world, 1);
    assert_int_equal(s->server.ready_count, 2);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Error: Unable to start chum because you are unknown");
    assert_string_equal(s->client.closed_why.message, "Error: Unable to start chum because you are unknown");
}

static void too_much_while_held_closes(void **state)
{
    struct scene *s = *state;
    s->server.refuse_unknown = true;
    s->server.hold_ms = 3000;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    for (int i = 0; i < 10; i++)
        conn_send_text(s->client.conn, SPAN("hello"));
    pipe_settle(s->world);
    assert_null(pipe_closed(s->ends[0]));
    conn_send_text(s->client.conn, SPAN("hello"));
    pipe_settle(s->world);
    assert_string_equal(pipe_closed(s->ends[0]), "Close called: Queue is full, it reached its maximum length of 10");
}

// A peer that became known while it was held, but as somebody else, does not get in.
static void a_held_chum_is_checked_again(void **state)
{
    struct scene *s = *state;
    s->server.refuse_unknown = true;
    s->server.hold_ms = 3000;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    node_learn(&s->server, &s->client);
    random_bytes(s->server.known[0].instance.b, HASH_SIZE);
    conn_resume(s->server.conn);
    assert_string_equal(s->server.closed_why.code, "EP-INSTANCEIDMISMATCH");
}

// ---- Slow and silent peers: every wait has its deadline ----

static void drip(struct scene *s, struct probe *p, uint64_t ms, const char *code)
{
    pipe_sleep(s->world, ms - 1);
    assert_false(p->closed);
    pipe_sleep(s->world, 1);
    assert_true(p->closed);
    assert_string_equal(s->server.closed_why.code, code);
}

static void the_clear_phase_has_ten_seconds_in_all(void **state)
{
    struct scene *s = *state;
    struct probe p;
    probe_begin(&p, &s->server, CONN_INITIATOR, false);
    probe_open(&p, CONN_CHUM);
    pipe_sleep(s->world, 6000);
    probe_request(&p);
    drip(s, &p, 4000, "CONN-TIMEOUT");
    probe_end(&p);
}

static void say_person(struct probe *p)
{
    struct conn_identity identity = {.email = (char[]){"probe@test"}};
    struct buf message = {0};
    exchange_write_person(&identity, &message);
    probe_send(p, true, buf_span(&message));
    buf_free(&message);
}

// Keepalives hold the connection open, but not the step.
static void each_step_has_thirty_seconds(void **state)
{
    struct scene *s = *state;
    for (int step = 0; step < 3; step++) {
        struct probe p;
        probe_begin(&p, &s->server, CONN_INITIATOR, false);
        probe_open(&p, CONN_CHUM);
        probe_handshake(&p);
        if (step > 0)
            probe_send_text(&p, "{\"command\":\"connection_group\",\"connectionGroupName\":\"chum\"}");
        if (step > 1)
            say_person(&p);
        pipe_sleep(s->world, 20000);
        probe_send_text(&p, "keepalive");
        drip(s, &p, 10000, "CONN-TIMEOUT");
        probe_end(&p);
    }
}

static void an_initiator_does_not_wait_for_ever_either(void **state)
{
    struct scene *s = *state;
    struct probe p;
    probe_begin(&p, &s->server, CONN_ACCEPTOR, false);
    probe_open(&p, CONN_CHUM);
    drip(s, &p, 10000, "CONN-TIMEOUT");
    probe_end(&p);
}

static void silence_after_the_handshake_ends_it(void **state)
{
    struct scene *s = *state;
    struct probe p;
    probe_begin(&p, &s->server, CONN_INITIATOR, false);
    probe_open(&p, CONN_CHUM);
    probe_handshake(&p);
    drip(s, &p, 25000, "PEER-SILENT");
    assert_string_equal(p.reason, "Terminate called: Keepalive: No lifesign of the other side");
    probe_end(&p);
}

// ---- Somebody on the line ----

struct meddler {
    unsigned count, target; // messages from end 0, and the one that is meddled with
    enum { FLIP, TRUNCATE, REPEAT, SWALLOW } how;
    struct transport *to;
    bool done;
};

static bool meddle(void *ctx, int from, bool *text, struct buf *payload)
{
    struct meddler *m = ctx;
    if (from != 0 || m->done || m->count++ != m->target)
        return true;
    m->done = true;
    if (m->how == FLIP)
        payload->data[payload->len / 2] ^= 1;
    else if (m->how == TRUNCATE)
        payload->len--;
    else if (m->how == REPEAT)
        pipe_inject(m->to, *text, buf_span(payload));
    return m->how != SWALLOW;
}

// Whatever is done to any message of the initiator, nobody serves a connection that is not the one both mean.
static void meddling_is_never_served(void **state)
{
    struct scene *s = *state;
    for (unsigned how = FLIP; how <= SWALLOW; how++)
        for (unsigned target = 2; target < 8; target++) { // 0 and 1 are the handshake's
            struct meddler m = {.target = target, .how = how};
            struct pipe_line line = {.pass = meddle, .ctx = &m};
            s->server.authenticated = false;
            s->server.closed_count = 0;
            connect_nodes(s, CONN_CHUM, &line);
            m.to = s->ends[1];
            pipe_settle(s->world);
            if (s->client.conn != NULL && conn_state(s->client.conn) == CONN_ACTIVE)
                conn_send_text(s->client.conn, SPAN("x"));
            pipe_sleep(s->world, 60000);
            assert_true(m.done);
            assert_int_equal(s->server.closed_count, 1);
            assert_null(s->server.conn);
        }
}

static void every_connection_has_its_own_key(void **state)
{
    struct scene *s = *state;
    const struct conn_identity *own = &s->client.identity;
    const struct public_key *other = &s->server.identity.instance_public;
    struct handshake_keys first = {0}, second = {0};
    struct error e;
    assert_int_equal(handshake_keys_begin(&first, &own->instance_secret, other, &RANDOM_SYSTEM, &e), STATUS_OK);
    assert_int_equal(handshake_keys_begin(&second, &own->instance_secret, other, &RANDOM_SYSTEM, &e), STATUS_OK);
    assert_memory_equal(first.long_term.data, second.long_term.data, BOX_KEY);
    assert_memory_not_equal(first.ephemeral_public.b, second.ephemeral_public.b, BOX_KEY);
    handshake_keys_end(&first);
    handshake_keys_end(&second);
}

static void a_meddled_handshake_fails(void **state)
{
    struct scene *s = *state;
    for (unsigned how = FLIP; how <= SWALLOW; how++) {
        struct meddler m = {.target = 1, .how = how};
        struct pipe_line line = {.pass = meddle, .ctx = &m};
        s->server.closed_count = 0;
        connect_nodes(s, CONN_CHUM, &line);
        m.to = s->ends[1];
        pipe_sleep(s->world, 60000);
        assert_int_equal(s->server.closed_count, 1);
        assert_false(s->server.authenticated);
    }
}

// ---- Too much ----

static void a_huge_message_before_serving_closes(void **state)
{
    struct scene *s = *state;
    struct probe p;
    char *piece = mem_alloc(65536);
    probe_begin(&p, &s->server, CONN_INITIATOR, false);
    probe_open(&p, CONN_CHUM);
    probe_handshake(&p);
    probe_send_text(&p, "fragmentation_start_string");
    for (int i = 0; i < 2; i++) // 64 KiB are the most
        probe_send(&p, false, (struct span){piece, 65536});
    assert_true(p.closed);
    assert_string_equal(s->server.closed_why.code, "MESSAGE-TOO-BIG");
    probe_end(&p);
    free(piece);
}

// Strangers share an account, and what they begin and do not end is on it.
static void strangers_hold_little_in_all(void **state)
{
    struct scene *s = *state;
    struct budgets *bs = budgets_create(NULL, NULL);
    struct budget_account all;
    struct probe p;
    char *piece = mem_alloc(65536);
    s->server.host.budgets = bs;
    struct budget *others = budget_of_connection(bs);
    probe_begin(&p, &s->server, CONN_INITIATOR, false);
    probe_open(&p, CONN_CHUM);
    probe_handshake(&p);
    probe_send_text(&p, "fragmentation_start_string");
    probe_send(&p, false, (struct span){piece, 30000});
    budgets_of_class(bs, BUDGET_STRANGER, &all);
    assert_int_equal(all.use[BUDGET_HELD], 30000);
    assert_false(p.closed);
    while (budget_room(others, BUDGET_HELD) != 0) { // the others are many
        struct budget *other = budget_of_connection(bs);
        uint64_t room = budget_room(other, BUDGET_HELD);
        assert_int_equal(budget_take(other, BUDGET_HELD, room, NULL), STATUS_OK);
        s->kept[s->kept_count++] = other;
    }
    probe_send(&p, false, (struct span){piece, 30000});
    assert_true(p.closed);
    assert_string_equal(s->server.closed_why.code, "OVER-BUDGET");
    for (size_t i = 0; i < s->kept_count; i++)
        budget_release(s->kept[i]);
    budget_release(others);
    probe_end(&p);
    budgets_of_class(bs, BUDGET_STRANGER, &all);
    assert_int_equal(all.use[BUDGET_HELD] + all.connections, 0);
    budgets_destroy(bs);
    free(piece);
}

static void who_does_not_read_is_given_up(void **state)
{
    struct scene *s = *state;
    struct budgets *bs = budgets_create(NULL, NULL);
    struct budget_report report;
    size_t size = 2 * CONN_UNREAD;
    char *much = mem_alloc(size);
    s->server.host.budgets = bs;
    connect_nodes(s, CONN_CHUM, NULL);
    pipe_settle(s->world);
    conn_pause(s->client.conn, true);
    conn_send_binary(s->server.conn, (struct span){much, size});
    pipe_sleep(s->world, CONN_STALL_MS - 1000);
    assert_int_equal(conn_state(s->server.conn), CONN_ACTIVE);
    pipe_sleep(s->world, 2000);
    assert_int_equal(s->server.closed_count, 1);
    assert_string_equal(s->server.closed_why.code, "OVER-BUDGET");
    assert_true(budgets_report(bs, &report));
    assert_int_equal(report.kind, BUDGET_QUEUED);
    budgets_destroy(bs);
    free(much);
}

static void nesting_bombs_are_refused(void **state)
{
    struct scene *s = *state;
    struct buf bomb = {0};
    buf_add_text(&bomb, "{\"command\":\"communication_request\",\"x\":");
    for (int i = 0; i < 500000; i++)
        buf_add_char(&bomb, '[');
    struct probe p;
    probe_begin(&p, &s->server, CONN_INITIATOR, false);
    probe_open(&p, CONN_CHUM);
    probe_send_clear(&p, true, buf_span(&bomb));
    assert_true(p.closed);
    probe_end(&p);
    buf_free(&bomb);
}

// ---- What is asserted ----

static void tell_at_once(struct transport *t, const char *reason)
{
    transport_tell(t)->closed(t->ctx, 1000, span_of(reason));
}

static void tell_from_within_an_operation(void *ctx)
{
    struct scene *s = ctx;
    connect_nodes(s, CONN_CHUM, NULL);
    struct transport_ops hasty = *s->ends[0]->ops;
    hasty.close = tell_at_once;
    s->ends[0]->ops = &hasty;
    conn_close(s->client.conn, NULL);
}

static void owners_do_not_call_from_within_an_operation(void **state)
{
    expect_abort(tell_from_within_an_operation, *state);
}

static void close_again(void *ctx, struct conn *c, const struct error *why)
{
    (void)ctx, (void)why;
    conn_close(c, NULL);
}

static void close_when_it_is_closed(void *ctx)
{
    struct scene *s = ctx;
    s->client.host.closed = close_again;
    connect_nodes(s, CONN_CHUM, NULL);
    conn_close(s->client.conn, NULL);
}

static void nothing_is_done_behind_the_end(void **state)
{
    expect_abort(close_when_it_is_closed, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(chum_is_reached_and_carries_messages, begin, end),
        cmocka_unit_test_setup_teardown(an_intended_close_is_no_failure, begin, end),
        cmocka_unit_test_setup_teardown(idle_connections_stay_alive, begin, end),
        cmocka_unit_test_setup_teardown(a_paused_connection_stays_alive, begin, end),
        cmocka_unit_test_setup_teardown(a_crowded_host_reads_nobody, begin, end),
        cmocka_unit_test_setup_teardown(a_handed_over_request_begins_a_connection, begin, end),
        cmocka_unit_test_setup_teardown(a_lost_socket_is_reported_once, begin, end),
        cmocka_unit_test_setup_teardown(the_host_may_drop_a_duplicate, begin, end),
        cmocka_unit_test_setup_teardown(an_early_chum_waits_for_the_pairing, begin, end),
        cmocka_unit_test_setup_teardown(an_early_chum_is_held_until_it_is_known, begin, end),
        cmocka_unit_test_setup_teardown(a_held_chum_is_refused_in_the_end, begin, end),
        cmocka_unit_test_setup_teardown(too_much_while_held_closes, begin, end),
        cmocka_unit_test_setup_teardown(a_held_chum_is_checked_again, begin, end),
        cmocka_unit_test_setup_teardown(the_clear_phase_has_ten_seconds_in_all, begin, end),
        cmocka_unit_test_setup_teardown(each_step_has_thirty_seconds, begin, end),
        cmocka_unit_test_setup_teardown(an_initiator_does_not_wait_for_ever_either, begin, end),
        cmocka_unit_test_setup_teardown(silence_after_the_handshake_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(meddling_is_never_served, begin, end),
        cmocka_unit_test_setup_teardown(every_connection_has_its_own_key, begin, end),
        cmocka_unit_test_setup_teardown(a_meddled_handshake_fails, begin, end),
        cmocka_unit_test_setup_teardown(a_huge_message_before_serving_closes, begin, end),
        cmocka_unit_test_setup_teardown(strangers_hold_little_in_all, begin, end),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(owners_do_not_call_from_within_an_operation, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_done_behind_the_end, begin, end),
        cmocka_unit_test_setup_teardown(nesting_bombs_are_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
