// All roots that a person is shown, each once, as far as somebody takes them and on from job to job: what a feed would
// give now to who knows nothing (feed.h), by the same decisions (shown.h), but the roots alone.
#pragma once

#include "store/feed.h"

struct store_walk { // zero-initialised but for the first two
    struct hash person;
    bool own; // another node of ours
    bool begun;
    bool moved;              // what the person is shown changed on the way: some may be missing, or have come twice
    uint64_t version;        // of it, in the last job
    struct hash_map *hidden; // what shown.h found out for that version; NULL = nothing yet
    int by;                  // what is looked through: grants to the person, offers, grants to its groups
    struct hash group;
    int64_t scope;       // the next one
    int64_t version_seq; // in it, behind which its versions go on; -1: its own entry is next
};

struct store_walk_visitor {
    void *ctx;
    bool (*wants)(void *ctx, unsigned leaf); // is one of that leaf looked at at all?
    enum status (*root)(void *ctx, const struct store_feed_root *root, struct error *e);
    bool (*full)(void *ctx); // enough for this time
};

// Goes on until the visitor is full, for a few milliseconds, or to the *end.
enum status store_walk_go_on(struct store *s, struct store_walk *w, const struct store_walk_visitor *v, bool *end,
                             struct error *e);
void store_walk_end(struct store_walk *w); // needed only before the *end
