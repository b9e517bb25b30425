// keys.json: how the installation's key is derived from the secret, and a check that the secret is the right one.
//
//   {"v":1,"alg":"argon2id13","opsLimit":2,"memLimit":67108864,"salt":"32 hex digits","check":"64 hex digits"}
//
// KEK = Argon2id(NFKC(secret), salt). check = subkey "check" of the KEK, which tells nothing about its siblings
// "archive" and "sparse", the keys of the nodes. Limits read from the file are bounded before they cost anything.
#pragma once

#include "base/bytes.h"
#include "crypto/kdf.h"

struct keyfile {
    struct kdf_limits limits;
    uint8_t salt[KDF_SALT];
    uint8_t check[KDF_KEY];
};

void keyfile_fresh(struct keyfile *k); // default limits, random salt, no check yet

// STATUS_CORRUPT "BAD-KEY-FILE" for anything but the shape above.
enum status keyfile_parse(struct span text, struct keyfile *k, struct error *e);
void keyfile_print(const struct keyfile *k, struct buf *out);

// Slow (64 MiB, about a tenth of a second): worker thread only. kek is 32 bytes the caller destroys.
enum status keyfile_derive(const struct keyfile *k, const struct secret *secret, struct secret *kek, struct error *e);

void keyfile_seal(struct keyfile *k, const struct secret *kek);       // sets check
bool keyfile_fits(const struct keyfile *k, const struct secret *kek); // compares check in constant time
