// Hostile and unusual frames.
#include "crypto/box.h"
#include "tests/unit/cmocka_all.h"
#include "wire/frame.h"

struct pair {
    struct frame_codec initiator, acceptor;
};

static int begin(void **state)
{
    crypto_init();
    struct pair *p = mem_alloc(sizeof *p);
    struct secret a = secret_random(BOX_KEY), b = secret_copy(a.data, a.len);
    frame_codec_begin(&p->initiator, &a, FRAME_INITIATOR, &RANDOM_SYSTEM);
    frame_codec_begin(&p->acceptor, &b, FRAME_ACCEPTOR, &RANDOM_SYSTEM);
    *state = p;
    return 0;
}

static int end(void **state)
{
    struct pair *p = *state;
    frame_codec_end(&p->initiator);
    frame_codec_end(&p->acceptor);
    free(p);
    return 0;
}

static struct buf sealed(struct pair *p, const char *text)
{
    struct buf frame = {0};
    frame_seal(&p->initiator, true, span_of(text), &frame);
    return frame;
}

static bool opens(struct pair *p, struct span frame)
{
    struct buf out = {0};
    bool text;
    struct error e;
    bool ok = frame_open(&p->acceptor, frame, &text, &out, &e) == STATUS_OK;
    if (!ok)
        assert_string_equal(e.message, "Decryption of message failed.");
    buf_free(&out);
    return ok;
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct pair *p = *state;
    struct buf frame = sealed(p, "hello");
    for (size_t i = 0; i < frame.len * 8; i++) {
        frame.data[i / 8] ^= (char)(1 << i % 8);
        assert_false(opens(p, buf_span(&frame)));
        frame.data[i / 8] ^= (char)(1 << i % 8);
    }
    assert_true(opens(p, buf_span(&frame)));
    buf_free(&frame);
}

static void every_truncation_is_noticed(void **state)
{
    struct pair *p = *state;
    struct buf frame = sealed(p, "hello");
    for (size_t len = 0; len < frame.len; len++)
        assert_false(opens(p, (struct span){frame.data, len}));
    assert_true(opens(p, buf_span(&frame)));
    buf_free(&frame);
}

static void replays_and_swaps_are_noticed(void **state)
{
    struct pair *p = *state;
    struct buf first = sealed(p, "first"), second = sealed(p, "second");
    assert_false(opens(p, buf_span(&second)));
    assert_true(opens(p, buf_span(&first)));
    assert_false(opens(p, buf_span(&first)));
    assert_true(opens(p, buf_span(&second)));
    buf_free(&first);
    buf_free(&second);
}

static void own_frames_do_not_come_back(void **state)
{
    struct pair *p = *state;
    struct buf frame = sealed(p, "hello"), out = {0};
    bool text;
    assert_int_not_equal(frame_open(&p->initiator, buf_span(&frame), &text, &out, NULL), STATUS_OK);
    buf_free(&frame);
    buf_free(&out);
}

static void the_last_counter_is_never_used(void **state)
{
    struct pair *p = *state;
    struct buf frame = {0};
    p->initiator.send = p->acceptor.receive = (1ull << 53) - 1;
    frame_seal(&p->initiator, true, SPAN("x"), &frame);
    assert_false(opens(p, buf_span(&frame)));
    buf_free(&frame);
}

static void assert_strips(const char *plaintext, size_t len, const char *message)
{
    bool text;
    struct span out;
    struct error e;
    enum status status = frame_strip((struct span){plaintext, len}, &text, &out, &e);
    if (message == NULL) {
        assert_int_equal(status, STATUS_INVALID);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(span_eq_text(out, message));
}

static void any_length_of_the_filler_length_is_read(void **state)
{
    (void)state;
    assert_strips("\x10hi", 3, "hi");
    assert_strips("\x11\x02..hi", 6, "hi");
    assert_strips("\x18\0\0\0\0\0\0\0\x02..hi", 13, "hi");
    assert_strips("\x11\x02..", 4, "");
    assert_strips("\xf1\x01.hi", 5, "hi");
}

static void lengths_beyond_the_frame_are_refused(void **state)
{
    (void)state;
    assert_strips("", 0, NULL);
    assert_strips("\x11", 1, NULL);
    assert_strips("\x11\x03..", 4, NULL);
    assert_strips("\x18\xff\xff\xff\xff\xff\xff\xff\xff..", 11, NULL);
    assert_strips("\x18\0\0\0\0\0\0\0", 8, NULL);
    assert_strips("\x19\0\0\0\0\0\0\0\0\x01.", 11, NULL);
    assert_strips("\x1f", 1, NULL);
}

static struct buf received_as_text(struct pair *p, const char *bytes, size_t len)
{
    struct buf frame = {0}, out = {0};
    bool text;
    frame_seal(&p->initiator, true, (struct span){bytes, len}, &frame);
    assert_int_equal(frame_open(&p->acceptor, buf_span(&frame), &text, &out, NULL), STATUS_OK);
    assert_true(text);
    buf_free(&frame);
    return out;
}

static void texts_are_decoded_leniently(void **state)
{
    struct pair *p = *state;
    struct buf out = received_as_text(p, "\xef\xbb\xbfhi", 5);
    assert_string_equal(buf_cstr(&out), "hi");
    buf_free(&out);
    out = received_as_text(p,
                           "a\xff"
                           "b",
                           3);
    assert_string_equal(buf_cstr(&out), "a\xef\xbf\xbd"
                                        "b");
    buf_free(&out);
}

static void lengths_say_little(void **state)
{
    struct pair *p = *state;
    size_t smallest = SIZE_MAX, biggest = 0;
    for (int i = 0; i < 300; i++) {
        struct buf frame = sealed(p, "hello");
        smallest = frame.len < smallest ? frame.len : smallest;
        biggest = frame.len > biggest ? frame.len : biggest;
        buf_free(&frame);
    }
    assert_true(smallest >= 16 + 1 + 5);
    assert_true(biggest <= FRAME_OVERHEAD_MAX + 5);
    assert_true(biggest - smallest > 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(every_truncation_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(replays_and_swaps_are_noticed, begin, end),
        cmocka_unit_test_setup_teardown(own_frames_do_not_come_back, begin, end),
        cmocka_unit_test_setup_teardown(the_last_counter_is_never_used, begin, end),
        cmocka_unit_test(any_length_of_the_filler_length_is_read),
        cmocka_unit_test(lengths_beyond_the_frame_are_refused),
        cmocka_unit_test_setup_teardown(texts_are_decoded_leniently, begin, end),
        cmocka_unit_test_setup_teardown(lengths_say_little, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
