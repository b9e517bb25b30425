// The giving side of CHUM_FEED (docs/feeds.md): what a person may see, batch by batch. Store thread, but for the life.
#pragma once

#include "chum/batch.h"
#include "chum/chum.h"
#include "store/feed.h"

struct chum_outflow { // of one session; zero-initialised = nothing was asked yet
    struct store_feed *feed;
    struct chum_cursor at; // behind the last batch
};

// The batch behind the cursor, as the inside of a JSON string. A cursor that this store never gave, or gave in another
// epoch, is answered with a new one and nothing else. given: the objects in the batch; shown: what may be asked for.
enum status chum_outflow_next(struct store *s, struct chum_outflow *flow, const struct chum_policy *policy,
                              const struct hash *person, const struct chum_cursor *since, struct buf *text,
                              struct hash_list *shown, struct hash_list *given, struct error *e);
void chum_outflow_end(struct chum_outflow *flow);
