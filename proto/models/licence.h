// The licence objects our certificates refer to (MODELS.md 2.7). Their names are the reference's, their sentences are
// our own: nobody compares a licence's hash, only that the object is there.
#pragma once

#include "models/model.h"

enum licence {
    LICENCE_AFFIRMATION,
    LICENCE_TRUST_KEYS,
    LICENCE_RIGHT_FOR_EVERYBODY,
    LICENCE_RIGHT_FOR_SELF,
    LICENCE_RELATION,
    LICENCE_ACCESS_UNVERSIONED,
    LICENCE_ACCESS_VERSIONED,
    LICENCE_COUNT,
};

extern const char *const LICENCE_NAMES[LICENCE_COUNT];

// Stores the licence object if it is not there and gives its hash.
enum status licence_put(struct model *m, enum licence which, struct hash *hash, struct error *e);
