// Asks a peer for its list of roots (WIRE.md 10.4), and remembers the last one as far as that spares something: its
// hash, to know it again, and of an own node the list itself, which then need not come again (CHUM_UNCHANGED). Part of
// the importer; loop thread.
#pragma once

#include "chum/fetch.h"

struct chum_listing { // the first four are set by whoever begins
    struct chum_fetch *fetch;
    bool keeps; // the peer is an own node
    void *ctx;
    // The answer: the list, the callee's, who gives it back with chum_listing_keep; or, list NULL, what became of it.
    void (*here)(void *ctx, struct buf *list, enum status status, const struct error *why);
    uint64_t asked_at;
    int64_t call;         // -1: none
    struct buf kept;      // the list an own node answered last; empty: it has to be sent whole
    struct hash list;     // of the one that came
    struct hash complete; // of the last one gone through
    uint64_t recheck_at;
};

void chum_listing_ask(struct chum_listing *l, bool left); // left: something that was given last is not stored
void chum_listing_keep(struct chum_listing *l, struct buf *list);
void chum_listing_drop_kept(struct chum_listing *l);
// The list that came was gone through before, and not so long ago that something of it may have been lost here.
bool chum_listing_is_unchanged(const struct chum_listing *l);
void chum_listing_was_through(struct chum_listing *l, bool complete); // it was gone through
void chum_listing_forget(struct chum_listing *l);                     // the next one is gone through in any case
