// What peers.c, pairings.c and syncs.c share. Others use peers.h.
#pragma once

#include "base/address.h"
#include "base/budget.h"
#include "base/invariant.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/routes.h"
#include "models/contact.h"
#include "net/ws_client.h"
#include "node/connections.h"
#include "node/incidents.h"
#include "node/inspections.h"
#include "node/news.h"
#include "node/pairings.h"
#include "node/peers.h"
#include "node/settings.h"
#include "node/syncs.h"
#include "node/traces.h"
#include "node/tries.h"
#include "node/twins.h"
#include "node/vitals.h"

struct dialling { // a route's attempt before its connection is assigned
    struct dialling *next;
    struct peers *peers;
    uint64_t attempt;
    uint64_t id; // of the connection
    const struct conn_identity *local;
    struct public_key remote;
    struct ws_connect *connect; // until the socket is open
    struct conn *conn;          // from then on
};

struct local { // an identity of this node, whom others can meet
    struct local *next;
    const struct identity *self; // borrowed
    struct conn_identity identity;
    struct hash_map *endpoints;   // instance keys that routes has learned for it
    struct hash_map *just_paired; // instance key → enum routes_reason, until routes has learned it
    struct hash_map *contacts;    // its contacts, with or without endpoints
    struct hash_map *safety;      // person → the safety_text told last, also of who was forgotten since
};

struct peers {
    struct node *node;
    struct recipes *recipes; // the core's, for the loop
    struct local main;       // the first of all
    struct conn_host host;
    struct conn_host own_host; // of connections that only the other own node may have
    struct routes_host routes_host;
    struct peer_settings settings;
    struct budgets *budgets; // of everything that a peer causes, for the store's thread too
    struct ws_client *client;
    struct routes *routes;
    struct loop_timer *routes_timer;
    struct pairings *pairings;
    struct syncs *syncs;
    struct inspections *inspections;
    struct news *news;
    struct connections connections;
    struct traces *traces;
    struct incidents *incidents;
    struct vitals *vitals;
    struct seen *seen;
    struct twins *twins;
    struct dialling *diallings;
    struct tries *tries;
    bool closing;
    struct winding_up { // of a node that is told to stop
        struct loop_timer *timer;
        void (*ended)(void *ctx);
        void *ctx;
    } winding_up;
    bool refreshing;
    bool refresh_again;

    bool learned; // endpoints and contacts were read at least once
    struct exchange_challenges challenges;
    struct own_node {
        struct own_peer peer;
        struct hash instance;
        char url[ADDRESS_URL_MAX + 1];
        bool paired;
        bool bare;      // nothing but its keys is known, as the store is being repaired
        bool giving;    // it lost its store, and we give it back what was in it
        bool restoring; // it gives us back what we lost
        bool restored;  // that is over and about to be noted
    } own;
    OWNER // the loop's thread
};

// The endpoint of a peer is stored after pairing. invited: we accepted its invitation, so it may still be storing ours.
void peers_stored(struct peers *p, struct local *l, const struct public_key *instance_key, bool invited);

// peers_locals.c: our identities; the routes know each from its begin on.
void peers_begin_local(struct peers *p, struct local *l, const struct identity *self);
void peers_end_locals(struct peers *p);                                           // after the routes
struct local *peers_local(struct peers *p, const struct conn_identity *identity); // it is one
// The one whose person id begins so. NULL: NOT-FOUND, AMBIGUOUS-ID.
struct local *peers_local_named(struct peers *p, struct span text, struct error *e);

// dials.c: attempts of routes.
struct routes_host dialling_host(struct peers *p);
void dialling_due(void *ctx);                                          // the routes' timer; ctx is the peers
struct dialling *dialling_with(struct peers *p, const struct conn *c); // NULL if none
void dialling_forget(struct dialling *d);
void dialling_stop(struct peers *p);

// New contacts may be made. While the own nodes have not met they may, whatever the settings say.
bool peers_may_pair(const struct peers *p);
// The person of the other own node; the routes with it lead to that node only.
bool peers_names_own(const struct peers *p, const struct hash *person);
// Person and instance key are those of the other own node.
bool peers_is_own(const struct peers *p, const struct hash *person, const struct public_key *instance_key);
