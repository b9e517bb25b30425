// The half of CHUM that serves: roots, children, objects and files of what the peer's person may see
// (WIRE.md 10.1, 10.4 – 10.6).
//
// Loop thread. Requests wait in a queue, also those that need no store, for an answer is made only when the connection
// has room for it; a few batches of them at a time become store jobs and are answered as they come back. Files are
// streamed, a few at a time: the next piece is read when the connection has room for it. So what a peer asks for and
// does not read costs little; a peer that asks for more than REQUESTS_MAX things at a time, or for more than its
// account allows, is not read. The store's time is on its account, too; when that is used up it waits.
//
// An own node that says so (CHUM_UNCHANGED) is not given again the root list it was answered last, and the list is not
// even made. What "last" was is remembered here, so it ends with the session.
#pragma once

#include "chum/access_set.h"
#include "chum/export.h"
#include "chum/rpc.h"
#include "conn/conn.h"
#include "store/queue.h"

struct chum_exporter;
struct chum_news;

struct chum_exporter_options { // all borrowed; they outlive the exporter and its jobs
    struct conn *conn;
    struct rpc *rpc;
    struct store_queue *queue;
    struct chum_access *access;
    const struct chum_policy *policy;
    struct chum_counts *counts;
    struct hash person;     // the authenticated remote person
    struct chum_news *news; // told when the peer asks for what is new
    bool feeds;             // the peer may ask for what is new (outflow.h)
    bool gives_all;         // whatever it asks for by its hash, shown or not
    void (*served)(void *ctx, enum chum_service service, const struct hash *hash); // answered well; 2, 4 – 7, 100
    // The peer says: all that was served is stored there, and there is no more; or some of what was served last is not.
    void (*stored)(void *ctx, bool all);
    void (*told_of_news)(void *ctx);                     // the peer has something new for us
    void (*greeted)(void *ctx, const json_t *arguments); // those of its GET_PROTOCOL_VERSION (news.h)
    void (*full)(void *ctx, bool full);                  // too many requests wait: stop, or go on, reading the peer
    struct chum_elsewhere elsewhere;
    void *ctx;
};

struct chum_exporter *chum_exporter_create(const struct chum_exporter_options *options);
void chum_exporter_serve(struct chum_exporter *x, const struct rpc_request *request);
void chum_exporter_drained(struct chum_exporter *x);            // the connection has room again
uint64_t chum_exporter_deadline(const struct chum_exporter *x); // when chum_exporter_drained is due; 0 = not
uint64_t chum_exporter_answered(const struct chum_exporter *x); // version of the list of roots given last; 0 = none
bool chum_exporter_is_busy(const struct chum_exporter *x);      // a request is being answered
size_t chum_exporter_unanswered(const struct chum_exporter *x); // requests
void chum_exporter_end(struct chum_exporter *x);                // the connection is gone; jobs under way are dropped
