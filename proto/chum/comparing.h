// Finds what of a peer's roots is missing here by comparing sums (docs/sums.md), where the peer knows how: it asks
// about narrower and narrower ranges whose sums differ, and for the roots of those in which few are left, page by page.
// Each page is the caller's to go through, like a list of roots. Loop thread.
//
// Whatever the peer answers: there is an end, nothing here grows with it, and nothing counts as the same but what is.
#pragma once

#include "chum/fetch.h"

struct chum_comparing;

enum chum_comparing_end {
    CHUM_COMPARED_ALL,     // everything that differed was in one of the pages
    CHUM_COMPARED_MOVED,   // not for sure
    CHUM_COMPARED_NOT,     // the peer refuses, for this time: its list has to do
    CHUM_COMPARED_UNKNOWN, // it knows no sums, or what it answers is none: its list has to do from now on
    CHUM_COMPARED_FAILED,  // why
};

struct chum_comparing_events {
    void *ctx;
    void (*page)(void *ctx, struct span list); // roots as a JSON list, borrowed; then chum_comparing_taken
    void (*over)(void *ctx, enum chum_comparing_end end, const struct error *why); // why: if it failed
};

struct chum_comparing *chum_comparing_create(struct chum_fetch *f, const struct chum_comparing_events *events);
// left: something that was given last is not stored. Over is called once, unless it is stopped.
void chum_comparing_begin(struct chum_comparing *c, bool left);
void chum_comparing_taken(struct chum_comparing *c); // what is wanted of the page was fetched, or failed
void chum_comparing_stop(struct chum_comparing *c);  // nothing more is asked, and nobody called
void chum_comparing_end(struct chum_comparing *c);   // before the connection goes
