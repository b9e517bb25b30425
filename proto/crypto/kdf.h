// Keys from secrets. Slow by design: call from the worker pool, never from an event loop.
#pragma once

#include "base/error.h"
#include "crypto/secret.h"

enum { KDF_KEY = 32, KDF_SALT = 16 };

struct kdf_limits { // Argon2id cost; read from keys.json, so checked against bounds before use
    uint64_t ops;
    uint64_t memory; // bytes
};

extern const struct kdf_limits KDF_DEFAULT; // 2 passes, 64 MiB

// The secret is NFKC-normalised UTF-8 first. STATUS_INVALID "BAD-TEXT" when it is not UTF-8, STATUS_TOO_BIG
// "BAD-KDF-LIMITS" when limits are out of bounds (1..16 passes, 8 MiB..1 GiB).
enum status kdf_argon2id(const struct secret *secret, const uint8_t salt[KDF_SALT], struct kdf_limits limits,
                         struct secret *key, struct error *e);

// The reference's derivation: scrypt N=1024 r=8 p=1 of the NFKC form (DATA-MODEL.md 11.2). Import and export only.
enum status kdf_scrypt(const struct secret *secret, struct span salt, struct secret *key, struct error *e);

// A named key below a key, 32 bytes. name is at most 8 characters; equal inputs give equal keys.
void kdf_subkey(const struct secret *key, const char *name, struct secret *out);
