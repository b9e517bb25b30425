// What peers.c, pairings.c and syncs.c share. Others use peers.h.
#pragma once

#include "conn/conn.h"
#include "conn/routes.h"
#include "models/contact.h"
#include "net/ws_client.h"
#include "node/pairings.h"
#include "node/peers.h"
#include "node/syncs.h"

struct connection { // a connection, from its first byte to its end
    struct connection *next;
    struct conn *conn;
    int64_t opened_ms;
    uint64_t state_since; // monotonic
};

struct dialling { // a route's attempt before its connection is assigned
    struct dialling *next;
    struct peers *peers;
    uint64_t attempt;
    const struct conn_identity *local;
    struct public_key remote;
    struct ws_connect *connect; // until the socket is open
    struct conn *conn;          // from then on
};

struct peers {
    struct node *node;
    struct recipes *recipes; // the core's, for the loop
    struct conn_identity identity;
    struct conn_host host;
    struct routes_host routes_host;
    struct ws_client *client;
    struct routes *routes;
    struct loop_timer *routes_timer;
    struct pairings *pairings;
    struct syncs *syncs;
    struct connection *connections;
    struct dialling *diallings;
    bool strangers; // unknown keys may come in, to pair
    bool closing;
    bool refreshing;
    bool refresh_again;

    struct hash_map *endpoints; // instance key → endpoint as learned by routes
    struct own_node {           // the other own node; person zero = not told yet
        struct hash person;
        struct hash instance;
        char url[320];
        struct public_key instance_key; // known once paired
        bool paired;
    } own;
};

// A pairing ended well: the endpoint is stored and refreshed; initiated as the invited side.
void peers_paired(struct peers *p, const struct hash *person, const struct hash *instance, bool initiated);
bool peers_is_own(const struct peers *p, const struct hash *person);
