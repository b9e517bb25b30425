// One connection between two instances, from the first message to its end (WIRE.md 3 – 6): handshake, encryption,
// group, sync, identity exchange, then the group's own protocol.
//
// A pure state machine on a transport: who the peer may be and what happens then is decided by the host, a vtable.
// Every wait has a deadline. Whatever fails closes the connection and is reported once through host.closed.
//
// What the peer causes is on its account (base/budget.h), a stranger's until the host calls conn_recognise. A peer that
// does not read what it is sent (CONN_UNREAD bytes wait and less than CONN_PROGRESS of them went in CONN_STALL_MS) is
// given up, OVER-BUDGET; while its rates are used up it is not read.
#pragma once

#include "base/budget.h"
#include "base/error.h"
#include "base/hash.h"
#include "conn/transport.h"
#include "crypto/box.h"
#include "crypto/sign.h"
#include "data/recipe.h"
#include "wire/pipeline.h"
#include "wire/random.h"

enum {
    CONN_UNREAD = 256 << 10,
    CONN_PROGRESS = 64 << 10,
    CONN_STALL_MS = 60000,
    CONN_CROWDED_MS = 100, // a crowded host is asked again after that
    CONN_RUN = 32,         // digits
};

enum conn_role { CONN_INITIATOR, CONN_ACCEPTOR };
enum conn_group { CONN_PAIRING, CONN_CHUM, CONN_DEBUG, CONN_APPLICATION }; // the last: conn_host.application
enum conn_state {      // MODELS.md 10.1, in the order of the protocol; a name per state for people: conn_state_name
    CONN_INITIALIZING, // of whoever dials, as the next
    CONN_CONNECTING,
    CONN_CONNECTED,
    CONN_ENCRYPTING,
    CONN_ENCRYPTED,
    CONN_AUTHENTICATING,
    CONN_AUTHENTICATED,
    CONN_PAIRING_ACTIVE,
    CONN_PAIRED,
    CONN_ACTIVE,
    CONN_CLOSING,
    CONN_CLOSED,
    CONN_FAILED,
    CONN_STATES, // how many there are
};

struct conn_identity { // somebody this node can speak as; owned by the host, outlives its connections
    char *email;
    char *instance_name;
    struct hash person_id;
    struct hash instance_id;
    struct public_key person_public, instance_public;
    struct secret person_secret, instance_secret; // X25519
    struct sign_public person_sign_public, instance_sign_public;
    char run[CONN_RUN + 1]; // names this process to tandem peers (conn/runs.h); "" = not named
};

struct conn_peer {       // what is proved about the other side, as far as it is
    char *email;         // after the identity exchange, else NULL
    char *instance_name; // likewise
    struct hash person_id;
    struct hash instance_id;
    struct public_key person_public;
    struct sign_public person_sign_public;
    struct public_key long_term; // the key it handshook with: instance key, or person key (WIRE.md 4.2); it holds it
    bool known;                  // the host knows its instance key (WIRE.md 8.3)
    char run[CONN_RUN + 1];      // after the identity exchange: of its process; "" = it names none
    char met[CONN_RUN + 1];      // likewise: of ours that it met last
};

enum conn_key_check {
    CONN_KEY_NEW,
    CONN_KEY_MATCHES,
    CONN_KEY_DIFFERS,
    CONN_KEY_OURS, // the person is one of our own, on this or another node, and this is not its key
};

struct conn;                // opaque
struct exchange_challenges; // conn/exchange.h

struct conn_host {
    void *ctx;
    const struct recipes *recipes;      // the core recipes, read on the loop thread only
    uint64_t (*now)(void *ctx);         // monotonic ms; NULL = clock_monotonic_ms
    const char *application;            // name of a group of its own on the wire; NULL = it has none
    const struct random_source *random; // NULL = the system's; recordings are replayed with their own
    struct budgets *budgets;            // NULL = nothing is accounted; outlives the connections
    bool (*crowded)(void *ctx);         // there is too much to do: nobody is read until it is less; NULL = never
    // Acceptor: the identity whose instance key is target, or NULL (closes as WIRE.md 4.4).
    const struct conn_identity *(*identity)(void *ctx, const struct public_key *target);
    // Acceptor, after the group is known, before sync: may this source talk to this target in this group at all?
    bool (*admits)(void *ctx, const struct conn_identity *local, const struct public_key *source,
                   enum conn_group group);
    // After sync: the duplicate rule (WIRE.md 8.4). A non-NULL text closes the connection with it.
    const char *(*assigned)(void *ctx, struct conn *c);
    // The record of a known instance key; false if unknown. *person comes as who says to have it.
    bool (*known)(void *ctx, const struct conn_identity *local, const struct public_key *remote_instance,
                  struct hash *person, struct hash *instance);
    // Does this person have recorded keys, and is this one of them (WIRE.md 5.5 step 4)?
    enum conn_key_check (*person_key)(void *ctx, const struct hash *person, const struct public_key *key);
    // What the peer says of itself, before anything is proved but the key of the handshake (long_term), and once more
    // when it is: may it be answered at all? Neither our own person nor what contradicts known and person_key comes
    // here. NULL = everybody may.
    enum status (*claim)(void *ctx, const struct conn *c, struct error *e);
    // The run of the peer that was met last, for it to know; NULL = no run is named.
    const char *(*met)(void *ctx, const struct conn_identity *local, const struct public_key *remote);
    struct exchange_challenges *challenges; // of all connections of this host; NULL = each knows its own only
    // Authenticated: take over with conn_serve, or refuse by returning a reason, which is sent behind "Error: ". May
    // call conn_hold first (WIRE.md 6.6).
    const char *(*ready)(void *ctx, struct conn *c, enum conn_group group);
    void (*state)(void *ctx, struct conn *c, enum conn_state state);
    // c is destroyed after this returns. Codes: "CLOSED" (by conn_close), "PEER-CLOSED" (by the peer; the message is
    // its reason, empty when it gave none), "CONNECTION-LOST", "CONN-TIMEOUT", "PEER-SILENT", "MESSAGE-TOO-BIG",
    // "BAD-WEBSOCKET", and those of the failures.
    void (*closed)(void *ctx, struct conn *c, const struct error *why);
};

// Both take the transport over; *host and *local outlive the connection. target is the acceptor's instance key; the
// source is the local instance key.
struct conn *conn_initiate(struct transport *t, const struct conn_host *host, const struct conn_identity *local,
                           const struct public_key *target, enum conn_group group);
// first: a communication_request a relay already handed over, or an empty span. NULL if that message ended the
// connection at once; closed was called then.
struct conn *conn_accept(struct transport *t, const struct conn_host *host, struct span first);

// The group's protocol, installed from host.ready. Messages are the application messages below fragmentation.
struct conn_protocol {
    void (*text)(void *ctx, struct span message, uint64_t now_ms);
    void (*binary)(void *ctx, struct span message, uint64_t now_ms);
    // Texts that come in fragments, piece by piece as they come; the last piece is empty. NULL: whole, as text.
    void (*piece)(void *ctx, struct span piece, bool first, bool last, uint64_t now_ms);
    void (*drained)(void *ctx);
    uint64_t (*deadline)(void *ctx); // 0 = none; asked again after every event
    void (*time)(void *ctx, uint64_t now_ms);
    void (*wind_up)(void *ctx, const char *reason); // conn_close soon, when what is under way is over; NULL = at once
    void (*closed)(void *ctx, const struct error *why); // release ctx here
};
void conn_serve(struct conn *c, const struct conn_protocol *protocol, void *ctx);
// From host.ready: the host knows who this is. Before, the peer has a stranger's account, and gives way to others.
void conn_recognise(struct conn *c, enum budget_class class);
struct budget *conn_budget(const struct conn *c); // NULL without host.budgets; budget_use to keep it
void conn_send_text(struct conn *c, struct span message);
void conn_send_binary(struct conn *c, struct span message);
size_t conn_queued(const struct conn *c);
void conn_pause(struct conn *c, bool paused); // stop or go on reading; meanwhile the peer's silence is no timeout
void conn_reschedule(struct conn *c);         // the protocol's deadline changed outside an event
// Puts off host.ready: called from it (which then returns NULL without serving) to wait, e.g. while a pairing with that
// peer is in flight; ready is asked again when conn_resume is called or the time is over. It may be put off repeatedly,
// for up to ms in all from the first time. false: the time is over, decide now.
bool conn_hold(struct conn *c, uint64_t ms);
bool conn_resume(struct conn *c); // true: it was held and is no longer; other connections may have ended with it
// reason: text as in WIRE.md 2.3 without the "Close called: "; NULL = "Close called.". protocol.closed and host.closed
// follow: at once, or when the event being handled is over. An end on purpose is reported with STATUS_CLOSED, "CLOSED".
void conn_close(struct conn *c, const char *reason);

void conn_wind_up(struct conn *c, const char *reason); // conn_close, when the protocol is ready for it

void conn_fail(struct conn *c, const struct error *why); // closes with "Error: " and the message, reported as why

void conn_paired(struct conn *c); // the protocol of the group pairing knows who the other is, and has said who we are

enum conn_role conn_role(const struct conn *c);
enum conn_group conn_group(const struct conn *c);
enum conn_state conn_state(const struct conn *c);
const char *conn_state_name(enum conn_state state);
const char *conn_group_name(enum conn_group group);
const struct conn_identity *conn_local(const struct conn *c);
const struct conn_peer *conn_peer(const struct conn *c);
const struct transport *conn_transport(const struct conn *c);
uint64_t conn_id(const struct conn *c);                          // the transport's
int conn_close_code(const struct conn *c);                       // of the WebSocket, once it is closed
const struct pipeline_counts *conn_counts(const struct conn *c); // NULL in clear
// host.known for the connection's local identity; *person as there.
bool conn_known_instance(const struct conn *c, const struct public_key *instance_key, struct hash *person,
                         struct hash *instance);
uint64_t conn_now(const struct conn *c); // the host's monotonic time
// One message in the log at level debug, with the time since its socket opened.
void conn_log(const struct conn *c, const char *event, const char *name, size_t bytes);
