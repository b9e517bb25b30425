// What becomes of one batch of a feed (docs/feeds.md). Store thread.
#pragma once

#include "chum/batch.h"
#include "chum/fetch.h"

struct chum_intake {
    const struct chum_fetch *fetch;
    struct buf batch;
    struct hash_map *waiting; // roots that are not to be taken now
    bool settled;             // the cursor may be kept, if nothing is left
    bool own;                 // it comes from an own node
    bool counts;              // what is taken is counted (store/settled.h)
    size_t sent;              // bytes it counts for with the sender, set here
    // The result.
    struct chum_batch_head head;
    size_t items;                     // roots, objects and files
    bool left;                        // something has to be fetched in another way
    bool failed;                      // something was undone
    bool lost;                        // something that was here: the batch is empty, and would not bring it
    uint64_t objects, bytes, skipped; // what stayed
};

// STATUS_INVALID if it is none. What does not fit in it is left, and no reason to fail.
enum status chum_intake_take(struct store *s, struct chum_intake *in, struct error *e);

// The place that was kept with the last batch of the person's node for ours; 0, the beginning, if nothing ever came
// from it; -1 if it is not known, though something did.
struct chum_pair { // the two who talk to each other
    struct hash sender, self;
};
enum status chum_cursor_read(struct store *s, const struct chum_pair *pair, struct chum_cursor *out, struct error *e);
enum status chum_cursor_keep(struct store *s, const struct chum_pair *pair, const struct chum_cursor *cursor,
                             struct error *e);
