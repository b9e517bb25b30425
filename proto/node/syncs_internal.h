// What the files of syncs.h share: the sessions, and the policy that those of one identity of ours have. Others use
// syncs.h.
//
//   syncs_sessions.c   begins a session and hears what happens in it
//   syncs_policy.c     asks the model layer for it, on the store thread
//   syncs.c            keeps the list, and answers what is asked about it
#pragma once

#include "base/invariant.h"
#include "chum/access_set.h"
#include "chum/session.h"
#include "node/deliveries.h"
#include "node/peers_internal.h"
#include "node/refusals.h"
#include "node/syncs.h"

struct sync { // one session
    struct sync *next;
    struct syncs *owner;
    struct speaker *speaker;
    struct chum_session *session;
    struct hash given_last; // to the peer, of objects and files
    struct served_session served;
    uint64_t rechecked_at; // passes, by which everything was gone through again
};

struct speaker { // an identity, as sessions with its contacts have it
    struct speaker *next;
    struct syncs *owner;
    const struct identity *self; // for the store thread too
    struct chum_policy policy;
    struct chum_access *access; // what was shown as one identity may not be fetched from another
};

struct syncs {
    struct peers *peers;
    struct speaker *speakers;
    struct refusals *refusals;
    struct sync *list;
    struct sparing_cache *sparing; // of a sparse node: the store thread's
    struct chum_counts ended;      // sums over finished sessions
    bool closing;
    OWNER // the loop's thread, but for speakers
};

// That of the identity, made with its first session.
struct speaker *syncs_speaker(struct syncs *ss, const struct identity *self);
void syncs_add_counts(struct chum_counts *sum, const struct chum_counts *c); // what a session did, not what it lacks
