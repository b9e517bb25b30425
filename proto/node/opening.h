// A node that is being opened: what node.provision asked for, and what came into being.
#pragma once

#include "node/node_internal.h"
#include "node/peers.h"

struct opening {
    struct node *node;
    struct ipc_request *request;
    struct secret key;
    bool create;
    bool aside;  // with create: what lies there is put aside
    bool repair; // the database is made anew from what is left
    bool ailing; // something is missing that a node needs to be whole
    char *store_dir;
    char *private_dir;
    void *kind_state;
    struct node_door door;
    struct recipes *recipes;
    struct store *store;
    struct keychain *keychain;
    struct identity *self;
    struct identity **further;
    size_t further_count;
    struct store_report report;
    char note[200];           // what had to be repaired; empty if nothing
    struct own_peer own_peer; // if it was told before
    bool created;
    char *keys_copy;  // of the node's keys, for a store that is made anew; NULL = none
    bool restoring;   // the other own node gives back what was lost
    bool keys_kept;   // a store that is made anew has the keys of the lost one
    char *import_dir; // a storage directory to adopt; NULL = none
    struct secret import_secret;
    json_t *imported; // what came of it
    enum status status;
    struct error error;
};

// On the worker pool, in a transaction: what has to be in the store, done where it is not. m is of the main identity;
// fills ailing, restoring, own_peer and further.
enum status opening_complete(struct opening *o, struct model *m, struct error *e);
