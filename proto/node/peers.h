// Everything this node does with other nodes: who may connect, whom to dial, pairing, and which connections
// synchronise.
//
// It fills the policy vtables that conn, its routes and chum declare, from a copy of the contacts' endpoints that
// follows the store. Loop thread only.
#pragma once

#include "conn/transport.h"
#include "node/node.h"

enum {                       // connections from outside
    PEERS_SERVED_MAX = 256,  // with known peers; own nodes always find room
    PEERS_INSTANCE_MAX = 8,  // of them with one instance
    PEERS_WAITING_MAX = 128, // that have yet to prove who they are; the oldest gives way
};

struct own_peer {                   // the other own node
    struct hash person;             // zero = not told yet
    struct public_key instance_key; // who has another one is not our own node
    bool pinned;                    // the key was told
};

// The node is provisioned. own: the other own node as it is remembered.
struct peers *peers_create(struct node *n, const struct own_peer *own);
// Takes nobody new, asks no more, and ends each connection as soon as its peer owes us no answer: one that is still
// answering may not survive its end (WIRE.md 9.3). ended comes once, from the loop: then, or when patience is over.
void peers_wind_up(struct peers *p, void (*ended)(void *ctx), void *ctx);
// A further identity, which outlives the peers: it is met at the same listener and dials its own contacts.
void peers_add_identity(struct peers *p, const struct identity *self);
void peers_close(struct peers *p);   // ends every connection; no new ones; NULL-safe
void peers_destroy(struct peers *p); // after peers_close, when no store job can come back any more; NULL-safe
void peers_register(struct node *n); // pairing.*, connections.list

// A socket somebody opened to us, or that a relay spliced; first: the communication_request a relay handed over, or
// empty.
void peers_accept(struct peers *p, struct transport *t, struct span first);
// The same at a listener that is for the other own node alone: whoever else comes is sent away before `sync`.
void peers_accept_own(struct peers *p, struct transport *t);
// The stored endpoints may have changed: read them again and follow.
void peers_refresh(struct peers *p);
// A listener or the network came back: try now what waits for its next attempt.
void peers_nudge(struct peers *p);

// The other own node: dialled at url (NULL = it dials us), without courtesy waits.
void peers_set_own(struct peers *p, const struct own_peer *own, const struct hash *instance, const char *url);
json_t *peers_own_state(const struct peers *p); // {paired, importing, exporting}
bool peers_are_idle(const struct peers *p);     // nothing is left to fetch or to answer

// CHUM runs between that identity of ours and the person.
bool peers_connected(const struct peers *p, const struct hash *self, const struct hash *person);
// self: those of this identity of ours alone; NULL: all with the person.
void peers_close_person(struct peers *p, const struct hash *self, const struct hash *person, const char *reason);
struct traced_message;
void peers_sent(struct peers *p, const struct traced_message *message); // of a job that is committed
void peers_follow(struct peers *p, const struct hash *person); // somebody waits for its messages: poll it more often
