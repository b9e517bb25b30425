// How far own messages get, watched while peers are served.
//
// A peer that fetched a message and asks for its roots after that, in the same session, has stored it. Sessions break
// and nodes are killed between the two, and some have a message already, by way of somebody else or from before a
// restore, and do not fetch it; so a peer that asks twice in a row and fetches nothing in between has, too, what it
// fetched in an earlier session, and what is older than this process, than its being restored, or than the question
// before these two. A peer that asks for a feed says so itself (docs/feeds.md), and nothing is guessed.
//
// Loop thread. What is found out is written by store jobs and then told: the event message.state, followers
// (chat.state) and the supervisor, which copies it to the other own node (node.deliveries).
#pragma once

#include <jansson.h>

#include "chum/chum.h"
#include "ipc/service.h"

struct node;
struct deliveries;

struct served_session {      // what one session was given; zero-initialised
    struct hash_list taken;  // messages fetched since the peer asked for its roots
    unsigned quiet;          // times it asked without fetching anything in between
    unsigned beginning;      // since which one
    bool judged;             // what is older than that is judged
    bool says;               // the peer asks for a feed, and so says what it has not stored
    int64_t asked_ms;        // when it was answered for its roots last; 0 = not yet
    int64_t asked_before_ms; // and before that; the last list shows what there was then
};

struct deliveries *deliveries_create(struct node *n);
void deliveries_destroy(struct deliveries *d);  // when no store job can come back any more; NULL-safe
void deliveries_restored(struct deliveries *d); // the store has got back what it lost; NULL-safe
void deliveries_sent(struct deliveries *d, const struct hash *message); // it is committed
// unanswered: requests of the session, this one among them. While there are others, such as a file, the peer is not
// done.
void deliveries_served(struct deliveries *d, struct served_session *s, const struct hash *person,
                       enum chum_service service, const struct hash *hash, size_t unanswered);
// The peer has stored all that it was ever served.
void deliveries_stored(struct deliveries *d, struct served_session *s, const struct hash *person);
// The session is over, or the peer has not stored everything that it was given last.
void deliveries_left(struct deliveries *d, struct served_session *s, const struct hash *person);
// Messages of ours that this person brought us: it has those that nothing is known of here.
void deliveries_returned(struct deliveries *d, const struct hash *person, const struct hash_list *messages);
void deliveries_changed(struct deliveries *d);                    // rows were written: tell of them
void deliveries_ask(struct deliveries *d, struct ipc_request *r); // node.deliveries
