// Every recorded encrypted frame opens to what was recorded, and comes out of our side byte for byte the same.
#include "capture.h"
#include "crypto/sha256.h"
#include "tests/unit/cmocka_all.h"
#include "wire/pipeline.h"

static const char *const CAPTURES[] = {
    "direct-pairing",    "direct-chum", "direct-chum-blob",   "direct-chum-refused",  "keepalive",
    "relay-pairing",     "relay-chum",  "relay-chum-refused", "direct-debug-objects", "direct-debug-data",
    "direct-debug-blob",
};

enum { C2S, S2C };

struct replay { // one direction of one connection
    struct frame_codec open, seal;
    struct scripted_random random;
};

static void replay_begin(struct replay *r, const json_t *handshake, int direction)
{
    struct secret a = capture_secret(handshake, "sharedKey"), b = secret_copy(a.data, a.len);
    scripted_random_begin(&r->random);
    frame_codec_begin(&r->open, &a, direction == C2S ? FRAME_ACCEPTOR : FRAME_INITIATOR, &r->random.source);
    frame_codec_begin(&r->seal, &b, direction == C2S ? FRAME_INITIATOR : FRAME_ACCEPTOR, &r->random.source);
}

static void replay_end(struct replay *r)
{
    frame_codec_end(&r->open);
    frame_codec_end(&r->seal);
    scripted_random_end(&r->random);
}

static void assert_bytes(struct span got, struct span expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.ptr, expected.ptr, got.len);
}

static void assert_message(const json_t *enc, bool text, struct span message)
{
    assert_int_equal(text, strcmp(capture_text(enc, "kind"), "text") == 0);
    if (capture_text(enc, "text") != NULL) {
        assert_bytes(message, span_of(capture_text(enc, "text")));
    } else if (capture_text(enc, "hex") != NULL) {
        struct buf expected = capture_bytes(enc, "hex");
        assert_bytes(message, buf_span(&expected));
        buf_free(&expected);
    } else {
        struct hash h = sha256(message);
        assert_string_equal(hash_text(&h).s, capture_text(enc, "sha256"));
    }
}

static void check_frame(struct replay *r, const json_t *record, const json_t *enc)
{
    struct buf frame = capture_bytes(record, "hex"), opened = {0}, sealed = {0};
    uint64_t counter = (uint64_t)json_integer_value(json_object_get(enc, "nonce"));
    r->open.receive = r->seal.send = counter; // records are left out in some captures
    bool text;
    assert_int_equal(frame_open(&r->open, buf_span(&frame), &text, &opened, NULL), STATUS_OK);
    assert_message(enc, text, buf_span(&opened));

    scripted_random_add_padding(&r->random, &r->seal.key, counter, buf_span(&frame));
    frame_seal(&r->seal, text, buf_span(&opened), &sealed);
    assert_bytes(buf_span(&sealed), buf_span(&frame));
    buf_free(&frame);
    buf_free(&opened);
    buf_free(&sealed);
}

static size_t check_capture(const char *name)
{
    json_t *capture = capture_load(name);
    const json_t *handshake = json_object_get(json_array_get(capture, 0), "handshake");
    struct replay directions[2];
    replay_begin(&directions[C2S], handshake, C2S);
    replay_begin(&directions[S2C], handshake, S2C);
    size_t index, checked = 0;
    json_t *record;
    json_array_foreach(capture, index, record)
    {
        const json_t *enc = json_object_get(record, "enc");
        if (enc == NULL)
            continue;
        check_frame(&directions[strcmp(capture_text(record, "dir"), "c2s") == 0 ? C2S : S2C], record, enc);
        checked++;
    }
    replay_end(&directions[C2S]);
    replay_end(&directions[S2C]);
    json_decref(capture);
    return checked;
}

static void recorded_frames_open_and_repeat(void **state)
{
    (void)state;
    crypto_init();
    size_t checked = 0;
    for (size_t i = 0; i < sizeof CAPTURES / sizeof CAPTURES[0]; i++)
        checked += check_capture(CAPTURES[i]);
    print_message("%zu frames\n", checked);
    assert_true(checked > 300);
}

// ---- Fragmentation: what a recorded receiver put together, and what we would send for it ----

struct pieces {
    const json_t *capture;
    size_t next; // record to compare with
    const char *direction;
};

static void compare_piece(void *ctx, bool text, struct span message)
{
    struct pieces *p = ctx;
    const json_t *record = NULL;
    do
        record = json_array_get(p->capture, p->next++);
    while (record != NULL && strcmp(capture_text(record, "dir"), p->direction) != 0);
    assert_message(json_object_get(record, "enc"), text, message);
}

static bool is_start(const json_t *enc)
{
    const char *text = capture_text(enc, "text");
    return text != NULL && strncmp(text, "fragmentation_start_", 20) == 0;
}

static struct buf open_record(const json_t *record, const struct secret *key, bool *text)
{
    struct secret own = secret_copy(key->data, key->len);
    struct frame_codec codec;
    frame_codec_begin(&codec, &own, FRAME_ACCEPTOR, &RANDOM_SYSTEM);
    codec.receive = (uint64_t)json_integer_value(json_object_get(json_object_get(record, "enc"), "nonce"));
    struct buf frame = capture_bytes(record, "hex"), opened = {0};
    assert_int_equal(frame_open(&codec, buf_span(&frame), text, &opened, NULL), STATUS_OK);
    frame_codec_end(&codec);
    buf_free(&frame);
    return opened;
}

// Joins the pieces from the start record on, then takes the message apart again. false: its end was not kept.
static bool join_and_repeat(const json_t *capture, size_t start, const struct secret *key)
{
    struct fragment_receiver receiver = {.limit = 1 << 20};
    struct fragment_message message = {0};
    size_t index = start;
    for (; index < json_array_size(capture) && !message.present; index++) {
        bool text;
        struct buf opened = open_record(json_array_get(capture, index), key, &text);
        enum status status = fragment_receive(&receiver, text, buf_span(&opened), &message, NULL);
        buf_free(&opened);
        if (status != STATUS_OK)
            break;
    }
    if (message.present) {
        const json_t *last = json_array_get(capture, index - 1);
        assert_message(json_object_get(json_object_get(last, "enc"), "message"), message.text, message.bytes);
        struct pieces pieces = {.capture = capture, .next = start, .direction = capture_text(last, "dir")};
        fragment_send(message.text, message.bytes, compare_piece, &pieces);
        assert_int_equal(pieces.next, index);
    }
    fragment_receiver_end(&receiver);
    return message.present;
}

static void recorded_fragments_join_and_repeat(void **state)
{
    (void)state;
    crypto_init();
    json_t *capture = capture_load("direct-chum-blob"), *record;
    struct secret key = capture_secret(json_object_get(json_array_get(capture, 0), "handshake"), "sharedKey");
    size_t index, joined = 0;
    json_array_foreach(capture, index, record)
    {
        const json_t *enc = json_object_get(record, "enc");
        if (enc != NULL && is_start(enc) && join_and_repeat(capture, index, &key))
            joined++;
    }
    print_message("%zu fragmented messages\n", joined);
    assert_int_equal(joined, 3);
    secret_destroy(&key);
    json_decref(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_frames_open_and_repeat),
        cmocka_unit_test(recorded_fragments_join_and_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
