// Inside proto/relay only: one splice that spans two relays, as a transport towards the other relay.
//
// A frame, one NATS message:
//
//   offset  size  meaning
//        0     1  kind: O opened, T text, B binary, t and b a part of such with more to come, A acknowledged, C close,
//                 K keep alive
//        1     4  T B t b C: number of the frame, from 1, big-endian; others: 0
//        5     …  O: the subject to send to; T B t b: bytes; A: how many bytes were taken, 4 bytes, big-endian;
//                 C: the reason
//
// At most 1 MiB is sent beyond what was acknowledged; the rest waits and counts as queued. A gap in the numbers means
// that NATS lost something, and ends the session.
#pragma once

#include "base/hash.h"
#include "conn/transport.h"

struct cluster;
struct session;

// The listener's side knows where to send (remote) and says so first; the requester's side waits for that (remote
// NULL).
struct session *session_create(struct cluster *c, const struct hash *id, const char *remote);
struct transport *session_transport(struct session *s);
void session_frame(struct session *s, struct span frame);          // one that arrived
void session_unanswered(struct session *s);                        // nobody listens with the key
void session_end(struct session *s, int code, struct span reason); // tells the user, frees s
