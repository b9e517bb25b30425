// OpenSSL's digest is fetched once, and each thread keeps a context for short texts: making either costs more than
// hashing a small object.
#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static EVP_MD *digest;
static pthread_key_t thread_context; // of sha256(); freed when its thread ends
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void fetch(void)
{
    digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (digest == NULL || pthread_key_create(&thread_context, free_context) != 0)
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

// One context per thread, kept: making one costs more than hashing a small object.
static EVP_MD_CTX *context_of_thread(void)
{
    pthread_once(&once, fetch);
    EVP_MD_CTX *ctx = pthread_getspecific(thread_context);
    if (ctx != NULL)
        return ctx;
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || pthread_setspecific(thread_context, ctx) != 0)
        abort();
    return ctx;
}

struct hash sha256(struct span bytes)
{
    EVP_MD_CTX *ctx = context_of_thread();
    struct hash h;
    if (EVP_DigestInit_ex2(ctx, digest, NULL) != 1 || EVP_DigestUpdate(ctx, bytes.ptr, bytes.len) != 1 ||
        EVP_DigestFinal_ex(ctx, h.b, NULL) != 1)
        abort();
    return h;
}
