// Messages through encryption, keepalive and fragmentation and back, and everything the three refuse.
#include "crypto/box.h"
#include "tests/unit/cmocka_all.h"
#include "wire/pipeline.h"

enum { LIMIT = 4 << 20 };

struct side {
    struct pipeline *pipeline;
    struct side *other;
    unsigned frames;   // emitted
    unsigned messages; // received
    bool text;         // of the last one received
    struct buf last;
    struct error error; // of the last failure
    bool failed;
};

struct line {
    struct side initiator, acceptor;
};

static void take(void *ctx, struct span frame)
{
    struct side *from = ctx, *to = from->other;
    from->frames++;
    struct fragment_message message;
    enum status status = pipeline_receive(to->pipeline, false, frame, 0, &message, &to->error);
    to->failed = status != STATUS_OK;
    if (status != STATUS_OK || !message.present)
        return;
    to->messages++;
    to->text = message.text;
    buf_clear(&to->last);
    buf_add_span(&to->last, message.bytes);
}

static int begin(void **state)
{
    crypto_init();
    struct line *l = mem_alloc(sizeof *l);
    struct secret a = secret_random(BOX_KEY), b = secret_copy(a.data, a.len);
    l->initiator.other = &l->acceptor;
    l->acceptor.other = &l->initiator;
    l->initiator.pipeline = pipeline_create(&a, FRAME_INITIATOR, LIMIT, &RANDOM_SYSTEM, take, &l->initiator, 0);
    l->acceptor.pipeline = pipeline_create(&b, FRAME_ACCEPTOR, LIMIT, &RANDOM_SYSTEM, take, &l->acceptor, 0);
    *state = l;
    return 0;
}

static int end(void **state)
{
    struct line *l = *state;
    pipeline_destroy(l->initiator.pipeline);
    pipeline_destroy(l->acceptor.pipeline);
    buf_free(&l->initiator.last);
    buf_free(&l->acceptor.last);
    free(l);
    return 0;
}

static void send_bytes(struct line *l, bool text, const char *bytes, size_t len)
{
    pipeline_send(l->initiator.pipeline, text, (struct span){bytes, len}, 0);
}

static void assert_arrives(struct line *l, bool text, const char *bytes, size_t len, unsigned frames)
{
    unsigned messages = l->acceptor.messages, before = l->initiator.frames;
    send_bytes(l, text, bytes, len);
    assert_int_equal(l->acceptor.messages, messages + 1);
    assert_int_equal(l->initiator.frames, before + frames);
    assert_int_equal(l->acceptor.text, text);
    assert_int_equal(l->acceptor.last.len, len);
    if (len != 0)
        assert_memory_equal(l->acceptor.last.data, bytes, len);
}

static void control_texts_survive_as_data(void **state)
{
    static const char *const texts[] = {
        "keepalive",
        "keepalivex",
        "keepalive and more",
        "fragmentation_start_string",
        "fragmentation_start_binary",
        "fragmentation_end",
        "fragmentation_endx",
        "fragmentation_end\xc3\xa4",
        "keepalive\xf0\x9f\x98\x80",
        "x",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_arrives(*state, true, texts[i], strlen(texts[i]), 1);
}

static void long_messages_go_in_pieces(void **state)
{
    struct line *l = *state;
    char *big = mem_alloc(300001);
    memset(big, 'a', 300000);
    assert_arrives(l, true, big, 16383, 1);
    assert_arrives(l, true, big, 16384, 3);
    assert_arrives(l, true, big, 65536, 3);
    assert_arrives(l, true, big, 65537, 4);
    assert_arrives(l, false, big, 65536, 1);
    assert_arrives(l, false, big, 65544, 4);
    assert_arrives(l, false, big, 300000, 7);
    memcpy(big, "fragmentation_end", 17); // long texts are not escaped
    assert_arrives(l, true, big, 20000, 3);
    for (size_t i = 0; i + 4 <= 65540; i += 4) // 16,385 characters of two units each, cut in the middle
        memcpy(big + i, "\xf0\x9f\x98\x80", 4);
    assert_arrives(l, true, big, 32764, 1);
    assert_arrives(l, true, big, 32768, 3);
    free(big);
}

static void raw_text(struct line *l, struct frame_codec *codec, bool text, const char *bytes)
{
    struct buf frame = {0};
    frame_seal(codec, text, span_of(bytes), &frame);
    take(&l->initiator, buf_span(&frame));
    buf_free(&frame);
}

// A sender that does what it likes on the same key.
static struct frame_codec wild(struct line *l)
{
    struct secret a = secret_random(BOX_KEY), b = secret_copy(a.data, a.len);
    pipeline_destroy(l->acceptor.pipeline);
    l->acceptor.pipeline = pipeline_create(&a, FRAME_ACCEPTOR, LIMIT, &RANDOM_SYSTEM, take, &l->acceptor, 0);
    struct frame_codec codec;
    frame_codec_begin(&codec, &b, FRAME_INITIATOR, &RANDOM_SYSTEM);
    return codec;
}

static void pieces_may_have_any_size(void **state)
{
    struct line *l = *state;
    struct frame_codec codec = wild(l);
    raw_text(l, &codec, true, "fragmentation_start_string");
    raw_text(l, &codec, false, "");
    raw_text(l, &codec, false, "a\xe2");
    raw_text(l, &codec, true, "keepalive");
    raw_text(l, &codec, false, "\x82\xac");
    raw_text(l, &codec, true, "fragmentation_end");
    assert_int_equal(l->acceptor.messages, 1);
    assert_string_equal(buf_cstr(&l->acceptor.last), "a\xe2\x82\xac");
    raw_text(l, &codec, true, "fragmentation_start_binary");
    raw_text(l, &codec, true, "fragmentation_end");
    assert_int_equal(l->acceptor.messages, 2);
    assert_int_equal(l->acceptor.last.len, 0);
    assert_false(l->acceptor.text);
    frame_codec_end(&codec);
}

static void too_much_is_refused(void **state)
{
    struct line *l = *state;
    struct frame_codec codec = wild(l);
    char *piece = mem_alloc((1 << 20) + 1);
    memset(piece, 'a', 1 << 20);
    raw_text(l, &codec, true, "fragmentation_start_binary");
    for (int i = 0; i < 4; i++)
        raw_text(l, &codec, false, piece);
    assert_false(l->acceptor.failed);
    raw_text(l, &codec, false, "b");
    assert_true(l->acceptor.failed);
    assert_string_equal(l->acceptor.error.code, "MESSAGE-TOO-BIG");
    assert_int_equal(l->acceptor.messages, 0);
    frame_codec_end(&codec);
    free(piece);
}

static void silence_is_noticed_and_avoided(void **state)
{
    struct line *l = *state;
    struct error e;
    uint64_t due = pipeline_deadline(l->initiator.pipeline);
    assert_in_range(due, KEEPALIVE_SEND_MS - KEEPALIVE_SLACK_MS, KEEPALIVE_SEND_MS);
    assert_int_equal(pipeline_on_time(l->initiator.pipeline, due - 1, &e), STATUS_OK);
    assert_int_equal(l->initiator.frames, 0);
    assert_int_equal(pipeline_on_time(l->initiator.pipeline, due, &e), STATUS_OK);
    assert_int_equal(l->initiator.frames, 1);
    assert_int_equal(l->acceptor.messages, 0); // consumed
    assert_int_equal(pipeline_deadline(l->initiator.pipeline), KEEPALIVE_RECEIVE_MS);
    assert_int_equal(pipeline_on_time(l->initiator.pipeline, KEEPALIVE_RECEIVE_MS, &e), STATUS_TIMEOUT);
    assert_string_equal(e.message, "Keepalive: No lifesign of the other side");
}

// A node with many connections is not woken for each of them.
static void lifesigns_are_due_together(void **state)
{
    struct line *l = *state;
    pipeline_send(l->initiator.pipeline, false, SPAN("one"), 1000);
    pipeline_send(l->acceptor.pipeline, false, SPAN("another"), 2500);
    assert_int_equal(pipeline_deadline(l->initiator.pipeline), pipeline_deadline(l->acceptor.pipeline));
}

static void texts_outside_a_frame_are_refused(void **state)
{
    struct line *l = *state;
    struct fragment_message message;
    struct error e;
    assert_int_equal(pipeline_receive(l->acceptor.pipeline, true, SPAN("hello"), 0, &message, &e), STATUS_INVALID);
    assert_string_equal(e.message, "Incoming encrypted message is a string, it needs to be binary");
}

static void a_long_message_is_not_kept(void **state)
{
    (void)state;
    static const char piece[FRAGMENT_CHUNK];
    struct fragment_receiver r = {.limit = LIMIT};
    struct fragment_message message;
    assert_int_equal(fragment_receive(&r, true, SPAN("fragmentation_start_binary"), &message, NULL), STATUS_OK);
    for (size_t len = 0; len < LIMIT; len += sizeof piece) {
        assert_int_equal(fragment_receive(&r, false, (struct span){piece, sizeof piece}, &message, NULL), STATUS_OK);
        fragment_receiver_consumed(&r); // of the parts everything is needed
    }
    assert_int_equal(fragment_receive(&r, true, SPAN("fragmentation_end"), &message, NULL), STATUS_OK);
    assert_int_equal(message.bytes.len, LIMIT);
    fragment_receiver_consumed(&r);
    assert_int_equal(r.bytes.cap, 0);
    fragment_receiver_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(control_texts_survive_as_data, begin, end),
        cmocka_unit_test_setup_teardown(long_messages_go_in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(pieces_may_have_any_size, begin, end),
        cmocka_unit_test_setup_teardown(too_much_is_refused, begin, end),
        cmocka_unit_test(a_long_message_is_not_kept),
        cmocka_unit_test_setup_teardown(silence_is_noticed_and_avoided, begin, end),
        cmocka_unit_test_setup_teardown(lifesigns_are_due_together, begin, end),
        cmocka_unit_test_setup_teardown(texts_outside_a_frame_are_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
