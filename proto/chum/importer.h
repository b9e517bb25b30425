// The half of CHUM that asks (WIRE.md 10.7): pass after pass it takes over what the peer shows and this node lacks.
//
// A pass asks for the root list, finds out on the store thread what is missing, and fetches that with several trees at
// a time. One failing root never disturbs the others; it is tried again later, after longer and longer pauses. A list
// that is byte for byte the one taken over last costs one hash while nothing is due for another try.
//
// An own node is told when the list it answered last is still here, and then may answer that it is unchanged
// (CHUM_UNCHANGED): the list that was kept stands for its answer, so everything else goes on as if it had come again.
//
// A root that lacks nothing but BLOBs which the peer listed and could not deliver (WIRE.md 9.4) is taken over without
// them, told once as failed with "BLOB-UNAVAILABLE", and asked for again like one that failed.
#pragma once

#include "chum/fetch.h"

struct chum_importer;

struct chum_importer_events {
    void *ctx;
    // The pass is over. STATUS_OK: everything is stored, apart from skipped and failed roots. STATUS_INVALID,
    // STATUS_TOO_BIG, STATUS_TIMEOUT: the connection is of no use any more. Otherwise the pass was empty: the peer, or
    // the store, failed for a moment.
    void (*passed)(void *ctx, enum status status, const struct error *why);
    // One root, told once until it fails for another reason.
    void (*failed)(void *ctx, const struct hash *root, const struct error *why);
    // The versions of an id fail again and again (stalls.h), told once until one can be taken. why: of the last one.
    void (*stuck)(void *ctx, const struct hash *id_hash, const struct error *why);
};

struct chum_importer_options {
    size_t trees;     // at a time
    bool peer_is_own; // another node of ours
    bool feeds;       // it is asked for what is new (inflow.h) from the beginning
};

struct chum_importer *chum_importer_create(struct chum_fetch *f, const struct chum_importer_options *options,
                                           const struct chum_importer_events *events);
void chum_importer_pass(struct chum_importer *im); // begins a pass; nothing if one is running
// The peer says that it has a feed, and knows sums: from the next pass on it is asked.
void chum_importer_feed(struct chum_importer *im, bool sums);
// Ends the running pass, if it is fetching: what is under way goes on beside the passes to come, so that a big file
// does not keep back what is small. Nothing happens while too much goes on already.
void chum_importer_move_on(struct chum_importer *im);
void chum_importer_forget(struct chum_importer *im); // the next pass goes through everything, whatever failed before
bool chum_importer_is_busy(const struct chum_importer *im);       // a pass is running
bool chum_importer_is_fetching(const struct chum_importer *im);   // something is being fetched
bool chum_importer_is_fed(const struct chum_importer *im);        // a feed brings all that is to come
uint64_t chum_importer_retry_at(const struct chum_importer *im);  // when what failed is due next; 0 = nothing failed
bool chum_importer_is_postponing(const struct chum_importer *im); // the last pass left something for another one
bool chum_importer_has_listed(const struct chum_importer *im);    // likewise: it asked for the list of roots
uint64_t chum_importer_rest_ms(const struct chum_importer *im);   // likewise: for how long at least
// The peer was not told yet that everything in its list came, or what of its feed was not taken.
bool chum_importer_owes_word(const struct chum_importer *im);
void chum_importer_end(struct chum_importer *im); // before the connection goes; jobs under way are dropped
