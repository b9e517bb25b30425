// Two ends of a channel in one process: asking, answering late, deadlines, events, strangers, endings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "ipc/channel.h"

enum { PATIENCE_MS = 10000 };

struct answer {
    int count;
    struct error error;
    json_t *result;
};

struct fixture {
    char dir[64];
    char path[96];
    struct ipc_service *service;
    struct ipc_channel *listener;
    struct ipc_channel *dialer;
    struct ipc_request *kept; // a request that is answered later
    struct ipc_request *many[IPC_ASKED_MAX + 1];
    size_t many_count;
    int closed;
    int events;
    uint64_t last_seq;
    uint64_t lost;
};

static void keep_request(struct ipc_request *r, void *ctx)
{
    ((struct fixture *)ctx)->kept = r;
}

static void keep_many(struct ipc_request *r, void *ctx)
{
    struct fixture *f = ctx;
    f->many[f->many_count++] = r;
}

static void echo_text(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, json_pack("{s:s, s:s}", "id", ipc_request_text(r, P_text), "op", ipc_request_op_id(r)));
}

static void refuse(struct ipc_request *r, void *ctx)
{
    struct error e = {0};
    (void)ctx;
    error_set(&e, STATUS_NOT_FOUND, "NOT-FOUND", "no such object");
    ipc_request_fail(r, &e);
}

static void note_closed(void *ctx)
{
    ((struct fixture *)ctx)->closed++;
}

static void note_event(void *ctx, const char *name, json_t *data)
{
    struct fixture *f = ctx;
    if (strcmp(name, "stream.gap") == 0) {
        f->lost += (uint64_t)json_integer_value(json_object_get(data, "lost"));
        return;
    }
    f->events++;
    f->last_seq = (uint64_t)json_integer_value(json_object_get(data, "seq"));
}

static void note_answer(void *ctx, json_t *result, const struct error *error)
{
    struct answer *a = ctx;
    a->count++;
    a->result = json_incref(result);
    if (error != NULL)
        a->error = *error;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error e = {0};
    strcpy(f->dir, "/tmp/tandem-channel-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/c.sock", f->dir);
    f->service = ipc_service_create(IPC_NODE);
    ipc_service_on(f->service, "chat.send", echo_text, f);
    ipc_service_on(f->service, "object.get", refuse, f);
    ipc_service_on(f->service, "chat.list", keep_request, f);
    ipc_service_on(f->service, "contacts.list", keep_many, f);
    ipc_service_on(f->service, "node.contacts", keep_many, f);
    struct ipc_channel_events up = {.closed = note_closed, .ctx = f, .event = note_event, .event_ctx = f};
    f->listener = ipc_channel_listen(f->path, NULL, up, &e);
    assert_non_null(f->listener);
    f->dialer = ipc_channel_dial(f->path, f->service, (struct ipc_channel_events){.ctx = f}, &e);
    assert_non_null(f->dialer);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ipc_channel_destroy(f->dialer);
    ipc_channel_destroy(f->listener);
    ipc_service_destroy(f->service);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void turn(struct fixture *f)
{
    struct pollfd fds[2] = {{ipc_channel_fd(f->listener), POLLIN, 0}, {-1, POLLIN, 0}};
    if (f->dialer != NULL)
        fds[1].fd = ipc_channel_fd(f->dialer);
    poll(fds, 2, 50);
    if (fds[0].revents != 0)
        ipc_channel_drain(f->listener);
    if (fds[1].revents != 0)
        ipc_channel_drain(f->dialer);
}

#define TURN_UNTIL(f, condition)                                                                                       \
    for (uint64_t until = clock_monotonic_ms() + PATIENCE_MS; !(condition);) {                                         \
        assert_true(clock_monotonic_ms() < until);                                                                     \
        turn(f);                                                                                                       \
    }

static void connect_both(struct fixture *f)
{
    ipc_channel_expect(f->listener, getpid());
    TURN_UNTIL(f, ipc_channel_is_open(f->listener) && ipc_channel_is_open(f->dialer));
}

static void asks_are_answered(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    struct answer b = {0};
    connect_both(f);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    json_t *params = json_pack("{s:s, s:s, s:s}", "to", "01234567", "text", "hi", "opId", "op1");
    ipc_channel_call(f->listener, "chat.send", params, 5000, note_answer, &a);
    ipc_channel_call(f->listener, "node.heartbeat", NULL, 5000, note_answer, &b);
    TURN_UNTIL(f, a.count == 1 && b.count == 1);
    assert_string_equal(json_string_value(json_object_get(a.result, "id")), "hi");
    assert_string_equal(json_string_value(json_object_get(a.result, "op")), "op1");
    json_decref(a.result);
    json_decref(b.result);
}

static void failures_come_back_as_errors(void **state)
{
    struct fixture *f = *state;
    struct answer refused = {0};
    struct answer unknown = {0};
    struct answer incomplete = {0};
    struct answer backwards = {0};
    connect_both(f);
    ipc_channel_call(f->listener, "object.get", json_pack("{s:s}", "hash", "01234567"), 5000, note_answer, &refused);
    ipc_channel_call(f->listener, "no.method", NULL, 5000, note_answer, &unknown);
    ipc_channel_call(f->listener, "chat.send", NULL, 5000, note_answer, &incomplete);
    ipc_channel_call(f->dialer, "status", NULL, 5000, note_answer, &backwards);
    TURN_UNTIL(f, refused.count + unknown.count + incomplete.count + backwards.count == 4);
    assert_string_equal(refused.error.code, "NOT-FOUND");
    assert_int_equal(refused.error.status, STATUS_NOT_FOUND);
    assert_string_equal(unknown.error.code, "UNKNOWN-METHOD");
    assert_string_equal(incomplete.error.code, "BAD-PARAMS");
    assert_string_equal(backwards.error.code, "UNKNOWN-METHOD");
}

static void late_answers_and_deadlines(void **state)
{
    struct fixture *f = *state;
    struct answer late = {0};
    struct answer kept = {0};
    struct error e = {0};
    connect_both(f);
    ipc_channel_call(f->listener, "chat.list", json_pack("{s:s}", "with", "01234567"), 50, note_answer, &late);
    TURN_UNTIL(f, late.count == 1 && f->kept != NULL);
    assert_string_equal(late.error.code, "TIMEOUT");
    error_set(&e, STATUS_NOT_FOUND, "NOT-FOUND", "too late to matter");
    ipc_request_fail(f->kept, &e); // dropped by the asker
    f->kept = NULL;

    ipc_channel_call(f->listener, "chat.list", json_pack("{s:s}", "with", "01234567"), 5000, note_answer, &kept);
    TURN_UNTIL(f, f->kept != NULL);
    assert_string_equal(ipc_request_method(f->kept), "chat.list");
    ipc_request_reply(f->kept, NULL);
    TURN_UNTIL(f, kept.count == 1);
    assert_int_equal(kept.error.status, STATUS_OK);
    assert_int_equal(late.count, 1);
    json_decref(kept.result);
}

static void drain_listener(struct fixture *f, const bool *over)
{
    struct pollfd fd = {ipc_channel_fd(f->listener), POLLIN, 0};
    assert_false(*over);
    if (poll(&fd, 1, 50) > 0)
        ipc_channel_drain(f->listener);
}

static void what_is_not_begun_in_time_is_not_done(void **state)
{
    struct fixture *f = *state;
    struct answer late = {0};
    struct answer slow = {0};
    connect_both(f);
    ipc_channel_call_soon(f->listener, "chat.list", SPAN("\"with\":\"01234567\""), 400, 60000, note_answer, &slow);
    TURN_UNTIL(f, f->kept != NULL);
    struct ipc_request *begun = f->kept;
    f->kept = NULL;
    uint64_t began = clock_monotonic_ms();
    ipc_channel_call_soon(f->listener, "chat.list", SPAN("\"with\":\"01234567\""), 400, 60000, note_answer, &late);
    for (bool over = false; late.count == 0; over = clock_monotonic_ms() - began > PATIENCE_MS)
        drain_listener(f, &over); // the other side is frozen
    assert_string_equal(late.error.code, "NODE-DOWN");
    assert_int_equal(slow.count, 0); // takes its time
    struct answer after = {0};
    ipc_channel_call(f->listener, "node.heartbeat", NULL, 5000, note_answer, &after);
    TURN_UNTIL(f, after.count == 1);
    assert_null(f->kept); // it was not begun later
    ipc_request_reply(begun, NULL);
    TURN_UNTIL(f, slow.count == 1);
    assert_int_equal(slow.error.status, STATUS_OK);
    json_decref(after.result);
    json_decref(slow.result);
}

// The other side may have given up waiting, and ask again and again.
static void what_clients_ask_is_bounded_and_what_we_ask_is_not(void **state)
{
    struct fixture *f = *state;
    struct answer given_up = {0};
    struct answer busy = {0};
    struct answer ours = {0};
    connect_both(f);
    for (size_t i = 0; i < IPC_ASKED_MAX; i++)
        ipc_channel_call(f->listener, "contacts.list", NULL, 1, note_answer, &given_up);
    TURN_UNTIL(f, given_up.count == IPC_ASKED_MAX && f->many_count == IPC_ASKED_MAX);
    ipc_channel_call(f->listener, "contacts.list", NULL, 60000, note_answer, &busy);
    TURN_UNTIL(f, busy.count == 1);
    assert_string_equal(busy.error.code, "BUSY");
    ipc_channel_call(f->listener, "node.contacts", NULL, 60000, note_answer, &ours);
    TURN_UNTIL(f, f->many_count == IPC_ASKED_MAX + 1);
    ipc_request_reply(f->many[--f->many_count], NULL);
    TURN_UNTIL(f, ours.count == 1);
    ipc_request_reply(f->many[--f->many_count], NULL); // makes room for one
    ipc_channel_call(f->listener, "contacts.list", NULL, 60000, note_answer, &busy);
    TURN_UNTIL(f, f->many_count == IPC_ASKED_MAX);
    while (f->many_count > 0)
        ipc_request_reply(f->many[--f->many_count], NULL);
    TURN_UNTIL(f, busy.count == 2);
    json_decref(busy.result);
    json_decref(ours.result);
}

static void ten_thousand_events_arrive_in_order(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    for (int i = 1; i <= 10000; i++)
        ipc_channel_tell(f->dialer, "object.stored", json_pack("{s:i}", "seq", i));
    TURN_UNTIL(f, f->events == 10000);
    assert_int_equal(f->last_seq, 10000);
    assert_int_equal(f->lost, 0);
}

static void events_beyond_the_bound_are_counted(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    char *text = calloc(1, 500001);
    memset(text, 'x', 500000);
    for (int i = 1; i <= 120; i++) // 60 MB into a bound of 16
        ipc_channel_tell(f->dialer, "object.stored", json_pack("{s:i, s:s}", "seq", i, "pad", text));
    free(text);
    TURN_UNTIL(f, f->events >= 30);
    ipc_channel_tell(f->dialer, "object.stored", json_pack("{s:i}", "seq", 121));
    TURN_UNTIL(f, f->last_seq == 121);
    assert_true(f->lost > 0);
    assert_int_equal(f->events + (int)f->lost, 121);
}

static void a_stranger_is_turned_away(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    ipc_channel_expect(f->listener, getpid() + 1);
    ipc_channel_call(f->dialer, "status", NULL, 300, note_answer, &a);
    TURN_UNTIL(f, a.count == 1);
    assert_int_equal(a.error.status, STATUS_CLOSED);
    assert_false(ipc_channel_is_open(f->listener));
    struct error e = {0};
    ipc_channel_destroy(f->dialer);
    f->dialer = ipc_channel_dial(f->path, f->service, (struct ipc_channel_events){.ctx = f}, &e);
    assert_non_null(f->dialer);
    connect_both(f);
}

static void without_a_channel_nobody_is_there(void **state)
{
    struct answer whole = {0};
    struct answer text = {0};
    (void)state;
    ipc_channel_call(NULL, "chat.list", json_pack("{s:s}", "with", "01234567"), 60000, note_answer, &whole);
    ipc_channel_call_soon(NULL, "chat.list", SPAN("\"with\":\"01234567\""), 400, 60000, note_answer, &text);
    ipc_channel_abandon(NULL, &text);
    assert_int_equal(whole.count + text.count, 2); // at once
    assert_string_equal(whole.error.code, "NODE-DOWN");
    assert_string_equal(text.error.code, "NODE-DOWN");
}

static void the_end_of_one_side_is_told(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    connect_both(f);
    ipc_channel_call(f->listener, "chat.list", json_pack("{s:s}", "with", "01234567"), 60000, note_answer, &a);
    TURN_UNTIL(f, f->kept != NULL);
    ipc_channel_destroy(f->dialer);
    f->dialer = NULL;
    ipc_request_reply(f->kept, NULL); // answers into the void
    TURN_UNTIL(f, f->closed == 1 && a.count == 1);
    assert_string_equal(a.error.code, "NODE-DOWN");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asks_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_come_back_as_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(late_answers_and_deadlines, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_begun_in_time_is_not_done, setup, teardown),
        cmocka_unit_test_setup_teardown(what_clients_ask_is_bounded_and_what_we_ask_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(ten_thousand_events_arrive_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(events_beyond_the_bound_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stranger_is_turned_away, setup, teardown),
        cmocka_unit_test(without_a_channel_nobody_is_there),
        cmocka_unit_test_setup_teardown(the_end_of_one_side_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
