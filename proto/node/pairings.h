// Pairing as a node does it (WIRE.md 6, MODELS.md 7): invitations given out, invitations accepted, and storing who
// came.
#pragma once

#include "conn/conn.h"
#include "node/node.h"

struct pairings;
struct peers;

struct pairings *pairings_create(struct peers *p);
void pairings_close(struct pairings *ps);   // answers requests that still wait
void pairings_destroy(struct pairings *ps); // when no store job can come back any more; NULL-safe
void pairings_register(struct node *n);     // pairing.invite, pairing.accept

// Would an invitation be made now, and with which address?
enum status pairings_can_invite(struct node *n, const char **url, struct error *e);

// From conn_host: an authenticated connection of the group "pairing", and the end of any of them.
const char *pairings_ready(struct pairings *ps, struct conn *c);
void pairings_closed(struct pairings *ps, struct conn *c, const struct error *why);
// May the person that the peer names be paired with? listed: it is a contact, and the instance key is none of its own.
enum status pairings_admit(const struct pairings *ps, const struct conn *c, bool listed, struct error *e);
// Is somebody being paired right now, so that an unknown peer may be known in a moment (WIRE.md 6.6)?
bool pairings_in_flight(const struct pairings *ps);
