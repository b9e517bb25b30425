// An identity this node acts as: one person and its instance, with their secret keys (MODELS.md 1).
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "crypto/box.h"
#include "crypto/sign.h"

struct identity_keys { // of a person or an instance
    struct hash keys;  // the Keys object
    struct public_key public_key;
    struct sign_public sign_public;
    struct secret secret;      // X25519, 32 bytes
    struct secret sign_secret; // Ed25519, 64 bytes
};

struct identity { // everything a connection needs too: conn_identity is filled from here
    char *email;
    char *instance_name;
    struct hash person;   // id hash of Person
    struct hash instance; // id hash of Instance
    struct identity_keys person_keys;
    struct identity_keys instance_keys;
    bool further;   // not the one that the node was made with
    bool elsewhere; // its secret keys are the other own node's, which does what it does (selves.h)
};

void identity_destroy(struct identity *i); // NULL-safe; zeroes the secrets

// Which of several is meant: by its e-mail, or its person's id or the first 8 or more digits of it; its place among
// them into *at. Codes: NOT-FOUND, which lists them, AMBIGUOUS-ID.
enum status identity_named(const struct identity *const *all, size_t count, struct span text, size_t *at,
                           struct error *e);
