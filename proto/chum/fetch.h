// What fetching needs to know about its session; shared by downloads, parts, trees and the importer. All borrowed; it
// outlives every store job begun with it.
#pragma once

#include <stdatomic.h>

#include "chum/chum.h"
#include "chum/rpc.h"
#include "conn/conn.h"
#include "store/queue.h"

struct chum_download;

enum {
    CHUM_CALL_MS = 60000,        // for an answer, and between two pieces of a stream
    CHUM_AHEAD_BYTES = 16 << 20, // received and not yet stored: nothing more is asked for, but what is needed next
    CHUM_AHEAD_LIMIT = 48 << 20, // and then the peer is not trusted to be of use
    CHUM_DOWNLOADS = 4,          // files on their way at a time
};

struct chum_fetch {
    struct conn *conn;
    struct rpc *rpc;
    struct store_queue *queue;
    const struct chum_policy *policy;
    struct chum_counts *counts;
    struct hash sender;                 // the authenticated remote person
    struct hash self;                   // the person it talks to
    size_t window;                      // calls under way per tree
    size_t object_max;                  // bytes of one object
    uint64_t file_max;                  // of one file
    const atomic_uint_least64_t *takes; // bytes up to which files of the peer are taken; the others are left with it
                                        // until somebody reads them. NULL: all are taken
    void (*full)(void *ctx, bool full); // more arrives than the store takes: stop, or go on, reading the peer
    void *ctx;
    size_t ahead;                  // bytes of objects received and not yet stored, of all trees
    bool unstored;                 // something that was fetched since then failed
    size_t entries;                // of the lists of children being worked on, of all trees
    size_t downloads;              // under way
    struct chum_download *waiting; // for their turn
    struct hash_map *lacking; // BLOBs the peer could not deliver in this session, and when they are asked for again
    bool settles;             // what comes is counted as settled, as the peer knows sums (comparing.h)
    bool closing;             // nothing more is asked
    bool ended;               // the connection is gone
    size_t users;             // the session, trees, downloads; the last one frees it
};

// The pause after something failed for the timesth time: longer every time.
uint64_t chum_retry_pause(unsigned times);

// Notes that the peer lists a BLOB it does not deliver; true if that is news.
bool chum_fetch_note_lacking(struct chum_fetch *f, const struct hash *blob);
bool chum_fetch_does_without(const struct chum_fetch *f, const struct hash *blob); // until its pause is over
// The peer has a file of that many bytes (-1: it has not). Is it left there? Any thread.
bool chum_fetch_leaves(const struct chum_fetch *f, int64_t size);

struct chum_fetch *chum_fetch_use(struct chum_fetch *f);
void chum_fetch_release(struct chum_fetch *f);

// The call's id, or -1 if there is none any more: then nobody answers, and the end of the session is near.
int64_t chum_fetch_call(struct chum_fetch *f, enum chum_service service, struct span args, rpc_reply_fn reply,
                        void *ctx);
int64_t chum_fetch_call_for(struct chum_fetch *f, enum chum_service service, const struct hash *hash,
                            rpc_reply_fn reply, void *ctx);
void chum_fetch_cancel(struct chum_fetch *f, int64_t *call); // sets it to -1; fine if there is none

// A peer with a feed takes what it gave to be stored when it is asked for more, unless it is told otherwise: something
// failed, or goes on beside. Asked with the next question, which says so.
bool chum_fetch_says_left(struct chum_fetch *f, bool goes_on);

// The text an answer carries. Otherwise what is wrong with it: code if it is no text.
enum status chum_fetch_text(const struct rpc_reply *reply, const char *code, struct span *text, struct error *e);
// An object of that text may be taken over: big ones only if reading them does not take many times their size.
bool chum_fetch_fits(const struct chum_fetch *f, struct span text);
// Puts that text into the empty out, without a copy of a long one.
void chum_fetch_keep_text(const struct rpc_reply *reply, struct span text, struct buf *out);
