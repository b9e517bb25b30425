// When files are made (settle.h), by times of the monotonic clock in ms. Nothing of it is locked: the store thread's.
#pragma once

#include <stdint.h>

struct settle_pace {
    uint64_t since;       // the first write since all was in files; 0: none
    uint64_t written_at;  // the last write
    uint64_t begun_at;    // the batch under way, or the last one
    uint64_t rests_until; // no batch before that while something is written
};

void settle_pace_wrote(struct settle_pace *p, uint64_t now);
void settle_pace_begins(struct settle_pace *p, uint64_t now);        // a batch is handed over
void settle_pace_ends(struct settle_pace *p, uint64_t now);          // it is done
void settle_pace_all_done(struct settle_pace *p);                    // nothing waits for a file
uint64_t settle_pace_due(const struct settle_pace *p, uint64_t now); // the next batch; now: at once
