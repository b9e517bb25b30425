// Files that clients bring in pieces: blob.begin, blob.chunk, blob.commit, and reading them back: blob.stat, blob.read.
//
// An upload lives on the store thread only. It is forgotten when no piece came for ten minutes; at most 64 are open.
#pragma once

#include "node/job.h"

struct blobs; // the open uploads of one node

struct blobs *blobs_create(void);
void blobs_destroy(struct blobs *b); // when the store thread is gone or on it; NULL-safe

extern const struct node_method NODE_METHODS_BLOBS[];
