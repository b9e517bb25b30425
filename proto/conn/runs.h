// Is one instance there twice? Each process of ours has a run, which it names in the identity exchange together with
// the last run of the peer that it met (conn/exchange.h). Runs follow each other and none comes back, so
//
//   RUNS_PEER  a run of the peer came back although another one had begun: both are alive;
//   RUNS_OURS  the peer met a run of ours that began after this one.
//
// Either way somebody runs a copy beside the original, with the same keys. Peers that name no run, as the reference's,
// are not judged. A run is the time its process began, sealed with a key below the instance's secret one: to others it
// is a random number, and what a peer says of our runs counts only if whoever has our key made it after this one.
#pragma once

#include "conn/conn.h"

enum { RUNS_NOTHING = 0, RUNS_PEER = 1, RUNS_OURS = 2 };

struct runs;

struct runs *runs_create(int64_t began_ms); // since 1970
void runs_destroy(struct runs *r);          // NULL-safe
// Another run for each identity, so that it does not tell that they are one.
void runs_name(const struct runs *r, const struct conn_identity *local, char out[CONN_RUN + 1]);

// The last run of the remote instance that this local one met; "" = none.
const char *runs_met(const struct runs *r, const struct conn_identity *local, const struct public_key *remote);
// A known instance has proved itself and said what peer has: what follows from it (bits).
unsigned runs_take(struct runs *r, const struct conn_identity *local, const struct conn_peer *peer);
// A connection with it served for a while: it must have met this run of ours.
void runs_lasted(struct runs *r, const struct conn_identity *local, const struct public_key *remote);
