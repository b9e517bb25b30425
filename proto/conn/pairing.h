// Pairing (WIRE.md 6.3 – 6.7): the protocol of the group "pairing", as the invited side and as the inviting one. The
// identities exchanged have to be exactly who was authenticated on this connection.
#pragma once

#include "conn/conn.h"
#include "conn/tokens.h"

struct pairing_identity { // IDENTITY of WIRE.md 6.4
    char *email;
    char *instance_name;
    char *url; // NULL: cannot be dialled
    struct public_key person_public, instance_public;
    struct sign_public person_sign_public, instance_sign_public;
};

struct pairing;

struct pairing_host {
    void *ctx;
    int64_t (*wall_now)(void *ctx); // ms since 1970, for the tokens; NULL = clock_wall_ms
    // The identity of the peer stands; its person and instance ids are in conn_peer. Store what WIRE.md 6.5 lists, then
    // call pairing_stored, at once or later, exactly once. The identity lives until then.
    void (*store)(void *ctx, struct pairing *p, const struct pairing_identity *peer);
    // The last call, once: why is NULL when both sides have each other. The pairing is destroyed after it.
    void (*finished)(void *ctx, struct pairing *p, const struct error *why);
};

// Both are called from conn_host.ready of a connection of the group and take it over with conn_serve. *host outlives
// the pairing, own only the call.
struct pairing *pairing_initiate(struct conn *c, const struct pairing_host *host, const struct pairing_identity *own,
                                 const char *token);
struct pairing *pairing_accept(struct conn *c, const struct pairing_host *host, const struct pairing_identity *own,
                               struct tokens *tokens);           // tokens outlives the pairing
void pairing_stored(struct pairing *p, const struct error *why); // why NULL: it is on disk

const struct conn_peer *pairing_peer(const struct pairing *p);                 // who it is with, authenticated
const struct pairing_identity *pairing_peer_identity(const struct pairing *p); // NULL until it stands
const struct conn_identity *pairing_local(const struct pairing *p);            // as whom we pair
bool pairing_initiated(const struct pairing *p);
uint64_t pairing_connection(const struct pairing *p);               // its id, also when it has ended
const struct pairing_token *pairing_token(const struct pairing *p); // shown by the peer; NULL as the invited side

// What somebody we speak as shows of itself. The texts are borrowed: not for pairing_identity_free.
struct pairing_identity pairing_identity_of(const struct conn_identity *i, char *url);
void pairing_identity_write(const struct pairing_identity *i, struct buf *out); // the whole message
enum status pairing_identity_read(bool text, struct span message, struct pairing_identity *out, struct error *e);
void pairing_identity_free(struct pairing_identity *i);
