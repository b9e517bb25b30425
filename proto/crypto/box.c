// NaCl's box in two steps: the shared key is made once, what follows is its secretbox. Keys that would make a shared
// key of zeros are refused.
#include "crypto/box.h"

#include <sodium.h>

static enum status cannot_open(struct error *e)
{
    return error_set(e, STATUS_REFUSED, "CYENC-SYMDEC", "Decryption with symmetric key failed");
}

bool public_key_eq(const struct public_key *a, const struct public_key *b)
{
    return sodium_memcmp(a->b, b->b, BOX_KEY) == 0;
}

void box_keypair(struct public_key *public_key, struct secret *secret)
{
    *secret = secret_create(BOX_KEY);
    crypto_box_keypair(public_key->b, secret->data);
}

void box_public_from_secret(const struct secret *secret, struct public_key *public_key)
{
    crypto_scalarmult_base(public_key->b, secret->data);
}

enum status box_shared_key(const struct public_key *other, const struct secret *own, struct secret *shared,
                           struct error *e)
{
    *shared = secret_create(BOX_KEY);
    if (crypto_box_beforenm(shared->data, other->b, own->data) == 0)
        return STATUS_OK;
    secret_destroy(shared);
    return error_set(e, STATUS_INVALID, "BAD-PUBLIC-KEY", "the public key is not a usable X25519 key");
}

void box_seal_nonce(const struct secret *key, const uint8_t nonce[BOX_NONCE], struct span message, struct buf *out)
{
    uint8_t *w = (uint8_t *)buf_reserve(out, message.len + BOX_TAG);
    crypto_secretbox_easy(w, (const uint8_t *)message.ptr, message.len, nonce, key->data);
    out->len += message.len + BOX_TAG;
}

enum status box_open_nonce(const struct secret *key, const uint8_t nonce[BOX_NONCE], struct span sealed,
                           struct buf *out, struct error *e)
{
    if (sealed.len < BOX_TAG)
        return cannot_open(e);
    uint8_t *w = (uint8_t *)buf_reserve(out, sealed.len);
    if (crypto_secretbox_open_easy(w, (const uint8_t *)sealed.ptr, sealed.len, nonce, key->data) != 0)
        return cannot_open(e);
    out->len += sealed.len - BOX_TAG;
    return STATUS_OK;
}

void box_seal(const struct secret *key, struct span message, struct buf *out)
{
    uint8_t nonce[BOX_NONCE];
    randombytes_buf(nonce, sizeof nonce);
    buf_add(out, nonce, sizeof nonce);
    box_seal_nonce(key, nonce, message, out);
}

enum status box_open(const struct secret *key, struct span sealed, struct buf *out, struct error *e)
{
    if (sealed.len < BOX_NONCE)
        return error_set(e, STATUS_INVALID, "BAD-NONCE", "bad nonce size");
    return box_open_nonce(key, (const uint8_t *)sealed.ptr, span_from(sealed, BOX_NONCE), out, e);
}
