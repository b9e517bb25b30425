#include "chum/longanswer.h"
#include "chum/rpc.h"
#include "tests/unit/cmocka_all.h"

// The string that comes of a message cut after every n bytes, or NULL with the state it ended in.
static char *read_in_pieces(struct span message, size_t n, enum long_answer_state *state, int64_t *id)
{
    struct long_answer a = {0};
    struct buf out = {0};
    long_answer_begin(&a);
    for (size_t i = 0; i < message.len; i += n)
        long_answer_add(&a, (struct span){message.ptr + i, message.len - i < n ? message.len - i : n}, &out);
    *state = a.state;
    *id = a.id;
    long_answer_end(&a);
    char *text = mem_text(buf_span(&out));
    buf_free(&out);
    return text;
}

static void any_cut_gives_the_same_string(void **state)
{
    (void)state;
    struct span message =
        SPAN("{\"responseId\":417,\"type\":\"data\",\"data\":\"[{\\\"a\\\":\\\"b\\\\c\\\"}] \\u00e4\\ud83d\\ude00"
             "\xc3\xb6\\n\\/\\ud83dx\"}");
    for (size_t n = 1; n <= message.len; n++) {
        enum long_answer_state end;
        int64_t id;
        char *text = read_in_pieces(message, n, &end, &id);
        assert_int_equal(end, LONG_ANSWER_END);
        assert_int_equal(id, 417);
        assert_string_equal(text, "[{\"a\":\"b\\c\"}] \xc3\xa4\xf0\x9f\x98\x80\xc3\xb6\n/\xef\xbf\xbdx");
        free(text);
    }
}

static void other_messages_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        enum long_answer_state end;
    } cases[] = {
        {"{\"responseId\":1,\"type\":\"data\",\"data\":8}", LONG_ANSWER_OTHER},
        {"{\"type\":\"data\",\"responseId\":1,\"data\":\"x\"}", LONG_ANSWER_END},
        {" { \"responseId\" : 1 , \"type\" : \"data\" , \"data\" : \"x\" } ", LONG_ANSWER_END},
        {"{\"data\":\"x\",\"responseId\":1,\"type\":\"data\"}", LONG_ANSWER_OTHER},
        {"{\"responseId\":1,\"type\":\"error\",\"data\":\"x\"}", LONG_ANSWER_OTHER},
        {"{\"responseId\":1,\"type\":\"stream\",\"chunk\":\"x\"}", LONG_ANSWER_OTHER},
        {"nonsense", LONG_ANSWER_OTHER},
        {"{\"responseId\":1,\"ty", LONG_ANSWER_HEAD},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"x", LONG_ANSWER_STRING},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"x\"", LONG_ANSWER_TAIL},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"x\"} ", LONG_ANSWER_END},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"x\"}}", LONG_ANSWER_BROKEN},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"x\",\"y\":1}", LONG_ANSWER_BROKEN},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"\\x\"}", LONG_ANSWER_BROKEN},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"\\u12g4\"}", LONG_ANSWER_BROKEN},
        {"{\"responseId\":1,\"type\":\"data\",\"data\":\"a\nb\"}", LONG_ANSWER_BROKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = 1; n < 40; n += 6) {
            enum long_answer_state end;
            int64_t id;
            free(read_in_pieces(span_of(cases[i].message), n, &end, &id));
            assert_int_equal(end, cases[i].end);
        }
    }
}

static void what_is_no_string_is_bounded(void **state)
{
    (void)state;
    struct long_answer a = {0};
    struct buf out = {0};
    char *piece = mem_alloc(65536);
    memset(piece, '[', 65536);
    for (int i = 0; i < 100; i++) {
        long_answer_add(&a, (struct span){piece, 65536}, &out);
        assert_true(a.kept.len <= LONG_ANSWER_WHOLE);
    }
    assert_int_equal(a.state, LONG_ANSWER_BROKEN);
    assert_int_equal(a.kept.cap + out.len, 0);
    long_answer_end(&a);
    free(piece);
}

// ---- Within the calls ----

struct caller {
    struct rpc *rpc;
    struct buf text;
    size_t pieces, most_held;
    bool over, lost, undefined;
    struct error error;
    struct budgets *budgets;
};

static void drop(void *ctx, bool text, struct span message)
{
    (void)ctx, (void)text, (void)message;
}

static void serve(void *ctx, const struct rpc_request *request)
{
    (void)ctx, (void)request;
}

static void replied(void *ctx, const struct rpc_reply *reply)
{
    struct caller *c = ctx;
    if (reply->kind == RPC_PIECE) {
        c->pieces++;
        buf_add_span(&c->text, reply->chunk);
        return;
    }
    assert_false(c->over);
    c->over = true;
    c->lost = reply->kind == RPC_LOST;
    if (c->lost)
        c->error = *reply->error;
    else if (reply->text == NULL)
        c->undefined = reply->data == NULL;
    else if (c->pieces == 0)
        buf_add_span(&c->text, buf_span(reply->text));
}

static uint64_t held(struct caller *c)
{
    struct budget_account a;
    budgets_of_class(c->budgets, BUDGET_CONTACT, &a);
    return a.use[BUDGET_HELD];
}

// Answers with a string of size bytes in pieces of 64 KiB.
static void answer(struct caller *c, int64_t id, size_t size)
{
    struct buf message = {0};
    buf_printf(&message, "{\"responseId\":%lld,\"type\":\"data\",\"data\":\"", (long long)id);
    memset(buf_reserve(&message, size), 'x', size);
    message.len += size;
    buf_add_text(&message, "\"}");
    for (size_t i = 0; i < message.len; i += 65536) {
        size_t n = message.len - i < 65536 ? message.len - i : 65536;
        rpc_on_piece(c->rpc, (struct span){message.data + i, n}, i == 0, false, 0);
        c->most_held = held(c) > c->most_held ? held(c) : c->most_held;
    }
    rpc_on_piece(c->rpc, (struct span){0}, false, true, 0);
    buf_free(&message);
}

static void run(size_t size, size_t most, bool in_pieces, struct caller *c)
{
    struct hash person = {{1}};
    *c = (struct caller){.budgets = budgets_create(NULL, NULL)};
    struct budget *b = budget_of_person(c->budgets, &person, BUDGET_CONTACT);
    struct rpc_limits limits = {.outstanding = 4, .text = 1 << 16, .budget = b};
    c->rpc = rpc_create((struct rpc_transport){.send = drop}, limits, serve, NULL);
    int64_t id = rpc_call(c->rpc, 2, SPAN("[]"), 0, 1000, replied, c);
    rpc_expect(c->rpc, id, most, "LIST-TOO-BIG", in_pieces);
    answer(c, id, size);
    assert_true(c->over);
    assert_int_equal(held(c), 0);
    rpc_destroy(c->rpc);
    budget_release(b);
    budgets_destroy(c->budgets);
}

static void a_long_text_is_held_once(void **state)
{
    (void)state;
    struct caller c;
    run(3 << 20, 4 << 20, false, &c);
    assert_int_equal(c.text.len, 3 << 20);
    assert_in_range(c.most_held, (3 << 20) - 65536, 3 << 20);
    buf_free(&c.text);
}

static void pieces_are_not_held(void **state)
{
    (void)state;
    struct caller c;
    run(3 << 20, 4 << 20, true, &c);
    assert_int_equal(c.text.len, 3 << 20);
    assert_int_equal(c.most_held, 0);
    assert_true(c.pieces > 40);
    buf_free(&c.text);
}

static void more_than_was_expected_ends_the_call(void **state)
{
    (void)state;
    struct caller c;
    for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
        run(3 << 20, 2 << 20, in_pieces != 0, &c);
        assert_true(c.lost);
        assert_string_equal(c.error.code, "LIST-TOO-BIG");
        assert_true(c.most_held <= 2 << 20);
        buf_free(&c.text);
    }
}

static void more_than_the_account_has_ends_the_call(void **state)
{
    (void)state;
    struct caller c;
    uint64_t most = budget_limit(BUDGET_CONTACT, BUDGET_HELD, BUDGET_PERSON).most;
    run(most + (1 << 20), most + (2 << 20), false, &c);
    assert_true(c.lost);
    assert_string_equal(c.error.code, "OVER-BUDGET");
    assert_true(c.most_held <= most);
    buf_free(&c.text);
}

// A short answer may come in fragments, too.
static void undefined_is_undefined_in_pieces(void **state)
{
    (void)state;
    struct caller c = {0};
    struct span message = SPAN("{\"responseId\":0,\"type\":\"data\",\"data\":\"$__undefined$\"}");
    struct rpc_limits limits = {.outstanding = 4, .text = 1 << 16};
    c.rpc = rpc_create((struct rpc_transport){.send = drop}, limits, serve, NULL);
    rpc_call(c.rpc, 2, SPAN("[]"), 0, 1000, replied, &c);
    for (size_t i = 0; i < message.len; i++)
        rpc_on_piece(c.rpc, (struct span){message.ptr + i, 1}, i == 0, i + 1 == message.len, 0);
    assert_true(c.over && c.undefined && !c.lost);
    rpc_destroy(c.rpc);
}

static void what_is_no_utf8_is_repaired_as_a_whole(void **state)
{
    (void)state;
    struct caller c = {0};
    struct span message = SPAN("{\"responseId\":0,\"type\":\"data\",\"data\":\"a\xff\xc3\xa4\xe2\x82\"}");
    struct rpc_limits limits = {.outstanding = 4, .text = 1 << 16};
    c.rpc = rpc_create((struct rpc_transport){.send = drop}, limits, serve, NULL);
    rpc_call(c.rpc, 2, SPAN("[]"), 0, 1000, replied, &c);
    for (size_t i = 0; i < message.len; i++)
        rpc_on_piece(c.rpc, (struct span){message.ptr + i, 1}, i == 0, i + 1 == message.len, 0);
    assert_true(c.over && !c.lost);
    assert_string_equal(buf_cstr(&c.text), "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
    rpc_destroy(c.rpc);
    buf_free(&c.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_gives_the_same_string),
        cmocka_unit_test(other_messages_are_told_apart),
        cmocka_unit_test(what_is_no_string_is_bounded),
        cmocka_unit_test(a_long_text_is_held_once),
        cmocka_unit_test(pieces_are_not_held),
        cmocka_unit_test(more_than_was_expected_ends_the_call),
        cmocka_unit_test(more_than_the_account_has_ends_the_call),
        cmocka_unit_test(undefined_is_undefined_in_pieces),
        cmocka_unit_test(what_is_no_utf8_is_repaired_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
