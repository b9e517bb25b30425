// What the files of proto/node share about a node. Others use node.h.
#pragma once

#include <stdatomic.h>

#include "base/address.h"
#include "base/invariant.h"
#include "crypto/keychain.h"
#include "ipc/child.h"
#include "models/hooks.h"
#include "node/deliveries.h"
#include "node/fetches.h"
#include "node/followers.h"
#include "node/node.h"
#include "node/room.h"
#include "node/streams.h"
#include "node/sweeper.h"
#include "node/works.h"

struct node_memory { // of node_keep, in front of what the caller got
    struct node_memory *next;
};

struct node {
    const struct node_kind *kind;
    struct ipc_child child;
    struct loop *loop;
    struct pool *pool;
    struct pool *names; // for looking up names, which peers choose and may be slow: nothing else waits behind them
    struct ipc_service *service;
    struct ipc_channel *channel;
    struct loop_fd *channel_fd;
    struct node_memory *memory;
    uint64_t started;                 // monotonic ms
    struct ipc_request *stop_request; // node.stop; NULL = not asked to

    // From provisioning on:
    bool opening;                  // node.provision is being worked on
    bool closing;                  // nothing is opened any more
    atomic_bool leaving;           // the same, for work on the pool that takes long
    atomic_uint snapshots;         // asked for so far: snapshots.c
    atomic_bool snapshot_unwanted; // the copy that is being made: dropped, or the node stops
    struct recipes *recipes;       // the store's; used on its thread
    struct store_queue *queue;
    struct keychain *keychain; // used on the store thread
    struct identity *self;
    struct identity **further; // NULL-terminated
    struct hooks hooks;
    struct peers *peers;
    struct uploads *uploads;
    struct streams *streams;
    struct followers *followers;
    struct works *works; // from the start
    bool ailing;         // it opened without some of what it needs: when that is here again it has to be restarted
    struct scrub *scrub; // its store is being verified or repaired; NULL: it is not
    struct held *held;   // requests that wait for the other own node: face.c
    size_t held_count;
    struct deliveries *deliveries;
    struct sweeper *sweeper;
    struct fetches *fetches;
    struct room *room;           // of a sparse node
    atomic_uint_least64_t takes; // of a sparse node: bytes up to which files come by themselves
    void *kind_state;
    char url[ADDRESS_URL_MAX + 1];       // where this machine reaches it; empty = nowhere
    char reachable[ADDRESS_URL_MAX + 1]; // where others reach it; node_url
    bool shut;                           // for now only the other own node does
    json_t *config;
    char store_note[200]; // what opening the store had to repair; for node.status
    OWNER                 // the loop's thread
};

void node_provision_register(struct node *n); // node.provision, node.peer: provision.c
void node_status_register(struct node *n);    // node.status: node_status.c
void node_reseal_register(struct node *n);    // node.reseal, node.settle, node.keys: reseal.c
void node_snapshots_register(struct node *n); // node.snapshot, node.snapshot.drop: snapshots.c
void node_inventory_register(struct node *n); // id, storage, endpoints.list: inventory.c
void node_watch_register(struct node *n);     // stats, health and the like: watch.c
void node_outbox_register(struct node *n);    // node.outbox and what goes with it: methods_outbox.c
void node_serve(struct node *n);              // makes the service and registers every method with it
void node_close(struct node *n);              // ends everything that provisioning began
void node_stop_register(struct node *n);      // node.stop
void node_destroy(struct node *n);            // closes and frees all of it

char *node_path(const struct node *n, const char *name); // below the node's own folder; released with free
