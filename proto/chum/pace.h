// When a peer is asked again what it has. Part of the session; loop thread.
//
// Often while something goes on, seldom otherwise, and never so often that a slow peer does nothing but answer. Who
// tells of news is asked when it does; a contact that tells all the time, of nothing that its feed has, has half of our
// time, an own node has all of it.
#pragma once

#include "chum/importer.h"
#include "chum/news.h"

enum { CHUM_ACTIVE_MS = 60000 }; // how long traffic or a follower keeps a session active

struct chum_pace {
    const struct chum_fetch *fetch; // of the session, as the others
    const struct chum_importer *importer;
    const struct chum_news *news;
    bool peer_is_own;
    uint64_t poll_ms;      // 0 = as it is best
    uint64_t active_until; // polls often until then
    uint64_t began, took;  // the last pass
    bool passed;
    uint64_t objects_before;    // of counts, when the pass began
    unsigned in_vain;           // passes for news, one after another
    uint64_t latency_before_ms; // of the answer before counts.latency_ms
};

void chum_pace_keep_active(struct chum_pace *p, uint64_t now, uint64_t ms);
void chum_pace_begin(struct chum_pace *p, uint64_t now, bool was_answered); // a pass; whether one was before
void chum_pace_over(struct chum_pace *p, uint64_t now, bool passed);

// When the pass after the last one is due: if nothing happens; if there is news; and whatever the last one was like.
uint64_t chum_pace_next(const struct chum_pace *p, uint64_t now);
uint64_t chum_pace_for_news(const struct chum_pace *p, uint64_t now);
uint64_t chum_pace_after(const struct chum_pace *p, uint64_t now, bool news);
