// A node process: one loop, one store, one identity, its peers, and the control methods that reach all of it.
//
//   unprovisioned ──node.provision──► running ──node.stop──► gone
//
// What makes an archive an archive and a sparse node sparse is a struct node_kind, given by their main programs.
// Everything here belongs to the loop thread unless it says otherwise.
#pragma once

#include <jansson.h>

#include "base/address.h"
#include "base/pool.h"
#include "ipc/channel.h"
#include "models/identity.h"
#include "net/loop.h"
#include "store/queue.h"
#include "wall/wall.h"

struct node;
struct peers;   // node/peers.h
struct streams; // node/streams.h
struct uploads; // node/uploads.h

struct node_door {                  // where a node is reached; empty = nowhere
    char url[ADDRESS_URL_MAX + 1];  // where it listens
    char told[ADDRESS_URL_MAX + 1]; // what others are told: the same, or where it listens when it is not shut
    bool shut;                      // url is for the other own node alone
};

struct node_kind {
    const char *name; // "archive", "sparse"
    enum store_kind store;
    enum wall_program program;
    // Called on provisioning before anything is stored: opens listeners. r is node.provision. Code
    // PORT-TAKEN and what else keeps a listener from opening.
    enum status (*open)(struct node *n, const struct ipc_request *r, void **state, struct node_door *door,
                        struct error *e);
    void (*start)(struct node *n, void *state);                // running: identity and peers exist now
    void (*meet)(void *state, const struct identity *further); // others can meet this one too; may be NULL
    void (*close)(void *state);                                // stops listening; NULL-safe
    json_t *(*listeners)(void *state);                         // for node.status: [{type,url,state}]
    void (*metrics)(void *state, json_t *items);               // appends to those of the node; may be NULL
};

// The whole life of the process; returns its exit status.
int node_main(const struct node_kind *kind, int argc, char **argv);

struct loop *node_loop(struct node *n);
struct pool *node_names(struct node *n); // for looking up names
struct ipc_service *node_service(struct node *n);
void node_tell(struct node *n, const char *event, json_t *data); // takes data over
void *node_keep(struct node *n, size_t size);                    // memory that lives as long as the node

struct store_queue *node_queue(struct node *n);         // NULL until provisioned
const struct identity *node_self(const struct node *n); // NULL until provisioned; read by any thread
const struct actors *node_actors(const struct node *n); // the main and further identities, as the store thread has them
void node_add_identity(struct node *n, struct identity *further); // takes it over; others can meet it from now on
struct peers *node_peers(struct node *n);                         // NULL until provisioned
struct uploads *node_uploads(struct node *n);                     // any thread
struct streams *node_streams(struct node *n);                     // any thread
const struct node_kind *node_kind(const struct node *n);
const char *node_url(const struct node *n);      // where others dial us; empty if nobody ever can
bool node_is_shut(const struct node *n);         // for now they cannot, whatever node_url says
const char *node_own_url(const struct node *n);  // where the other own node dials us; empty if it cannot
const char *node_ca_file(const struct node *n);  // further certificate authorities; NULL = none
const json_t *node_config(const struct node *n); // the keys of tandem.conf given with node.provision; an object
