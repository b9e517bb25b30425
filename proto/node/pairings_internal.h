// What pairings.c and invitations.c share. Others use pairings.h.
#pragma once

#include "conn/pairing.h"
#include "ipc/invitation.h"
#include "ipc/repeats.h"
#include "node/kept.h"
#include "node/pairings.h"
#include "node/peers_internal.h"

struct attempt { // an invitation we accept
    struct attempt *next;
    struct pairings *owner;
    struct ipc_request *request; // NULL: it is of one that waits
    struct wait *wait;
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
    struct waits *waits;
    size_t accepting; // connections of the group we are the invited-to side of
};

// The identity that a request speaks for: as names it, else the main one. NULL: NOT-FOUND.
struct local *pairings_local(const struct pairings *ps, struct ipc_request *r, struct error *e);

// The peers' pairings, unless the request is a repeat or comes too early: then NULL, and it is answered, or will be.
struct pairings *pairings_of_request(struct node *n, struct ipc_request *r);

// connection 0: there was none.
void pairings_tell_failed(const struct pairings *ps, const struct hash *person, uint64_t connection,
                          const struct error *why);
struct wait_acts {
    // Accepts an invitation that waits; ends with waits_ended unless it fails at once.
    enum status (*try)(struct pairings *ps, struct wait *w, const struct invitation *i, const struct hash *from,
                       const struct hash *identity, struct error *e);
    void (*abandon)(struct pairings *ps, const struct wait *w); // does not call back
};

// waits.c: accepted ones whose peers could not be reached
enum { WAITS_S = 7 * 24 * 60 * 60 };
struct waits *waits_create(struct pairings *ps, struct wait_acts acts);
void waits_close(struct waits *ws); // tries no more
void waits_destroy(struct waits *ws);
void waits_register(struct node *n);                                                  // pairing.waiting, pairing.cancel
bool waits_may_pass(const struct error *why);                                         // another attempt may do better
void waits_begin(struct waits *ws, const struct attempt *a, const struct error *why); // answers the attempt's request
void waits_ended(struct waits *ws, struct wait *w, const struct hash *person, const struct error *why);

// invitations.c: those given out
void invitations_register(struct node *n); // pairing.invite, pairing.invitations, pairing.revoke
void invitations_expire(struct pairings *ps, int64_t now_ms);
