// Where in a list of others' times an entry of now belongs.
#pragma once

#include "models/model.h"

struct channel_base {
    struct hash head; // the list to post to; zero = an empty one
    bool found;       // an entry that the new one has to be later than
    double time;      // of it
    size_t left;      // so many entries of absurd times are not in that list any more
};

// The base is the newest entry of a time that a clock may show today (CHANNEL_AHEAD_MS). Of more than CHANNEL_AHEAD_MAX
// entries above it those of before CHANNEL_FAR_MS are followed, and if there are none the entries are left behind.
enum status channel_base_find(struct model *m, const struct hash *head, struct channel_base *out, struct error *e);
