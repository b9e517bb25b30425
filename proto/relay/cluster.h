// Several relays as one: a listener registered at one is reached by a requester at another. They meet on NATS.
//
// A relay subscribes, as one of the group "relays", to tandem.relay.want.KEY for each key that somebody listens with. A
// request nobody here can answer is published there; NATS hands it to one relay that can, or says at once that there is
// none. Requester's and listener's relay then exchange the frames of a session (session.h) on subjects of their own, so
// a splice over two relays behaves as one over one: order, kind, back-pressure and reasons. A relay that dies ends its
// sessions within 15 s. Keys are proved to the relay that holds the spare; NATS itself must be closed to strangers.
#pragma once

#include "relay/relay.h"

struct cluster;

// url is nats://[USER:PASSWORD@]HOST[:PORT][,…]. While no server answers the relay works alone; it goes on trying.
// Errors: BAD-URL, IO.
struct cluster *cluster_join(struct loop *l, struct relay *r, const char *url, struct error *e);
void cluster_leave(struct cluster *c); // before relay_destroy; ends its sessions. NULL-safe
