// Secrets are normalised first, so that the same words typed on another system open the same. The scrypt costs are the
// reference's and can be no others.
#include "crypto/kdf.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/text.h"

const struct kdf_limits KDF_DEFAULT = {2, 64U << 20};

static bool limits_ok(struct kdf_limits l)
{
    return l.ops >= 1 && l.ops <= 16 && l.memory >= (8U << 20) && l.memory <= (1U << 30);
}

static enum status normalise(const struct secret *secret, struct secret *out, struct error *e)
{
    struct span text = {(const char *)secret->data, secret->len};
    utf8proc_uint8_t *nfkc = NULL;
    utf8proc_ssize_t len = -1;
    if (utf8_valid(text))
        len = utf8proc_map(secret->data, (utf8proc_ssize_t)secret->len, &nfkc,
                           UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    if (len < 0)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the secret is not valid UTF-8 text");
    *out = secret_copy(nfkc, (size_t)len);
    sodium_memzero(nfkc, (size_t)len);
    free(nfkc);
    return STATUS_OK;
}

enum status kdf_argon2id(const struct secret *secret, const uint8_t salt[KDF_SALT], struct kdf_limits limits,
                         struct secret *key, struct error *e)
{
    if (!limits_ok(limits))
        return error_set(e, STATUS_TOO_BIG, "BAD-KDF-LIMITS", "the key derivation limits are out of bounds");
    struct secret text = {0};
    enum status st = normalise(secret, &text, e);
    if (st != STATUS_OK)
        return st;
    *key = secret_create(KDF_KEY);
    if (crypto_pwhash(key->data, KDF_KEY, (const char *)text.data, text.len, salt, limits.ops, limits.memory,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        secret_destroy(key);
        st = error_set(e, STATUS_IO, "OUT-OF-MEMORY", "not enough memory to derive the key (%llu bytes)",
                       (unsigned long long)limits.memory);
    }
    secret_destroy(&text);
    return st;
}

enum status kdf_scrypt(const struct secret *secret, struct span salt, struct secret *key, struct error *e)
{
    struct secret text = {0};
    enum status st = normalise(secret, &text, e);
    if (st != STATUS_OK)
        return st;
    *key = secret_create(KDF_KEY);
    if (crypto_pwhash_scryptsalsa208sha256_ll(text.data, text.len, (const uint8_t *)salt.ptr, salt.len, 1024, 8, 1,
                                              key->data, KDF_KEY) != 0) {
        secret_destroy(key);
        st = error_set(e, STATUS_IO, "OUT-OF-MEMORY", "not enough memory to derive the key");
    }
    secret_destroy(&text);
    return st;
}

void kdf_subkey(const struct secret *key, const char *name, struct secret *out)
{
    char context[crypto_kdf_CONTEXTBYTES] = {0};
    memcpy(context, name, strnlen(name, sizeof context));
    *out = secret_create(KDF_KEY);
    crypto_kdf_derive_from_key(out->data, KDF_KEY, 1, context, key->data);
}
