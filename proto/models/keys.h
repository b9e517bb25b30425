// The key pairs of persons and instances: their Keys objects in the store, their secrets in the keychain
// (DATA-MODEL.md 11.3).
#pragma once

#include "crypto/keychain.h"
#include "models/model.h"

struct keys_pair {             // given key pairs, for adoption and tests
    struct secret secret;      // 32 bytes, borrowed
    struct secret sign_secret; // 64 bytes, borrowed
};

// What a Keys object of that owner says; false if there is none.
bool keys_read(struct model *m, const struct hash *keys, const struct hash *owner, struct public_key *public_key,
               struct sign_public *sign_public);
// The default keys of an owner: the first Keys object whose secrets lie in the keychain. STATUS_NOT_FOUND
// "STORE-MISSING" if there are none.
enum status keys_open(struct model *m, struct keychain *k, const struct hash *owner, struct identity_keys *out,
                      struct error *e);
// The same; without, the Keys object whose secrets the keychain has kept is written anew (after the loss of the
// database), else new keys are made, from given or, with NULL, random ones.
enum status keys_provide(struct model *m, struct keychain *k, const struct hash *owner, const struct keys_pair *given,
                         struct identity_keys *out, struct error *e);
