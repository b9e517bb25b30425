// Being reachable through a relay: the listener's side of WIRE.md 7.2 – 7.4.
//
// Two spare sockets are kept registered with the relay, opened one after the other. When the relay hands one over to a
// requester it becomes an incoming connection like any other, and a replacement is opened at once (32 of them, and 8 a
// second then: handovers may come without end); when one fails, after 10 – 12 s.
#pragma once

#include "crypto/box.h"
#include "net/ws_client.h"

enum relay_state { RELAY_NOT_LISTENING, RELAY_CONNECTING, RELAY_LISTENING }; // listening: at least one spare

struct relay_client_events {
    // A requester was spliced to us: go on as acceptor with first, a communication_request (conn_accept). Installs its
    // own events. first is valid during the call.
    void (*accepted)(void *ctx, struct transport *t, struct span first);
    // After every change and every failure; why is the last failure since a registration, or NULL. May stop the client.
    void (*state)(void *ctx, enum relay_state state, const struct error *why);
};

struct relay_client;

// key and secret (an instance's X25519 pair), events and ctx are borrowed until relay_client_stop. Connecting begins at
// once, in the loop. NULL and BAD-URL for a URL that is none.
struct relay_client *relay_client_start(struct loop *l, struct ws_client *ws, const char *url,
                                        const struct public_key *key, const struct secret *secret,
                                        const struct relay_client_events *events, void *ctx, struct error *e);
void relay_client_stop(
    struct relay_client *c); // closes the spares, frees c; connections handed over live on. NULL-safe
enum relay_state relay_client_state(const struct relay_client *c);
const char *relay_client_url(const struct relay_client *c);
size_t relay_client_spares(const struct relay_client *c); // registered now
