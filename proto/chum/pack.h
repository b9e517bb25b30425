// Batches of a feed in fewer bytes (docs/feeds.md), for peers that say they know how. Behind the head, which stays as
// it is, there stands in place of the items:
//
//   Z 1 LF        packed with the dictionary of that number
//   a zstd frame  (RFC 8878) up to the end, which says how many bytes the items have; no checksum, they have hashes
//
// Any thread.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

enum {
    CHUM_PACK_WORDS = 1,      // the dictionary we pack with: the newest; who knows it knows the earlier ones
    CHUM_PACK_LEAST = 256,    // bytes of items; fewer go as they are
    CHUM_PACK_MOST = 1 << 20, // likewise more
    CHUM_PACK_PAYS = 10,      // a tenth less at least
    CHUM_PACK_CREDIT = 8,     // what a packed batch counts for with its sender, at most so many times its bytes
};

struct span chum_pack_words(void); // the dictionary

// Appends the packed items to what out has. false: it would not pay, and nothing is appended.
bool chum_pack(struct span items, struct buf *out);
// How many bytes the items of a batch have that are packed, as they say themselves; 0: they are not, or it is broken.
size_t chum_packed_items(struct span batch);
// Puts the items into the batch, if they are packed. STATUS_INVALID "FEED-BROKEN": the batch is as it was then. Takes
// no memory before the size is known to be one that is taken, and no more than that.
enum status chum_unpack(struct buf *batch, struct error *e);
