// The end of all that provisioning began, in the one order in which nothing is asked after it is gone: who brings work
// first, then the store's thread with what still waits for it, then what that work used.
#include <stdlib.h>

#include "node/face.h"
#include "node/node_internal.h"
#include "node/peers.h"
#include "node/scrub.h"

// Who the node was, once nothing acts as it any more.
static void forget_selves(struct node *n)
{
    for (size_t i = 0; n->further != NULL && n->further[i] != NULL; i++)
        identity_destroy(n->further[i]);
    free(n->further);
    n->further = NULL;
    actors_free(&n->hooks.actors);
    identity_destroy(n->self);
    n->self = NULL;
}

static void forget_files(struct node *n)
{
    streams_destroy(n->streams);
    n->streams = NULL;
    uploads_destroy(n->uploads);
    n->uploads = NULL;
}

void node_close(struct node *n)
{
    OWNER_ASSERT(n);
    n->closing = true;
    atomic_store(&n->leaving, true);
    atomic_store(&n->snapshot_unwanted, true);
    scrub_stop(n);
    if (n->kind_state != NULL)
        n->kind->close(n->kind_state);
    n->kind_state = NULL;
    peers_close(n->peers);
    streams_stop(n->streams);
    if (n->queue != NULL)
        store_queue_destroy(n->queue); // waits for what was submitted; the uploads below are for its thread
    n->queue = NULL;
    mailbox_drain(loop_mailbox(n->loop));
    face_release(n);
    fetches_destroy(n->fetches);
    n->fetches = NULL;
    deliveries_destroy(n->deliveries);
    n->deliveries = NULL;
    room_destroy(n->room);
    n->room = NULL;
    sweeper_destroy(n->sweeper);
    n->sweeper = NULL;
    followers_destroy(n->followers);
    n->followers = NULL;
    works_destroy(n->works);
    n->works = NULL;
    peers_destroy(n->peers);
    n->peers = NULL;
    forget_files(n);
    keychain_close(n->keychain);
    n->keychain = NULL;
    forget_selves(n);
    recipes_destroy(n->recipes);
    n->recipes = NULL;
    json_decref(n->config);
    n->config = NULL;
}

static void stop_now(void *ctx)
{
    struct node *n = ctx;
    node_close(n);
    ipc_request_reply(n->stop_request, NULL);
    loop_stop(n->loop);
}

static void stop(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    if (n->stop_request != NULL) {
        struct error e;
        error_set(&e, STATUS_CONFLICT, "BUSY", "the node is stopping");
        ipc_request_fail(r, &e);
        return;
    }
    n->stop_request = r;
    if (n->peers != NULL)
        peers_wind_up(n->peers, stop_now, n);
    else
        stop_now(n);
}

void node_stop_register(struct node *n)
{
    ipc_service_on(n->service, "node.stop", stop, n);
}
