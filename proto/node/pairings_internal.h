// What pairings.c and invitations.c share. Others use pairings.h.
#pragma once

#include "conn/pairing.h"
#include "ipc/invitation.h"
#include "node/kept.h"
#include "node/pairings.h"
#include "node/peers_internal.h"
#include "node/repeats.h"

struct attempt { // an invitation we accept
    struct attempt *next;
    struct pairings *owner;
    struct ipc_request *request;
    struct local *local; // the identity that accepts it
    struct invitation invitation;
    struct hash from; // whose invitation it is said to be; zero = anybody's
    struct ws_connect *dial;
    uint64_t id; // of the connection
    struct conn *conn;
    struct pairing *pairing;
};

struct pairings {
    struct peers *peers;
    struct tokens *tokens;
    struct kept *kept;
    struct repeats *repeats;
    struct pairing_host host;
    struct attempt *attempts;
    size_t accepting; // connections of the group we are the invited-to side of
};

// The identity that a request speaks for: as names it, else the main one. NULL: NOT-FOUND.
struct local *pairings_local(const struct pairings *ps, struct ipc_request *r, struct error *e);

// The peers' pairings, unless the request is a repeat or comes too early: then NULL, and it is answered, or will be.
struct pairings *pairings_of_request(struct node *n, struct ipc_request *r);

// invitations.c: those given out
void invitations_register(struct node *n); // pairing.invite, pairing.invitations, pairing.revoke
void invitations_expire(struct pairings *ps, int64_t now_ms);
