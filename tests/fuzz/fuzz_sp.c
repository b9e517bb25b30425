// The bytes of an SP connection, in pieces as the first byte says: however they are cut, the same messages come out,
// none above the limit, and what was written by our own side is read back whole.
#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "ipc/sp.h"

enum { MAX = 4096 };

// Everything that was told, one after the other; returns whether the connection is still of use.
static bool read_all(struct span bytes, size_t piece, struct buf *told)
{
    struct sp_reader r = {.expected = SP_REQ, .max = MAX};
    bool good = true;
    while (bytes.len > 0 && good) {
        struct span part = {bytes.ptr, piece < bytes.len ? piece : bytes.len};
        bytes = span_from(bytes, part.len);
        while (part.len > 0 && good) {
            enum sp_progress progress = sp_reader_take(&r, &part);
            good = progress != SP_BROKEN;
            if (progress == SP_GREETED)
                buf_add_char(told, 'G');
            if (progress != SP_MESSAGE)
                continue;
            struct span message = sp_reader_message(&r);
            FUZZ_CHECK(message.len <= MAX && r.size <= MAX);
            buf_add_span(told, message);
            buf_add_char(told, 'M');
        }
    }
    sp_reader_clear(&r);
    return good;
}

static void check_split(struct span message)
{
    struct span rest = message;
    struct span words;
    if (!sp_split_words(&rest, &words))
        return;
    FUZZ_CHECK(words.len % 4 == 0 && words.len >= 4 && words.len <= SP_WORDS_MAX);
    FUZZ_CHECK(words.ptr == message.ptr && words.len + rest.len == message.len);
    FUZZ_CHECK(((unsigned char)words.ptr[words.len - 4] & 0x80) != 0);
}

static void check_own(struct span text)
{
    unsigned char front[SP_GREETING_SIZE + SP_HEAD_SIZE];
    struct buf bytes = {0};
    struct buf told = {0};
    sp_greeting(SP_REQ, front);
    sp_head(text.len, front + SP_GREETING_SIZE);
    buf_add(&bytes, front, sizeof front);
    buf_add_span(&bytes, text);
    FUZZ_CHECK(read_all(buf_span(&bytes), 7, &told) == (text.len <= MAX));
    FUZZ_CHECK(text.len > MAX || told.len == text.len + 2);
    buf_free(&bytes);
    buf_free(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span bytes = {(const char *)data + 1, size - 1};
    struct buf whole = {0};
    struct buf pieces = {0};
    bool good = read_all(bytes, bytes.len + 1, &whole);
    FUZZ_CHECK(read_all(bytes, (size_t)data[0] % 13 + 1, &pieces) == good);
    FUZZ_CHECK(span_eq(buf_span(&whole), buf_span(&pieces)));
    check_split(bytes);
    check_own(bytes);
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
