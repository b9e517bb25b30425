// What a record is about is sealed in with each piece and stored nowhere: a record in another's place does not open.
// The last piece is marked, so one that was cut off is noticed.
#include "crypto/stream.h"

#include <sodium.h>
#include <stdlib.h>

struct stream {
    struct secret state; // crypto_secretstream_xchacha20poly1305_state
    struct buf about;
};

_Static_assert(STREAM_HEAD == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "of the library");
_Static_assert(STREAM_EXTRA == crypto_secretstream_xchacha20poly1305_ABYTES, "of the library");
_Static_assert(STREAM_KEY == crypto_secretstream_xchacha20poly1305_KEYBYTES, "of the library");

static crypto_secretstream_xchacha20poly1305_state *state_of(struct stream *s)
{
    return (crypto_secretstream_xchacha20poly1305_state *)(void *)s->state.data;
}

static struct stream *create(struct span about)
{
    struct stream *s = mem_alloc(sizeof *s);
    s->state = secret_create(sizeof(crypto_secretstream_xchacha20poly1305_state));
    buf_add_span(&s->about, about);
    return s;
}

void stream_destroy(struct stream *s)
{
    if (s == NULL)
        return;
    secret_destroy(&s->state);
    buf_free(&s->about);
    free(s);
}

struct stream *stream_seal(const struct secret *key, struct span about, struct buf *out)
{
    struct stream *s = create(about);
    unsigned char *head = (unsigned char *)buf_reserve(out, STREAM_HEAD);
    crypto_secretstream_xchacha20poly1305_init_push(state_of(s), head, key->data);
    out->len += STREAM_HEAD;
    return s;
}

void stream_add(struct stream *s, struct span piece, bool last, struct buf *out)
{
    unsigned char *to = (unsigned char *)buf_reserve(out, piece.len + STREAM_EXTRA);
    unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    crypto_secretstream_xchacha20poly1305_push(state_of(s), to, NULL, (const unsigned char *)piece.ptr, piece.len,
                                               (const unsigned char *)s->about.data, s->about.len, tag);
    out->len += piece.len + STREAM_EXTRA;
}

static enum status damaged(struct error *e)
{
    return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "a sealed record is damaged, or belongs elsewhere");
}

enum status stream_open(const struct secret *key, struct span about, struct span head, struct stream **out,
                        struct error *e)
{
    *out = NULL;
    if (head.len != STREAM_HEAD)
        return damaged(e);
    struct stream *s = create(about);
    crypto_secretstream_xchacha20poly1305_init_pull(state_of(s), (const unsigned char *)head.ptr, key->data);
    *out = s;
    return STATUS_OK;
}

enum status stream_take(struct stream *s, struct span sealed, bool last, struct buf *out, struct error *e)
{
    unsigned char tag = 0;
    if (sealed.len < STREAM_EXTRA)
        return damaged(e);
    unsigned char *to = (unsigned char *)buf_reserve(out, sealed.len);
    int failed =
        crypto_secretstream_xchacha20poly1305_pull(state_of(s), to, NULL, &tag, (const unsigned char *)sealed.ptr,
                                                   sealed.len, (const unsigned char *)s->about.data, s->about.len);
    if (failed != 0 || (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) != last)
        return damaged(e);
    out->len += sealed.len - STREAM_EXTRA;
    return STATUS_OK;
}

uint64_t stream_size(uint64_t size)
{
    uint64_t pieces = size == 0 ? 1 : (size - 1) / STREAM_PIECE + 1;
    return STREAM_HEAD + pieces * STREAM_EXTRA + size;
}

struct hash stream_name(const struct secret *key, struct span content)
{
    struct hash name;
    crypto_generichash(name.b, sizeof name.b, (const unsigned char *)content.ptr, content.len, key->data, key->len);
    return name;
}
