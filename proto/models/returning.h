// What we wrote in our own channels after the time of the backup that this store was restored from, and which others
// bring back. A channel without an owner takes it in anyway; of one that we own nobody else shows versions but then.
#pragma once

#include "models/model.h"

// The store was restored: what was written from a time until now may come back. from 0: nothing may.
enum status returning_expect(struct model *m, int64_t from_ms, struct error *e);

bool returning_is_expected(struct model *m); // since this store was restored

// Is everything that this version of a channel of ours has beyond the present one affirmed by us, and of that time?
// Then it says nothing that we did not.
bool returning_is_ours(struct model *m, const struct object *channel);
