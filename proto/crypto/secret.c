// Memory of sodium_malloc: locked, fenced, and zeroed when it goes. Running out of it ends the process as running out
// of any memory does.
#include "crypto/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void crypto_init(void)
{
    if (sodium_init() < 0) {
        fputs("libsodium cannot be initialised\n", stderr);
        abort();
    }
}

struct secret secret_create(size_t len)
{
    struct secret s = {sodium_malloc(len), len};
    if (s.data == NULL) {
        fputs("out of locked memory\n", stderr);
        abort();
    }
    sodium_memzero(s.data, len);
    return s;
}

struct secret secret_copy(const void *bytes, size_t len)
{
    struct secret s = secret_create(len);
    if (len != 0)
        memcpy(s.data, bytes, len);
    return s;
}

struct secret secret_random(size_t len)
{
    struct secret s = secret_create(len);
    randombytes_buf(s.data, len);
    return s;
}

void secret_destroy(struct secret *s)
{
    if (s->data != NULL)
        sodium_free(s->data);
    s->data = NULL;
    s->len = 0;
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
    return a->len == b->len && (a->len == 0 || sodium_memcmp(a->data, b->data, a->len) == 0);
}

void secret_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

void random_bytes(void *out, size_t len)
{
    randombytes_buf(out, len);
}

void random_text(char *out, size_t len)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    randombytes_buf(out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[(unsigned char)out[i] & 63];
    out[len] = '\0';
}

void random_letters(char *out, size_t len)
{
    randombytes_buf(out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = RANDOM_LETTERS[(unsigned char)out[i] & 31];
    out[len] = '\0';
}

bool bytes_eq_constant_time(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0);
}
