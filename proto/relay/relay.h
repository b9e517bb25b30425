// A relay (communication server): connects those who cannot be reached with those who look for them (WIRE.md 7).
//
// Listeners register spare sockets under their key, which they prove to own; a requester names a key, and the relay
// splices it to the newest spare of that key. On the wire it equals the reference's; beyond it there are limits, a
// deadline for the first messages, and back-pressure: a slow receiver pauses its sender, so memory stays bounded.
// It runs in the loop of its owner; an archive node may embed it.
#pragma once

#include "crypto/box.h"
#include "net/loop.h"

struct relay;

struct relay_options {         // 0 = the default
    uint64_t ping_interval_ms; // 25,000; told to the listeners
    uint64_t pong_timeout_ms;  // 1,000
    uint64_t first_ms;         // 10,000: until a new socket has asked for something, and until it is registered
    size_t max_connections;    // 16,384
    size_t max_per_address;    // no limit
    size_t max_waiting;        // no limit: sockets that are neither registered nor spliced; ws_server.h
    bool leave_room;           // an address has as many sockets as are still free for others
    size_t max_spares_per_key; // 16; one more drops the oldest
    size_t message_limit;      // 1 MiB; peers send 64 KiB
};

struct relay_stats {
    size_t connections, spares, keys, splices; // now
    uint64_t registrations, handovers;         // since the start
    uint64_t unanswered;                       // requests for a key nobody listens with
    uint64_t refused_protocol;                 // closed for a malformed or forbidden message
    uint64_t refused_limit;                    // closed for a limit
    uint64_t timeouts;                         // missing pongs and first messages
    uint64_t messages, bytes;                  // mirrored
};

// address as ws_server_listen; every Host and Origin is accepted. NULL and e on failure. options may be NULL.
struct relay *relay_start(struct loop *l, const char *address, const struct relay_options *options, struct error *e);

// Ends gracefully: nothing new is accepted, spares and unfinished registrations are closed at once, splices when their
// ends close them or after ms. Then drained is called, once, from the loop.
void relay_drain(struct relay *r, uint64_t ms, void (*drained)(void *ctx), void *ctx);
void relay_destroy(struct relay *r); // before the loop; connections still open are closed. NULL-safe

// What joins relays together (relay/cluster.h): told of the keys that are listened with here, asked for the others.
struct transport;
struct relay_extension {
    void *ctx;
    void (*listened)(void *ctx, const struct public_key *key, bool listened); // the first spare came, the last one went
    // A way to a listener of target elsewhere, on which request was sent already; NULL: not now. Its closed event tells
    // if there is none.
    struct transport *(*dial)(void *ctx, const struct public_key *target, struct span request);
};
void relay_extend(struct relay *r, const struct relay_extension *x); // borrowed; NULL: no longer
void relay_accept(struct relay *r, struct transport *t); // a requester that came to another relay, which sends next

const char *relay_url(const struct relay *r);
struct relay_stats relay_stats(const struct relay *r);

struct relay_metric {
    const char *name; // without the prefix tandem_relay_
    const char *type; // "gauge", "counter"
    const char *help;
    uint64_t value;
};
enum { RELAY_METRICS = 12 };
void relay_measure(const struct relay *r, struct relay_metric out[RELAY_METRICS]);
