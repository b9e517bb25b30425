// The framing of nng's Unix sockets: a greeting, then for each message 1, its length in eight bytes, its bytes. A
// length is only claimed, so memory grows with what came; messages may be secret, so what is outgrown is wiped.
#include "ipc/sp.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

enum { FIRST_PIECE = 64 * 1024 };

void sp_greeting(enum sp_protocol own, unsigned char out[SP_GREETING_SIZE])
{
    memcpy(out, "\0SP\0\0\0\0\0", SP_GREETING_SIZE);
    out[5] = (unsigned char)own;
}

void sp_head(size_t length, unsigned char out[SP_HEAD_SIZE])
{
    out[0] = 1;
    for (int i = 0; i < 8; i++)
        out[1 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
}

static bool take_front(struct sp_reader *r, size_t wanted, struct span *bytes)
{
    size_t n = wanted - r->have < bytes->len ? wanted - r->have : bytes->len;
    memcpy(r->front + r->have, bytes->ptr, n);
    r->have += n;
    *bytes = span_from(*bytes, n);
    return r->have == wanted;
}

static enum sp_progress take_greeting(struct sp_reader *r, struct span *bytes)
{
    unsigned char expected[SP_GREETING_SIZE];
    sp_greeting(r->expected, expected);
    bool complete = take_front(r, SP_GREETING_SIZE, bytes);
    if (memcmp(r->front, expected, r->have) != 0)
        return SP_BROKEN; // at the first wrong byte
    if (!complete)
        return SP_MORE;
    r->greeted = true;
    r->have = 0;
    return SP_GREETED;
}

static bool take_head(struct sp_reader *r, struct span *bytes, enum sp_progress *out)
{
    if (!take_front(r, SP_HEAD_SIZE, bytes))
        return false;
    r->length = 0;
    for (int i = 1; i < SP_HEAD_SIZE; i++)
        r->length = r->length << 8 | r->front[i];
    if (r->front[0] == 1 && r->length <= r->max)
        return true;
    *out = SP_BROKEN;
    return false;
}

static void grow(struct sp_reader *r, size_t wanted)
{
    size_t size = r->size == 0 ? FIRST_PIECE : 2 * r->size;
    while (size < wanted)
        size *= 2;
    if (size > r->length)
        size = (size_t)r->length;
    char *larger = mem_alloc(size);
    if (r->message != NULL) {
        memcpy(larger, r->message, r->size);
        secret_wipe(r->message, r->size);
        free(r->message);
    }
    r->message = larger;
    r->size = size;
}

static void let_go(struct sp_reader *r)
{
    if (r->message != NULL)
        secret_wipe(r->message, r->size);
    free(r->message);
    r->message = NULL;
    r->size = 0;
    r->have = 0;
}

enum sp_progress sp_reader_take(struct sp_reader *r, struct span *bytes)
{
    enum sp_progress broken = SP_MORE;
    if (!r->greeted)
        return take_greeting(r, bytes);
    if (r->have == SP_HEAD_SIZE + r->length)
        let_go(r); // the message before
    if (r->have < SP_HEAD_SIZE && !take_head(r, bytes, &broken))
        return broken;
    size_t at = r->have - SP_HEAD_SIZE;
    size_t n = r->length - at < bytes->len ? (size_t)r->length - at : bytes->len;
    if (at + n > r->size)
        grow(r, at + n);
    if (n > 0)
        memcpy(r->message + at, bytes->ptr, n);
    r->have += n;
    *bytes = span_from(*bytes, n);
    return at + n == r->length ? SP_MESSAGE : SP_MORE;
}

struct span sp_reader_message(const struct sp_reader *r)
{
    return (struct span){r->message, (size_t)r->length};
}

bool sp_reader_amid(const struct sp_reader *r)
{
    return !r->greeted || (r->have > 0 && (r->have < SP_HEAD_SIZE || r->have < SP_HEAD_SIZE + r->length));
}

void sp_reader_clear(struct sp_reader *r)
{
    let_go(r);
}

bool sp_split_words(struct span *message, struct span *words)
{
    for (size_t len = 4; len <= message->len && len <= SP_WORDS_MAX; len += 4) {
        if (((unsigned char)message->ptr[len - 4] & 0x80) == 0)
            continue;
        *words = (struct span){message->ptr, len};
        *message = span_from(*message, len);
        return true;
    }
    return false;
}
