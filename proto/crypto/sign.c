// Ed25519 over the message as it is: everything that is signed is in memory as a whole.
#include "crypto/sign.h"

#include <sodium.h>

void sign_keypair(struct sign_public *public_key, struct secret *secret)
{
    *secret = secret_create(SIGN_SECRET);
    crypto_sign_keypair(public_key->b, secret->data);
}

void sign_make(const struct secret *secret, struct span message, struct signature *out)
{
    crypto_sign_detached(out->b, NULL, (const uint8_t *)message.ptr, message.len, secret->data);
}

bool sign_verify(const struct sign_public *public_key, struct span message, const struct signature *s)
{
    return crypto_sign_verify_detached(s->b, (const uint8_t *)message.ptr, message.len, public_key->b) == 0;
}
