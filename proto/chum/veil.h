// The cursors that contacts are given (docs/feeds.md). A place says how much a store has learned, and that is nobody
// else's business: something of the same form stands for it that tells nothing, is of use to this person alone, and
// only as long as the epoch lasts. Places 0 and below stand for themselves.
#pragma once

#include "chum/batch.h"

struct chum_cursor chum_veil(const struct hash *person, const struct chum_cursor *plain);
// Back, in the store's present epoch. false: this person was not given it, or in another epoch.
bool chum_unveil(const struct hash *person, int64_t epoch, struct chum_cursor *cursor);
