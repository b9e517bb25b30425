// What a person may see, in the order in which this store came to show it (docs/feeds.md): a walk that is gone on with
// from job to job, as far as somebody takes what it finds. Each object is found once in a walk, behind everything that
// it refers to; what lies behind the place where the walk began is known and left out.
//
// One number line, seq, orders objects, versions and grants; a place on it is a cursor together with store_epoch.
#pragma once

#include "store/store.h"

struct store_feed;

struct store_feed_root {
    struct span fragment; // its entry in the list of roots (WIRE.md 10.4)
    struct hash hash;     // of the object or version node; zero: an id alone
    struct hash id_hash;  // zero: unversioned
};

struct store_feed_visitor {
    void *ctx;
    // What comes next is below this root, and the root itself. again: some of it came before. false: it is passed over.
    bool (*root)(void *ctx, const struct store_feed_root *root, bool again);
    // Files are only named, whether they are here or not.
    enum status (*object)(void *ctx, enum link_kind kind, const struct hash *hash, struct error *e);
    void (*over)(void *ctx, const struct store_feed_root *root); // it is complete; not called if it cannot be read
    bool (*full)(void *ctx);                                     // enough for this time
};

// own: another node of ours. since: the place to begin at; 0 = the beginning. Uses nothing of the store until it is
// asked to go on.
struct store_feed *store_feed_create(const struct hash *person, bool own, int64_t since);
void store_feed_destroy(struct store_feed *f); // NULL-safe
// Goes on until the visitor is full, or at the end. Every job of one walk sees the same or a newer state of the store.
enum status store_feed_go_on(struct store *s, struct store_feed *f, const struct store_feed_visitor *visitor,
                             struct error *e);
int64_t store_feed_place(const struct store_feed *f); // everything up to here was visited
// Since it was asked last: something was passed over which the person's node had sent.
bool store_feed_take_returned(struct store_feed *f);
bool store_feed_has_more(const struct store_feed *f); // it stopped because the visitor was full
int64_t store_feed_end(const struct store *s);        // the place of what was committed last
