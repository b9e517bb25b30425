// Ed25519 detached signatures. The secret key is 64 bytes: seed ‖ public key (DATA-MODEL.md 11.1).
#pragma once

#include "crypto/secret.h"

enum { SIGN_PUBLIC = 32, SIGN_SECRET = 64, SIGN_SIZE = 64 };

struct sign_public {
    uint8_t b[SIGN_PUBLIC];
};

struct signature {
    uint8_t b[SIGN_SIZE];
};

void sign_keypair(struct sign_public *public_key, struct secret *secret);
void sign_make(const struct secret *secret, struct span message, struct signature *out);
bool sign_verify(const struct sign_public *public_key, struct span message, const struct signature *s);
