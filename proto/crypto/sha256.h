// SHA-256 (OpenSSL EVP, the digest fetched once). The hash of everything in the data model (DATA-MODEL.md 5).
#pragma once

#include "base/hash.h"

struct hash sha256(struct span bytes);

struct sha256; // incremental, for files and streams

struct sha256 *sha256_create(void);
void sha256_update(struct sha256 *s, struct span bytes);
struct hash sha256_finish(struct sha256 *s); // may be called once
void sha256_destroy(struct sha256 *s);       // NULL-safe
