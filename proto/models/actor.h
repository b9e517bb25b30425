// As which identity of this node the model layer reacts to something new: who it is about, of those it may be for. What
// a person brings is for the identities that the person is a contact of, so that nobody gets one of them to do
// something by way of another.
#pragma once

#include "models/model.h"

struct actors { // store thread
    const struct identity *main;
    const struct identity **further; // borrowed
    size_t count;
};

// One that is there already is not added again.
void actors_add(struct actors *a, const struct identity *further);
void actors_free(struct actors *a);

// m: as the main identity. It is also the answer where nothing says more.
const struct identity *actor_for(const struct actors *a, struct model *m, const struct store_change *change);
