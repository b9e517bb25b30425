// Authenticated encryption as the wire and the keychain use it (DATA-MODEL.md 11.1, WIRE.md 4.1):
// X25519 + HSalsa20 make a shared key, XSalsa20-Poly1305 seals with it.
//
//   sealed, embedded nonce:  24-byte nonce ‖ 16-byte tag ‖ cipher text     (handshake, challenges, key files)
//   sealed, given nonce:                     16-byte tag ‖ cipher text     (frames: the nonce is a counter)
#pragma once

#include "base/error.h"
#include "crypto/secret.h"

enum { BOX_KEY = 32, BOX_NONCE = 24, BOX_TAG = 16, BOX_EMBEDDED = BOX_NONCE + BOX_TAG };

struct public_key {
    uint8_t b[BOX_KEY];
};

bool public_key_eq(const struct public_key *a, const struct public_key *b);

// A fresh pair; *secret gets 32 bytes the caller destroys.
void box_keypair(struct public_key *public_key, struct secret *secret);
void box_public_from_secret(const struct secret *secret, struct public_key *public_key);

// The shared key of two pairs, equal from both sides. STATUS_INVALID for a public key of small order.
enum status box_shared_key(const struct public_key *other, const struct secret *own, struct secret *shared,
                           struct error *e);

// key is 32 bytes: a shared key, master key or node key. Both append to out; on failure out is unchanged.
void box_seal(const struct secret *key, struct span message, struct buf *out); // random embedded nonce
enum status box_open(const struct secret *key, struct span sealed, struct buf *out, struct error *e); // CYENC-SYMDEC

void box_seal_nonce(const struct secret *key, const uint8_t nonce[BOX_NONCE], struct span message, struct buf *out);
enum status box_open_nonce(const struct secret *key, const uint8_t nonce[BOX_NONCE], struct span sealed,
                           struct buf *out, struct error *e);
