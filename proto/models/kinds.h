// What the types of the model layer are to peers: one table, asked by who grants (access.h) and who judges (policy.h).
#pragma once

#include "models/model.h"

enum standing { // of a type; types without a row are applications' own
    RIGHTS,     // from our own other node only, also as a child (DATA-MODEL.md 10.3)
    LOCAL,      // our own bookkeeping: versions are not accepted and not served
    OWN_NODE,   // accepted from our own other node
    RULED,      // has a rule in policy.c
};

bool kinds_standing(struct span type, enum standing *out);     // false: a type without a meaning of its own here
bool kinds_is_me(struct model *m, const struct hash *id_hash); // Someone "me"

// Types without a meaning of their own in the model layer: applications' own, which follow no rule but grants.
bool policy_is_application(struct span type);

// What is never shared with anybody, granted or not: Access, IdAccess, Group, Instance, Leute, the registries, and
// Someone "me", which has the same id on every node. id_hash may be zero for types where it does not matter.
bool policy_is_private(struct model *m, struct span type, const struct hash *id_hash);
