// Files that clients bring in pieces: blob.begin, blob.chunk, blob.commit or blob.abort, and reading them back:
// blob.stat, blob.read.
//
// An upload lives on the store thread only. It is forgotten with its bytes when a piece cannot be written, when whoever
// began it as "tied" goes away, and when no piece came for ten minutes; at most 64 are open.
#pragma once

#include "node/job.h"

struct blobs; // the open uploads of one node

struct blobs *blobs_create(void);
void blobs_destroy(struct blobs *b);                                // when the store thread is gone or on it; NULL-safe
void blobs_forget_idle(struct blobs *b, struct store_queue *queue); // from the loop, now and then

extern const struct node_method NODE_METHODS_BLOBS[];
