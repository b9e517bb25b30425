// Each direction counts in steps of two, one even and one odd, so that no nonce is used twice with the key. What does
// not open ends the connection: there is no other counter to try.
#include "wire/frame.h"

#include <string.h>

#include "base/text.h"
#include "crypto/box.h"

enum { FLAG_TEXT = 0x10, LENGTH_BYTES_MAX = 8 };

static const uint64_t COUNTER_LIMIT = (1ull << 53) - 2;

void frame_codec_begin(struct frame_codec *f, struct secret *key, enum frame_side side,
                       const struct random_source *random)
{
    *f = (struct frame_codec){.key = *key, .random = random};
    *key = (struct secret){0};
    if (side == FRAME_ACCEPTOR)
        f->receive = 1;
    else
        f->send = 1;
}

void frame_codec_end(struct frame_codec *f)
{
    secret_destroy(&f->key);
}

static void make_nonce(uint64_t counter, uint8_t nonce[BOX_NONCE])
{
    memset(nonce, 0, BOX_NONCE);
    for (int i = 0; i < 8; i++)
        nonce[BOX_NONCE - 1 - i] = (uint8_t)(counter >> (8 * i));
}

// The byte after the flags and the filler together take r bytes: r = 0 means neither.
static void add_padding(const struct random_source *random, bool text, struct buf *out)
{
    uint8_t r;
    random->fill(random->ctx, &r, 1);
    uint8_t head[2] = {(uint8_t)((text ? FLAG_TEXT : 0) | (r != 0 ? 1 : 0)), (uint8_t)(r - 1)};
    buf_add(out, head, r != 0 ? 2 : 1);
    if (r > 1) {
        random->fill(random->ctx, buf_reserve(out, r - 1u), r - 1u);
        out->len += r - 1u;
    }
}

void frame_seal(struct frame_codec *f, bool text, struct span message, struct buf *out)
{
    struct buf plaintext = {0};
    buf_reserve(&plaintext, message.len + FRAME_OVERHEAD_MAX);
    add_padding(f->random, text, &plaintext);
    buf_add_span(&plaintext, message);

    uint8_t nonce[BOX_NONCE];
    make_nonce(f->send, nonce);
    f->send += 2;
    box_seal_nonce(&f->key, nonce, buf_span(&plaintext), out);
    buf_free(&plaintext);
}

enum status frame_strip(struct span plaintext, bool *text, struct span *message, struct error *e)
{
    if (plaintext.len == 0)
        return error_set(e, STATUS_INVALID, "BAD-PADDING", "Invalid typed array length: 0");
    uint8_t head = (uint8_t)plaintext.ptr[0];
    size_t length_bytes = head & 0x0f;
    struct span rest = span_from(plaintext, 1);
    if (length_bytes > LENGTH_BYTES_MAX || length_bytes > rest.len)
        return error_set(e, STATUS_INVALID, "BAD-PADDING", "Invalid length of the padding");
    uint64_t filler = 0;
    for (size_t i = 0; i < length_bytes; i++)
        filler = filler << 8 | (uint8_t)rest.ptr[i];
    rest = span_from(rest, length_bytes);
    if (filler > rest.len) {
        uint64_t start = filler > UINT64_MAX - 1 - length_bytes ? filler : filler + 1 + length_bytes;
        return error_set(e, STATUS_INVALID, "BAD-PADDING", "Start offset %llu is outside the bounds of the buffer",
                         (unsigned long long)start);
    }
    *text = (head & FLAG_TEXT) != 0;
    *message = span_from(rest, (size_t)filler);
    return STATUS_OK;
}

void frame_repair_text(struct buf *b, size_t start)
{
    struct span text = span_from(buf_span(b), start);
    if (span_starts_with(text, SPAN("\xef\xbb\xbf"))) {
        start += 3;
        text = span_from(text, 3);
    }
    if (utf8_valid(text)) {
        buf_drop_front(b, start);
        return;
    }
    struct buf repaired = {0};
    utf8_repair(text, &repaired);
    buf_free(b);
    *b = repaired;
}

enum status frame_open(struct frame_codec *f, struct span frame, bool *text, struct buf *out, struct error *e)
{
    uint8_t nonce[BOX_NONCE];
    make_nonce(f->receive, nonce);
    buf_clear(out);
    if (f->receive >= COUNTER_LIMIT || box_open_nonce(&f->key, nonce, frame, out, NULL) != STATUS_OK)
        return error_set(e, STATUS_REFUSED, "BAD-FRAME", "Decryption of message failed.");
    f->receive += 2;

    struct span message = {0};
    enum status status = frame_strip(buf_span(out), text, &message, e);
    if (status != STATUS_OK)
        return status;
    size_t start = out->len - message.len;
    if (*text)
        frame_repair_text(out, start);
    else
        buf_drop_front(out, start);
    return STATUS_OK;
}
