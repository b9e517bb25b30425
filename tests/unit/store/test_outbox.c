// The outbox and the deliveries: what is kept, in which order, and how much of it.
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "fixture.h"
#include "io/file.h"
#include "store/delivery.h"
#include "store/outbox.h"
#include "store/trace.h"

static int open_store(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    fixture_open(&f, STORE_SPARSE);
    *state = &f;
    return 0;
}

static int close_store(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct hash named(uint8_t n)
{
    return (struct hash){{n}};
}

static int64_t add(struct fixture *f, const char *op, const char *topic, uint8_t message, double time)
{
    int64_t seq = 0;
    struct error e;
    const struct store_intent intent = {.op = span_of(op),
                                        .method = SPAN("node.post"),
                                        .params = SPAN("{}"),
                                        .created_ms = 7,
                                        .topic = span_of(topic),
                                        .message = named(message),
                                        .time = time};
    assert_int_equal(store_begin(f->store, &e), STATUS_OK);
    assert_int_equal(store_outbox_add(f->store, &intent, &seq, &e), STATUS_OK);
    assert_int_equal(store_commit(f->store, &e), STATUS_OK);
    return seq;
}

static void settle(struct fixture *f, const struct store_intent *outcome)
{
    struct error e;
    assert_int_equal(store_begin(f->store, &e), STATUS_OK);
    assert_int_equal(store_outbox_settle(f->store, outcome, &e), STATUS_OK);
    assert_int_equal(store_commit(f->store, &e), STATUS_OK);
}

static struct store_intents waiting(struct fixture *f, int64_t after)
{
    struct store_intents found;
    assert_int_equal(store_outbox_waiting(f->store, f->arena, after, 10, &found, NULL), STATUS_OK);
    return found;
}

static void rows_wait_in_order_until_they_are_over(void **state)
{
    struct fixture *f = *state;
    struct store_intent row;
    int64_t first = add(f, "a", "x", 1, 10);
    int64_t second = add(f, "b", NULL, 0, 0);
    fixture_reopen(f);
    struct store_intents rows = waiting(f, 0);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.items[0].seq, first);
    assert_true(span_eq_text(rows.items[1].op, "b") && span_eq_text(rows.items[1].method, "node.post"));
    assert_int_equal(rows.items[1].topic.len, 0);
    settle(f, &(struct store_intent){.seq = first, .state = INTENT_CARRIED, .result = SPAN("{\"id\":1}")});
    settle(f, &(struct store_intent){.seq = second, .state = INTENT_FAILED, .code = SPAN("NO-WAY"), .why = SPAN("w")});
    assert_int_equal(waiting(f, 0).count, 0);
    settle(f, &(struct store_intent){.seq = first, .state = INTENT_FAILED}); // too late
    assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("a"), &row, NULL), STATUS_OK);
    assert_true(row.state == INTENT_CARRIED && span_eq_text(row.result, "{\"id\":1}") && row.params.len == 0);
    assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("b"), &row, NULL), STATUS_OK);
    assert_true(row.state == INTENT_FAILED && span_eq_text(row.code, "NO-WAY") && span_eq_text(row.why, "w"));
    assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("c"), &row, NULL), STATUS_NOT_FOUND);
}

static void add_first_byte(void *arg, const struct outbox_place *place)
{
    *(int *)arg += place->message.b[0] * (place->state == INTENT_WAITING ? 1 : 100);
}

static void messages_are_found_by_topic_time_and_id(void **state)
{
    struct fixture *f = *state;
    struct store_intents rows;
    struct store_intent row;
    struct hash message = named(2);
    double time;
    int64_t seq;
    add(f, "1", "x", 1, 10);
    int64_t second = add(f, "2", "x", 2, 30);
    add(f, "3", "y", 3, 50);
    int64_t third = add(f, "4", "x", 4, 20);
    assert_int_equal(store_outbox_of_topic(f->store, f->arena, SPAN("x"), 20, 10, &rows, NULL), STATUS_OK);
    assert_int_equal(rows.count, 2);
    assert_true(rows.items[0].message.b[0] == 4 && rows.items[1].message.b[0] == 1);
    int sum = 0;
    assert_int_equal(store_outbox_places(f->store, SPAN("x"), 20, add_first_byte, &sum, NULL), STATUS_OK);
    assert_int_equal(sum, 4 + 1);
    assert_int_equal(store_outbox_since(f->store, f->arena, SPAN("x"), second, 10, &rows, NULL), STATUS_OK);
    assert_true(rows.count == 1 && rows.items[0].seq == third);
    assert_int_equal(store_outbox_last(f->store, SPAN("x"), &time, &seq, NULL), STATUS_OK);
    assert_true(time > 29 && time < 31 && seq == third);
    assert_int_equal(store_outbox_last(f->store, SPAN("z"), &time, &seq, NULL), STATUS_OK);
    assert_int_equal(seq, 0);
    assert_int_equal(store_outbox_by_message(f->store, f->arena, &message, &row, NULL), STATUS_OK);
    assert_int_equal(row.seq, second);
}

// By bytes here; what is over makes room.
static void it_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct error e;
    int64_t seq = 0;
    const size_t size = 1 << 20;
    char *text = mem_alloc(size);
    memset(text, ' ', size);
    enum status st = STATUS_OK;
    size_t count = 0;
    assert_int_equal(store_begin(f->store, &e), STATUS_OK);
    for (; st == STATUS_OK && count < 100; count++) {
        const struct store_intent intent = {
            .op = arena_printf(f->arena, "%zu", count), .method = SPAN("m"), .params = {text, size}};
        st = store_outbox_add(f->store, &intent, &seq, &e);
    }
    assert_int_equal(st, STATUS_FULL);
    assert_string_equal(e.code, "OUTBOX-FULL");
    assert_int_equal(count, OUTBOX_BYTES_MAX / size + 1);
    const struct store_intent outcome = {.seq = 1, .state = INTENT_CARRIED};
    const struct store_intent again = {.op = SPAN("again"), .method = SPAN("m"), .params = {text, size}};
    assert_int_equal(store_outbox_settle(f->store, &outcome, &e), STATUS_OK);
    assert_int_equal(store_outbox_add(f->store, &again, &seq, &e), STATUS_OK);
    store_rollback(f->store);
    free(text);
}

// What was carried goes when enough has come behind it; what has failed is nowhere else.
static void failures_make_room_for_failures_only(void **state)
{
    struct fixture *f = *state;
    struct error e;
    struct store_intent row;
    int64_t seq = 0;
    int64_t carried = add(f, "carried", NULL, 0, 0);
    int64_t failed = add(f, "failed", "x", 1, 10);
    settle(f, &(struct store_intent){.seq = carried, .state = INTENT_CARRIED});
    settle(f, &(struct store_intent){.seq = failed, .state = INTENT_FAILED, .code = SPAN("C"), .why = SPAN("w")});
    for (enum intent_state state_of_later = INTENT_CARRIED; state_of_later <= INTENT_FAILED; state_of_later++) {
        assert_int_equal(store_begin(f->store, &e), STATUS_OK);
        for (int i = 0; i < 2 * OUTBOX_KEPT; i++) {
            const struct store_intent intent = {.op = arena_printf(f->arena, "%d.%d", (int)state_of_later, i),
                                                .method = SPAN("m"),
                                                .params = SPAN("{}")};
            assert_int_equal(store_outbox_add(f->store, &intent, &seq, &e), STATUS_OK);
            const struct store_intent outcome = {.seq = seq, .state = state_of_later, .code = SPAN("C")};
            assert_int_equal(store_outbox_settle(f->store, &outcome, &e), STATUS_OK);
        }
        assert_int_equal(store_commit(f->store, &e), STATUS_OK);
        assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("carried"), &row, NULL), STATUS_NOT_FOUND);
        assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("failed"), &row, NULL),
                         state_of_later == INTENT_CARRIED ? STATUS_OK : STATUS_NOT_FOUND);
    }
}

static bool set(struct fixture *f, uint8_t message, uint8_t person, enum delivery_state state)
{
    struct error e;
    bool changed;
    const struct store_delivery d = {named(message), named(person), state, 5, SPAN("why"), 0};
    assert_int_equal(store_begin(f->store, &e), STATUS_OK);
    assert_int_equal(store_delivery_set(f->store, &d, &changed, &e), STATUS_OK);
    assert_int_equal(store_commit(f->store, &e), STATUS_OK);
    return changed;
}

static void deliveries_go_forwards_only(void **state)
{
    struct fixture *f = *state;
    struct store_deliveries rows;
    struct hash_list messages = {0};
    const struct hash bob = named(9);
    const struct hash one = named(1);
    int64_t last;
    assert_true(set(f, 1, 9, DELIVERY_SENT));
    assert_true(set(f, 1, 8, DELIVERY_SENT));
    assert_true(set(f, 2, 9, DELIVERY_SENT));
    assert_false(set(f, 1, 9, DELIVERY_SENT));
    assert_true(set(f, 1, 9, DELIVERY_DELIVERED));
    assert_false(set(f, 1, 9, DELIVERY_FAILED));
    assert_true(set(f, 2, 9, DELIVERY_FAILED));
    assert_true(set(f, 2, 9, DELIVERY_DELIVERED));
    assert_int_equal(store_delivery_of(f->store, f->arena, &one, &rows, NULL), STATUS_OK);
    assert_int_equal(rows.count, 2);
    assert_int_equal(store_delivery_since(f->store, f->arena, 0, 10, &rows, NULL), STATUS_OK);
    assert_int_equal(rows.count, 3);
    assert_true(rows.items[0].state == DELIVERY_SENT && rows.items[2].message.b[0] == 2);
    assert_int_equal(store_delivery_last(f->store, &last, NULL), STATUS_OK);
    assert_int_equal(rows.items[2].change, last);
    assert_int_equal(store_delivery_since(f->store, f->arena, last, 10, &rows, NULL), STATUS_OK);
    assert_int_equal(rows.count, 0);
    assert_int_equal(store_delivery_to(f->store, f->arena, &bob, 10, &rows, NULL), STATUS_OK);
    assert_int_equal(rows.count, 0);
    assert_int_equal(store_delivery_waiting(f->store, 10, &messages, NULL), STATUS_OK);
    assert_true(messages.count == 1 && messages.items[0].b[0] == 1);
    hash_list_free(&messages);
}

static void both_survive_a_rebuild(void **state)
{
    struct fixture *f = *state;
    struct store_intent row;
    struct store_deliveries rows;
    const struct hash one = named(1);
    add(f, "waits", "x", 1, 10);
    int64_t seq = add(f, "over", NULL, 0, 0);
    settle(f, &(struct store_intent){.seq = seq, .state = INTENT_FAILED, .code = SPAN("C"), .why = SPAN("w")});
    set(f, 1, 9, DELIVERY_DELIVERED);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(file_write(arena_printf(f->arena, "%s/rebuild", f->dir).ptr, SPAN(""), 0600, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_true(f->report.rebuilt);
    struct store_intents left = waiting(f, 0);
    assert_int_equal(left.count, 1);
    assert_true(span_eq_text(left.items[0].op, "waits") && hash_eq(&left.items[0].message, &one));
    assert_int_equal(store_outbox_by_op(f->store, f->arena, SPAN("over"), &row, NULL), STATUS_OK);
    assert_true(row.state == INTENT_FAILED && span_eq_text(row.why, "w"));
    assert_int_equal(store_delivery_of(f->store, f->arena, &one, &rows, NULL), STATUS_OK);
    assert_true(rows.count == 1 && rows.items[0].state == DELIVERY_DELIVERED);
}

static void set_trace(struct fixture *f, uint32_t number, bool incoming, int64_t first)
{
    struct store_trace t = {.incoming = incoming, .channel = named(1), .recipient = named(2), .times = {first}};
    memcpy(t.message.b, &number, sizeof number);
    assert_int_equal(store_trace_set(f->store, &t, NULL), STATUS_OK);
}

static void the_last_traces_are_kept(void **state)
{
    struct fixture *f = *state;
    struct store_trace found[3];
    struct store_trace one;
    size_t count;
    const uint32_t first = 1;
    struct hash message = {{0}};
    memcpy(message.b, &first, sizeof first);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    set_trace(f, 1, false, 5);
    set_trace(f, 2, true, 6);
    set_trace(f, 1, false, 7);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    fixture_reopen(f);
    assert_int_equal(store_trace_get(f->store, &message, &one, NULL), STATUS_OK);
    const struct hash recipient = named(2);
    assert_true(one.times[0] == 7 && !one.incoming && hash_eq(&one.recipient, &recipient));
    assert_int_equal(store_trace_latest(f->store, true, 3, found, &count, NULL), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    for (uint32_t i = 3; i <= STORE_TRACES + 1; i++)
        set_trace(f, i, false, i);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(store_trace_get(f->store, &message, &one, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_trace_latest(f->store, false, 3, found, &count, NULL), STATUS_OK);
    assert_true(count == 3 && found[0].times[0] == STORE_TRACES + 1 && found[2].times[0] == STORE_TRACES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_wait_in_order_until_they_are_over, open_store, close_store),
        cmocka_unit_test_setup_teardown(messages_are_found_by_topic_time_and_id, open_store, close_store),
        cmocka_unit_test_setup_teardown(it_is_bounded, open_store, close_store),
        cmocka_unit_test_setup_teardown(failures_make_room_for_failures_only, open_store, close_store),
        cmocka_unit_test_setup_teardown(deliveries_go_forwards_only, open_store, close_store),
        cmocka_unit_test_setup_teardown(both_survive_a_rebuild, open_store, close_store),
        cmocka_unit_test_setup_teardown(the_last_traces_are_kept, open_store, close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
