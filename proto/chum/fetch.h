// What fetching needs to know about its session; shared by downloads, trees and the importer. All borrowed; it outlives
// every store job begun with it.
#pragma once

#include "chum/chum.h"
#include "conn/conn.h"
#include "store/queue.h"
#include "wire/rpc.h"

enum { CHUM_CALL_MS = 60000 }; // for an answer, and between two pieces of a stream

struct chum_fetch {
    struct conn *conn;
    struct rpc *rpc;
    struct store_queue *queue;
    const struct chum_policy *policy;
    struct chum_counts *counts;
    struct hash sender;                 // the authenticated remote person
    size_t window;                      // calls under way per tree
    void (*full)(void *ctx, bool full); // more arrives than the store takes: stop, or go on, reading the peer
    void *ctx;
    bool ended;   // the connection is gone
    size_t users; // the session, trees, downloads; the last one frees it
};

struct chum_fetch *chum_fetch_use(struct chum_fetch *f);
void chum_fetch_release(struct chum_fetch *f);
