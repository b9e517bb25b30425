// Secret bytes live in guarded, locked memory (sodium_malloc), are zeroed on release and never copied to ordinary
// memory for longer than a call.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct secret {
    uint8_t *data; // sodium_malloc; NULL = none
    size_t len;
};

// Prepares the cryptographic library; once per process, before any thread. Aborts if it cannot.
void crypto_init(void);

struct secret secret_create(size_t len); // zeroed
struct secret secret_copy(const void *bytes, size_t len);
struct secret secret_random(size_t len);
void secret_destroy(struct secret *s);                          // zeroes; NULL data is fine
bool secret_eq(const struct secret *a, const struct secret *b); // constant time in the content
void secret_wipe(void *bytes, size_t len);                      // for memory that had to hold a secret
void random_bytes(void *out, size_t len);
// len characters of 0-9a-zA-Z_- (tokens, ids; MODELS.md 3.1) and a zero behind them.
void random_text(char *out, size_t len);
#define RANDOM_LETTERS "abcdefghijkmnpqrstuvwxyz23456789"  // 32; none that is taken for another
void random_letters(char *out, size_t len);                // likewise, of these: for people to read
bool bytes_eq_constant_time(struct span a, struct span b); // lengths are public, contents are not
