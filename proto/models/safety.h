// The text that two people compare to know that nobody stands between them: forty digits made of the public keys of
// both persons and of the two instances that are connected. Both sides get the same one, whichever of them asks.
//
// The keys of the persons alone would not do: somebody in the middle shows these unchanged and passes the proofs on
// (WIRE.md 5.4), but has to put an instance key of its own in the place of the real one.
#pragma once

#include "crypto/box.h"
#include "crypto/sign.h"

enum { SAFETY_GROUPS = 8, SAFETY_DIGITS = 5, SAFETY_TEXT = SAFETY_GROUPS * (SAFETY_DIGITS + 1) };

struct identity;

struct safety_side {
    struct public_key person_public, instance_public;
    struct sign_public person_sign_public, instance_sign_public;
};

struct safety_text {
    char s[SAFETY_TEXT]; // "01234 56789 …"
};

struct safety_side safety_side_of(const struct identity *i);
struct safety_text safety_text(const struct safety_side *one, const struct safety_side *other);
