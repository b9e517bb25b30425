// A CHUM session: both halves of the protocol on one connection (WIRE.md 10.2 – 10.9).
//
// Loop thread. A session ends with its connection; store jobs that are still under way keep what they need.
#pragma once

#include <stdatomic.h>

#include "chum/chum.h"
#include "conn/conn.h"
#include "store/queue.h"

struct chum_session;
struct chum_access; // what each person was shown; one per node (chum/access_set.h)

struct chum_events { // any may be NULL
    void *ctx;
    void (*importing)(void *ctx, struct chum_session *s); // the peer answers: CHUM runs towards us
    void (*exporting)(void *ctx, struct chum_session *s); // the peer asked for its roots: CHUM runs towards it
    // A pass found everything stored; objects and bytes it brought. Told only for passes that brought something, and
    // the first.
    void (*passed)(void *ctx, struct chum_session *s, uint64_t objects, uint64_t bytes, uint64_t ms);
    void (*complete)(void *ctx, struct chum_session *s); // a pass left nothing over but what fails again and again
    void (*served)(void *ctx, struct chum_session *s, enum chum_service service, const struct hash *hash); // exporter.h
    void (*stored)(void *ctx, struct chum_session *s, bool all);                                           // exporter.h
    void (*failed)(void *ctx, struct chum_session *s, const struct hash *root, const struct error *why);   // one root
    void (*stuck)(void *ctx, struct chum_session *s, const struct hash *id_hash, const struct error *why); // importer.h
    struct chum_elsewhere elsewhere;
    void (*closed)(void *ctx, struct chum_session *s, const struct error *why); // the session is destroyed after it
};

struct chum_options {
    bool peer_is_own;  // an own node: no courtesy waits, it is told of every change, lists are not sent twice
    uint64_t poll_ms;  // 0 = the default: 800 while active, else 5,000; who tells of news, 15,000
    bool feeds;        // what is new is asked for and given by a feed, if the peer has one (docs/feeds.md)
    bool gives_all;    // an own node is given whatever it asks for by its hash
    uint64_t file_max; // bytes of one BLOB or CLOB that is taken; 0 = CHUM_FILE_MAX
    const atomic_uint_least64_t *takes; // fetch.h
};

// Called from conn_host.ready: takes the connection over with conn_serve. Everything given is borrowed and outlives the
// session and its store jobs.
struct chum_session *chum_session_create(struct conn *c, struct store_queue *queue, struct chum_access *access,
                                         const struct chum_policy *policy, const struct chum_options *options,
                                         const struct chum_events *events);
void chum_session_stop(struct chum_session *s,
                       const char *reason);     // answers to own questions first (WIRE.md 9.3), then closes
void chum_session_poke(struct chum_session *s); // ask the peer now
// The same, and all that is shown is gone through again, also what failed: something of it was lost here. It is over
// with as many passes in chum_session_counts.
uint64_t chum_session_recheck(struct chum_session *s);
// Asks an own node for what was lost here (refetch.h). false: not now, done will not be called. Otherwise it is called
// once, from the loop, later.
typedef void (*chum_session_refetched)(void *ctx, const struct hash_list *failed, const struct error *why);
bool chum_session_refetch(struct chum_session *s, const struct hash_list *hashes, chum_session_refetched done,
                          void *ctx);
// Asks an own node which of these files, CHUM_HELD_MAX at most, it has: how many bytes of each, -1 for none. false: not
// now. Otherwise done is called once, from the loop, later; sizes NULL: there is no answer.
typedef void (*chum_session_held)(void *ctx, const int64_t *sizes);
bool chum_session_ask_held(struct chum_session *s, const struct hash_list *files, chum_session_held done, void *ctx);
// Something in the store has changed: who may see it and listens is told (news.h), so that it asks at once.
void chum_session_tell_news(struct chum_session *s);
void chum_session_keep_active(struct chum_session *s, uint64_t ms); // somebody waits: poll often for this long

const struct conn_peer *chum_session_peer(const struct chum_session *s);
struct conn *chum_session_conn(const struct chum_session *s);
struct chum_counts chum_session_counts(const struct chum_session *s);
size_t chum_session_unanswered(const struct chum_session *s); // requests of the peer; in served that one among them
bool chum_session_is_importing(const struct chum_session *s); // a pass was completed
bool chum_session_is_exporting(const struct chum_session *s); // the peer asked for roots
bool chum_session_is_idle(const struct chum_session *s);      // nothing is being fetched or answered
