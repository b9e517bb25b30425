#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static EVP_MD *digest;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (digest == NULL)
        abort(); // an OpenSSL without SHA-256 cannot run anything of ours
}

struct sha256 {
    EVP_MD_CTX *ctx;
};

struct sha256 *sha256_create(void)
{
    pthread_once(&once, fetch);
    struct sha256 *s = mem_alloc(sizeof *s);
    s->ctx = EVP_MD_CTX_new();
    if (s->ctx == NULL || EVP_DigestInit_ex2(s->ctx, digest, NULL) != 1)
        abort();
    return s;
}

void sha256_update(struct sha256 *s, struct span bytes)
{
    if (EVP_DigestUpdate(s->ctx, bytes.ptr, bytes.len) != 1)
        abort();
}

struct hash sha256_finish(struct sha256 *s)
{
    struct hash h;
    if (EVP_DigestFinal_ex(s->ctx, h.b, NULL) != 1)
        abort();
    return h;
}

void sha256_destroy(struct sha256 *s)
{
    if (s == NULL)
        return;
    EVP_MD_CTX_free(s->ctx);
    free(s);
}

struct hash sha256(struct span bytes)
{
    static _Thread_local EVP_MD_CTX *ctx; // one per thread, kept: making one costs more than hashing a small object
    pthread_once(&once, fetch);
    if (ctx == NULL)
        ctx = EVP_MD_CTX_new();
    struct hash h;
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, digest, NULL) != 1 || EVP_DigestUpdate(ctx, bytes.ptr, bytes.len) != 1 ||
        EVP_DigestFinal_ex(ctx, h.b, NULL) != 1)
        abort();
    return h;
}
