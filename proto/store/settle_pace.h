// When files are made (settle.h), by times of the monotonic clock in ms. Nothing of it is locked: the store thread's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct settle_pace {
    uint64_t since;       // the first write since all was in files; 0: none
    uint64_t written_at;  // the last write
    uint64_t begun_at;    // the batch under way, or the last one
    uint64_t rests_until; // no batch before that while something is written
    uint64_t bodies;      // written since all was in files
    uint64_t bytes;       // of these
    uint64_t kept_at;     // the last upkeep, or the first write; 0: neither
};

void settle_pace_wrote(struct settle_pace *p, uint64_t now, uint64_t bodies, uint64_t bytes); // into the database
void settle_pace_begins(struct settle_pace *p, uint64_t now);                                 // a batch is handed over
void settle_pace_ends(struct settle_pace *p, uint64_t now);                                   // it is done
void settle_pace_all_done(struct settle_pace *p);                    // nothing waits for a file, or it cannot be helped
void settle_pace_kept(struct settle_pace *p, uint64_t now);          // upkeep (settle.h) was done
uint64_t settle_pace_due(const struct settle_pace *p, uint64_t now); // the next batch; now: at once
// Upkeep has waited long enough, whatever else there is to do.
bool settle_pace_upkeep_is_due(const struct settle_pace *p, uint64_t now);
// The next batch, or upkeep, does not even wait until no job does.
bool settle_pace_presses(const struct settle_pace *p, uint64_t now);
