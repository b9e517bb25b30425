// Remote calls: the texts of WIRE.md 9 on the line, and what a peer may do wrong.
#include "chum/rpc.h"
#include "tests/unit/expect_abort.h"

struct caller {
    unsigned data, errors, chunks, ends, lost;
    json_int_t number;       // of the last DATA; -1 = undefined
    struct buf bytes;        // of all chunks
    struct error error;      // of the last ERROR or LOST
    int64_t cancel_at_chunk; // the id to cancel, -1 = none
    struct rpc *rpc;
};

struct scene {
    struct rpc *rpc;
    struct buf sent; // texts, each with a newline
    struct buf sent_binary;
    unsigned served;
    struct rpc_request request;
    size_t args;
    bool first_undefined;
    struct caller caller;
};

static void on_send(void *ctx, bool text, struct span message)
{
    struct scene *s = ctx;
    buf_add_span(text ? &s->sent : &s->sent_binary, message);
    if (text)
        buf_add_char(&s->sent, '\n');
}

static void on_serve(void *ctx, const struct rpc_request *request)
{
    struct scene *s = ctx;
    s->served++;
    s->request = *request;
    s->args = json_array_size(request->args);
    s->first_undefined = rpc_is_undefined(json_array_get(request->args, 0));
}

static void on_reply(void *ctx, const struct rpc_reply *reply)
{
    struct caller *c = ctx;
    c->data += reply->kind == RPC_DATA;
    c->errors += reply->kind == RPC_ERROR;
    c->chunks += reply->kind == RPC_CHUNK;
    c->ends += reply->kind == RPC_END;
    c->lost += reply->kind == RPC_LOST;
    if (reply->kind == RPC_DATA)
        c->number = reply->data != NULL ? json_integer_value(reply->data) : -1;
    if (reply->kind == RPC_CHUNK)
        buf_add_span(&c->bytes, reply->chunk);
    if (reply->kind == RPC_DATA && reply->text != NULL)
        buf_add_span(&c->bytes, buf_span(reply->text));
    if (reply->error != NULL)
        c->error = *reply->error;
    if (reply->kind == RPC_CHUNK && c->cancel_at_chunk >= 0)
        rpc_cancel(c->rpc, c->cancel_at_chunk);
}

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    struct rpc_limits limits = {.outstanding = 2, .waiting = 3, .text = 1 << 20};
    s->rpc = rpc_create((struct rpc_transport){.send = on_send, .ctx = s}, limits, on_serve, s);
    s->caller.cancel_at_chunk = -1;
    s->caller.rpc = s->rpc;
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    rpc_destroy(s->rpc);
    buf_free(&s->sent);
    buf_free(&s->sent_binary);
    buf_free(&s->caller.bytes);
    free(s);
    return 0;
}

static void receive(struct scene *s, const char *text)
{
    rpc_on_text(s->rpc, span_of(text), 1000);
}

static int64_t call(struct scene *s)
{
    return rpc_call_stream(s->rpc, 4, SPAN("[]"), 1000, 5000, on_reply, &s->caller);
}

static void assert_sent(struct scene *s, const char *lines)
{
    assert_string_equal(buf_cstr(&s->sent), lines);
    buf_clear(&s->sent);
}

// ---- Serving ----

static void requests_are_served(void **state)
{
    struct scene *s = *state;
    receive(s, "{\"requestId\":7,\"type\":\"request\",\"serviceId\":4,\"args\":[\"abc\",\"$__undefined$\"]}");
    assert_int_equal(s->served, 1);
    assert_int_equal(s->request.id, 7);
    assert_int_equal(s->request.service, 4);
    assert_int_equal(s->args, 2);
    assert_false(s->first_undefined);
    receive(s, "{\"type\":\"request\",\"requestId\":-5,\"serviceId\":1.0}");
    assert_int_equal(s->served, 2);
    assert_int_equal(s->request.id, -5);
    assert_int_equal(s->args, 0);
    assert_true(s->first_undefined);
    receive(s, "{\"type\":\"request\",\"requestId\":1,\"serviceId\":1,\"args\":[\"$__undefined$\"]}");
    assert_true(s->first_undefined);
}

static void nonsense_is_ignored(void **state)
{
    struct scene *s = *state;
    static const char *const texts[] = {
        "",
        "not json",
        "null",
        "\"str\"",
        "[1]",
        "7",
        "{\"type\":\"foo\"}",
        "{\"type\":\"request\"}",
        "{\"type\":\"request\",\"requestId\":\"a\",\"serviceId\":1}",
        "{\"type\":\"request\",\"requestId\":1.5,\"serviceId\":1}",
        "{\"type\":\"request\",\"requestId\":99999999999999999999,\"serviceId\":1}",
        "{\"type\":\"data\",\"responseId\":99,\"data\":1}",
        "{\"type\":\"data\"}",
        "{\"type\":5,\"requestId\":1}",
        "{\"type\":\"stream\",\"responseId\":99,\"chunk\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        receive(s, texts[i]);
    assert_int_equal(s->served, 0);
    assert_int_equal(s->sent.len, 0);
}

static void nesting_bombs_and_value_floods_are_ignored(void **state)
{
    struct scene *s = *state;
    struct buf bomb = {0};
    buf_add_text(&bomb, "{\"type\":\"request\",\"requestId\":1,\"serviceId\":1,\"args\":");
    size_t head = bomb.len;
    for (int i = 0; i < 100000; i++)
        buf_add_char(&bomb, '[');
    receive(s, buf_cstr(&bomb));
    bomb.len = head;
    buf_add_char(&bomb, '[');
    for (int i = 0; i < 200000; i++)
        buf_add_text(&bomb, "1,");
    buf_add_text(&bomb, "1]}");
    receive(s, buf_cstr(&bomb));
    assert_int_equal(s->served, 0);
    buf_free(&bomb);
}

static void answers_look_as_the_reference_writes_them(void **state)
{
    struct scene *s = *state;
    rpc_answer_json(s->rpc, 0, SPAN("8"));
    assert_sent(s, "{\"responseId\":0,\"type\":\"data\",\"data\":8}\n");
    rpc_answer_json(s->rpc, 1, (struct span){0});
    assert_sent(s, "{\"responseId\":1,\"type\":\"data\",\"data\":\"$__undefined$\"}\n");
    rpc_answer_string(s->rpc, 2, SPAN("<div a=\"b\">\n\x01\xc3\xa4\x7f\\"));
    assert_sent(s, "{\"responseId\":2,\"type\":\"data\",\"data\":\"<div a=\\\"b\\\">\\n\\u0001\xc3\xa4\x7f\\\\\"}\n");
    rpc_answer_unknown_service(s->rpc, 0, 1);
    assert_sent(s,
                "{\"responseId\":0,\"type\":\"error\",\"error\":{\"name\":\"TypeError\",\"message\":\"Not a function: "
                "Servcie ID 1 [number]\",\"code\":\"UNKNOWN-SERVICE\"}}\n");
    rpc_answer_error(s->rpc, 3, "Error", "CES-GO1: no", NULL);
    assert_sent(s, "{\"responseId\":3,\"type\":\"error\",\"error\":{\"name\":\"Error\",\"message\":\"CES-GO1: no\","
                   "\"code\":\"$__undefined$\"}}\n");
}

static void streams_look_as_the_reference_writes_them(void **state)
{
    struct scene *s = *state;
    assert_true(rpc_stream_text(s->rpc, 32, SPAN("short clob"), true));
    assert_true(rpc_stream_text(s->rpc, 32, SPAN("more"), false));
    rpc_stream_end(s->rpc, 32);
    assert_sent(s, "{\"responseId\":32,\"type\":\"stream\",\"chunk\":\"short clob\",\"encoding\":\"utf8\"}\n"
                   "{\"responseId\":32,\"type\":\"stream\",\"chunk\":\"more\",\"encoding\":\"$__undefined$\"}\n"
                   "{\"responseId\":32,\"type\":\"stream-end\"}\n");
    assert_true(rpc_stream_binary(s->rpc, 10, (struct span){"\x00\x1f", 2}));
    assert_int_equal(s->sent_binary.len, 10);
    assert_memory_equal(s->sent_binary.data, "\0\0\0\0\0\0\x24\x40\x00\x1f", 10);
}

static void a_stream_may_end_with_an_error(void **state)
{
    struct scene *s = *state;
    receive(s, "{\"requestId\":32,\"type\":\"write-stream-error\"}");
    rpc_stream_error(s->rpc, 32, "the file is \"gone\"");
    rpc_stream_error(s->rpc, 33, NULL);
    assert_sent(s, "{\"responseId\":32,\"type\":\"stream-error\",\"error\":\"the file is \\\"gone\\\"\"}\n"
                   "{\"responseId\":33,\"type\":\"stream-error\",\"error\":\"$__undefined$\"}\n");
    assert_true(rpc_stream_binary(s->rpc, 32, SPAN("x"))); // another one of that number is not refused
}

static void a_refused_stream_stops(void **state)
{
    struct scene *s = *state;
    receive(s, "{\"requestId\":10,\"type\":\"write-stream-error\"}");
    assert_false(rpc_stream_binary(s->rpc, 10, SPAN("x")));
    assert_true(rpc_stream_binary(s->rpc, 11, SPAN("x")));
    rpc_stream_end(s->rpc, 10);
    assert_true(rpc_stream_binary(s->rpc, 10, SPAN("x")));
}

// ---- Calling ----

static void responses_come_in_any_order(void **state)
{
    struct scene *s = *state;
    assert_int_equal(call(s), 0);
    assert_int_equal(call(s), 1);
    assert_sent(s, "{\"requestId\":0,\"type\":\"request\",\"serviceId\":4,\"args\":[]}\n"
                   "{\"requestId\":1,\"type\":\"request\",\"serviceId\":4,\"args\":[]}\n");
    receive(s, "{\"responseId\":1,\"type\":\"data\",\"data\":8}");
    assert_int_equal(s->caller.number, 8);
    receive(s, "{\"responseId\":1,\"type\":\"data\",\"data\":9}"); // once is enough
    assert_int_equal(s->caller.data, 1);
    receive(s, "{\"responseId\":0,\"type\":\"data\",\"data\":\"$__undefined$\"}");
    assert_int_equal(s->caller.number, -1);
    assert_int_equal(rpc_pending(s->rpc), 0);
}

static void calls_wait_and_the_queue_is_bounded(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(call(s), i);
    assert_int_equal(call(s), -1);
    assert_int_equal(rpc_pending(s->rpc), 5);
    buf_clear(&s->sent);
    receive(s, "{\"responseId\":0,\"type\":\"data\",\"data\":1}");
    assert_sent(s, "{\"requestId\":2,\"type\":\"request\",\"serviceId\":4,\"args\":[]}\n");
    rpc_cancel(s->rpc, 3);
    receive(s, "{\"responseId\":2,\"type\":\"data\",\"data\":1}");
    assert_sent(s, "{\"requestId\":4,\"type\":\"request\",\"serviceId\":4,\"args\":[]}\n");
}

static void errors_carry_the_peers_code(void **state)
{
    struct scene *s = *state;
    call(s);
    receive(s, "{\"responseId\":0,\"type\":\"error\",\"error\":{\"name\":\"TypeError\",\"message\":\"no\",\"code\":"
               "\"UNKNOWN-SERVICE\"}}");
    assert_int_equal(s->caller.errors, 1);
    assert_string_equal(s->caller.error.code, "UNKNOWN-SERVICE");
    assert_string_equal(s->caller.error.message, "TypeError: no");
    call(s);
    receive(s, "{\"responseId\":1,\"type\":\"error\"}");
    assert_int_equal(s->caller.errors, 2);
    assert_string_equal(s->caller.error.code, "");
}

static void receive_binary(struct scene *s, const char *bytes, size_t len)
{
    rpc_on_binary(s->rpc, (struct span){bytes, len}, 1000);
}

static void binary_streams_are_put_together(void **state)
{
    struct scene *s = *state;
    call(s);
    receive_binary(s, "", 0);
    receive_binary(s, "1234567", 7);
    receive_binary(s,
                   "\0\0\0\0\0\0\xf0\x7f"
                   "x",
                   9); // infinity
    receive_binary(s,
                   "\0\0\0\0\0\0\xf8\x7f"
                   "x",
                   9); // not a number
    receive_binary(s,
                   "\0\0\0\0\0\0\xf0\xbf"
                   "x",
                   9); // -1
    receive_binary(s,
                   "\0\0\0\0\0\0\x24\x40"
                   "x",
                   9); // 10
    assert_int_equal(s->caller.chunks, 0);
    receive_binary(s, "\0\0\0\0\0\0\0\0abc", 11);
    receive_binary(s, "\0\0\0\0\0\0\0\0", 8);
    receive_binary(s, "\0\0\0\0\0\0\0\0de", 10);
    receive(s, "{\"responseId\":0,\"type\":\"stream-end\"}");
    assert_string_equal(buf_cstr(&s->caller.bytes), "abcde");
    assert_int_equal(s->caller.ends, 1);
}

// Nobody who asks for one answer is called twice, whatever the peer sends.
static int64_t call_for_bytes(struct scene *s)
{
    int64_t id = rpc_call(s->rpc, 100, SPAN("[]"), 1000, 5000, on_reply, &s->caller);
    rpc_take_bytes(s->rpc, id);
    return id;
}

static void bytes_may_be_the_answer(void **state)
{
    struct scene *s = *state;
    call_for_bytes(s);
    rpc_expect(s->rpc, call_for_bytes(s), 2, "BYTES-TOO-MANY", false);
    call_for_bytes(s); // waits for its turn
    receive_binary(s, "\0\0\0\0\0\0\0\0abc", 11);
    receive_binary(s, "\0\0\0\0\0\0\0\0abc", 11); // to nobody
    assert_string_equal(buf_cstr(&s->caller.bytes), "abc");
    assert_int_equal(s->caller.data, 1);
    receive_binary(s,
                   "\0\0\0\0\0\0\xf0\x3f"
                   "abc",
                   11);
    assert_int_equal(s->caller.lost, 1);
    assert_string_equal(s->caller.error.code, "BYTES-TOO-MANY");
    receive(s, "{\"responseId\":2,\"type\":\"data\",\"data\":5}");
    assert_int_equal(s->caller.number, 5);
    assert_int_equal(rpc_pending(s->rpc), 0);
}

static void bytes_are_sent_as_one_message(void **state)
{
    struct scene *s = *state;
    rpc_answer_bytes(s->rpc, 10, SPAN("abc"));
    assert_int_equal(s->sent_binary.len, 11);
    assert_memory_equal(s->sent_binary.data,
                        "\0\0\0\0\0\0\x24\x40"
                        "abc",
                        11);
    assert_sent(s, "");
}

static void one_answer_is_no_stream(void **state)
{
    struct scene *s = *state;
    static const char *const streams[] = {
        "{\"responseId\":0,\"type\":\"stream\",\"chunk\":\"a\",\"encoding\":\"utf8\"}",
        "{\"responseId\":1,\"type\":\"stream-end\"}"};
    for (int i = 0; i < 3; i++) {
        rpc_call(s->rpc, 4, SPAN("[]"), 1000, 5000, on_reply, &s->caller);
        for (int again = 0; again < 2; again++) {
            if (i < 2)
                receive(s, streams[i]);
            else
                receive_binary(s, "\0\0\0\0\0\0\0\100abc", 11);
        }
        assert_int_equal(s->caller.errors, i + 1);
        assert_string_equal(s->caller.error.code, "STREAM-ERROR");
    }
    assert_int_equal(s->caller.chunks + s->caller.ends, 0);
    assert_int_equal(rpc_pending(s->rpc), 0);
}

static void text_streams_are_put_together(void **state)
{
    struct scene *s = *state;
    call(s);
    receive(s, "{\"responseId\":0,\"type\":\"stream\",\"chunk\":\"\xc3\xa4\\u0000\",\"encoding\":\"utf8\"}");
    receive(s, "{\"responseId\":0,\"type\":\"stream\",\"chunk\":\"b\",\"encoding\":\"$__undefined$\"}");
    receive(s, "{\"responseId\":0,\"type\":\"stream-end\"}");
    assert_int_equal(s->caller.bytes.len, 4);
    assert_memory_equal(s->caller.bytes.data, "\xc3\xa4\0b", 4);
    buf_clear(&s->caller.bytes);
    call(s);
    receive(s, "{\"responseId\":1,\"type\":\"stream\",\"chunk\":\"YWJj\",\"encoding\":\"base64\"}");
    receive(s, "{\"responseId\":1,\"type\":\"stream\",\"chunk\":\"ZGU=\"}");
    receive(s, "{\"responseId\":1,\"type\":\"stream-end\"}");
    assert_string_equal(buf_cstr(&s->caller.bytes), "abcde");
    call(s);
    receive(s, "{\"responseId\":2,\"type\":\"stream\",\"chunk\":\"!\",\"encoding\":\"base64\"}");
    assert_int_equal(s->caller.errors, 1);
    call(s);
    receive(s, "{\"responseId\":3,\"type\":\"stream-error\",\"error\":\"gone\"}");
    assert_string_equal(s->caller.error.message, "gone");
}

static void a_stream_can_be_cancelled_while_it_comes(void **state)
{
    struct scene *s = *state;
    s->caller.cancel_at_chunk = call(s);
    buf_clear(&s->sent);
    receive_binary(s, "\0\0\0\0\0\0\0\0abc", 11);
    assert_sent(s, "{\"requestId\":0,\"type\":\"write-stream-error\"}\n");
    receive_binary(s, "\0\0\0\0\0\0\0\0abc", 11);
    receive(s, "{\"responseId\":0,\"type\":\"stream-end\"}");
    assert_int_equal(s->caller.chunks, 1);
    assert_int_equal(s->caller.ends, 0);
}

static void destroy_it(void *ctx, const struct rpc_reply *reply)
{
    (void)reply;
    rpc_destroy(ctx);
}

static void destroy_from_a_reply(void *ctx)
{
    struct scene *s = ctx;
    rpc_call(s->rpc, 4, SPAN("[]"), 1000, 5000, destroy_it, s->rpc);
    receive(s, "{\"responseId\":0,\"type\":\"data\",\"data\":8}");
}

static void replies_do_not_destroy_it(void **state)
{
    expect_abort(destroy_from_a_reply, *state);
}

static void silence_ends_a_call(void **state)
{
    struct scene *s = *state;
    assert_int_equal(rpc_deadline(s->rpc), 0);
    call(s);
    assert_int_equal(rpc_deadline(s->rpc), 6000);
    rpc_on_time(s->rpc, 5999);
    assert_int_equal(s->caller.lost, 0);
    rpc_on_binary(s->rpc, (struct span){"\0\0\0\0\0\0\0\0abc", 11}, 5000); // every chunk gives new time
    assert_int_equal(rpc_deadline(s->rpc), 10000);
    rpc_on_time(s->rpc, 10000);
    assert_int_equal(s->caller.lost, 1);
    assert_string_equal(s->caller.error.code, "RPC-TIMEOUT");
    assert_int_equal(rpc_deadline(s->rpc), 0);
}

static void the_end_of_the_connection_ends_every_call(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 4; i++)
        call(s);
    struct error why;
    error_set(&why, STATUS_CLOSED, "CONNECTION-LOST", "gone");
    rpc_fail_all(s->rpc, &why);
    assert_int_equal(s->caller.lost, 4);
    assert_string_equal(s->caller.error.code, "CONNECTION-LOST");
    assert_int_equal(call(s), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_served, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_is_ignored, begin, end),
        cmocka_unit_test_setup_teardown(nesting_bombs_and_value_floods_are_ignored, begin, end),
        cmocka_unit_test_setup_teardown(answers_look_as_the_reference_writes_them, begin, end),
        cmocka_unit_test_setup_teardown(streams_look_as_the_reference_writes_them, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_may_end_with_an_error, begin, end),
        cmocka_unit_test_setup_teardown(a_refused_stream_stops, begin, end),
        cmocka_unit_test_setup_teardown(responses_come_in_any_order, begin, end),
        cmocka_unit_test_setup_teardown(calls_wait_and_the_queue_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(errors_carry_the_peers_code, begin, end),
        cmocka_unit_test_setup_teardown(binary_streams_are_put_together, begin, end),
        cmocka_unit_test_setup_teardown(one_answer_is_no_stream, begin, end),
        cmocka_unit_test_setup_teardown(bytes_may_be_the_answer, begin, end),
        cmocka_unit_test_setup_teardown(bytes_are_sent_as_one_message, begin, end),
        cmocka_unit_test_setup_teardown(text_streams_are_put_together, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_can_be_cancelled_while_it_comes, begin, end),
        cmocka_unit_test_setup_teardown(replies_do_not_destroy_it, begin, end),
        cmocka_unit_test_setup_teardown(silence_ends_a_call, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_the_connection_ends_every_call, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
