// The taking side of CHUM_FEED (docs/feeds.md): asks for what is new behind a cursor, and takes it batch by batch, each
// with all its effects in one transaction, in which the cursor moves too. Loop thread.
//
// What comes this way is never asked about again: something that does not fit, that refers to what neither came nor is
// here, or that waits for something else, is left to a pass through the list of roots, which takes it or says why not.
#pragma once

#include "chum/batch.h"
#include "chum/fetch.h"

struct chum_inflow;

enum chum_inflow_end {
    CHUM_INFLOW_TAKEN,   // everything there was
    CHUM_INFLOW_LEFT,    // something is left to a pass through the list of roots
    CHUM_INFLOW_FIRST,   // the cursor is new: it is good from the pass through the list of roots that begins now
    CHUM_INFLOW_RESTS,   // there is more, which is not to be asked for yet
    CHUM_INFLOW_REFUSED, // by the peer for a moment, or by what it may make the store grow by: chum_inflow_is_due later
    CHUM_INFLOW_UNKNOWN, // the peer knows no feeds, or what it gives is none
    CHUM_INFLOW_FAILED,  // why
};

struct chum_inflow_events {
    void *ctx;
    void (*over)(void *ctx, enum chum_inflow_end end, const struct error *why); // why: if it failed
    struct hash_map *(*waiting)(void *ctx); // roots that are not to be taken now; the callee's caller destroys it
};

// own: the peer is an own node, which is never kept waiting.
struct chum_inflow *chum_inflow_create(struct chum_fetch *f, bool own, const struct chum_inflow_events *events);
// Until nothing more comes; over is called once. unstored: so is something that was fetched since the last run.
void chum_inflow_run(struct chum_inflow *in, bool unstored);
bool chum_inflow_is_refused(const struct chum_inflow *in);
bool chum_inflow_is_due(const struct chum_inflow *in); // it was not refused, or is to be asked again
// The list of roots was gone through. settled: nothing of it is missing here, so that the cursor may be kept.
void chum_inflow_settled(struct chum_inflow *in, bool settled);
uint64_t chum_inflow_rest_ms(const struct chum_inflow *in); // after it rested: for how long at least
// After a run: something in it was not wanted, which may change, or something that was here is lost.
bool chum_inflow_misses(const struct chum_inflow *in);
void chum_inflow_end(struct chum_inflow *in); // before the connection goes; no call follows
