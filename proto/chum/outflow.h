// The giving side of CHUM_FEED (docs/feeds.md): what a person may see, batch by batch. Store thread, but for the life.
#pragma once

#include "chum/batch.h"
#include "chum/chum.h"
#include "store/feed.h"

struct chum_outflow { // of one session; zero-initialised = nothing was asked yet
    struct store_feed *feed;
    struct chum_cursor at; // the one told last, behind which the walk goes on
    bool own;              // whose walk it is
};

struct chum_outbatch { // one question, and its answer
    const struct chum_policy *policy;
    const struct hash *person;
    bool own;                 // another node of ours; a contact's cursors are veiled (veil.h)
    struct chum_cursor since; // as it is said
    struct buf *text;         // as the inside of a JSON string
    struct buf *packed;       // or packed, if that pays (pack.h); NULL: the peer knows no such thing
    struct hash_list *shown;  // what may be asked for
    struct hash_list *given;  // the objects in it
    size_t bytes;             // of it, before either
    bool end;                 // there is no more
    bool unfinished;          // nothing was found yet, which a contact is not told: ask again, there is no text
};

// The batch behind the cursor. One that this store never gave to that person, or gave in another epoch, is answered
// with a new one and nothing else; where nothing is new it stays the same, whatever else there is.
enum status chum_outflow_next(struct store *s, struct chum_outflow *flow, struct chum_outbatch *b, struct error *e);
void chum_outflow_end(struct chum_outflow *flow);
