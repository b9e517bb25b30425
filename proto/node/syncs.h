// The CHUM sessions of a node: one per connection of the group, with the policy of the model layer.
#pragma once

#include "chum/session.h"
#include "conn/conn.h"
#include "node/node.h"

struct peers;
struct syncs;

struct syncs *syncs_create(struct peers *p);
void syncs_close(struct syncs *ss);   // the connections are about to be closed
void syncs_destroy(struct syncs *ss); // NULL-safe

// From conn_host.ready: starts a session on an authenticated connection with somebody known.
void syncs_start(struct syncs *ss, struct conn *c, bool peer_is_own);
void syncs_tell_news(struct syncs *ss);                         // what peers may see has changed
void syncs_follow(struct syncs *ss, const struct hash *person); // a follower waits for this person's news
bool syncs_with(const struct syncs *ss, const struct hash *person, bool *importing, bool *exporting);
bool syncs_between(const struct syncs *ss, const struct hash *self, const struct hash *person);
// Asks the other own node for what was lost here (chum/refetch.h). false: it is not connected; done will not be called.
bool syncs_refetch(struct syncs *ss, const struct hash *own, const struct hash_list *hashes,
                   chum_session_refetched done, void *ctx);
// Asks it which of these files it has (chum_session_ask_held).
bool syncs_ask_held(struct syncs *ss, const struct hash *own, const struct hash_list *files, chum_session_held done,
                    void *ctx);
void syncs_recheck(struct syncs *ss);              // goes through all that peers show again: something was lost here
bool syncs_have_rechecked(const struct syncs *ss); // that is over
// May it fetch this from the identity?
bool syncs_shown_to(const struct syncs *ss, const struct identity *self, const struct hash *person,
                    const struct hash *hash);
bool syncs_are_idle(const struct syncs *ss);
struct chum_counts syncs_counts(const struct syncs *ss); // of all sessions since the start; latency: mean of those open
bool syncs_latency(const struct syncs *ss, const struct conn *c, uint64_t *ms); // false: none is known
