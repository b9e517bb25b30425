// The process around a node: what it gives up first, its loop, the channel to the supervisor, and the one list of all
// control methods that it answers. Nothing below needs this file.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn/routes.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/onedb.h"
#include "node/peers.h"
#include "node/scrub.h"
#include "wall/wall.h"

enum { BIG = 512 * 1024 };                                  // bytes
enum { POOL_THREADS = 2, NAME_THREADS = ROUTES_DIALS + 8 }; // names of contacts, and those the user gave

static void drain_channel(void *ctx)
{
    struct node *n = ctx;
    ipc_channel_drain(n->channel);
}

// The channel is the only Unix socket that a node needs.
static void channel_opened(void *ctx)
{
    struct node *n = ctx;
    struct error e;
    if (wall_give_up(WALL_CONNECTED, &e) == STATUS_OK)
        return;
    LOG(LOG_ERROR, "node.failed", LOG_TEXT("code", e.code), LOG_TEXT("message", e.message));
    loop_stop(n->loop);
}

// The supervisor is gone, however it went: so are we.
static void channel_closed(void *ctx)
{
    struct node *n = ctx;
    LOG(LOG_WARN, "channel.closed");
    loop_stop(n->loop);
}

static enum status prepare(struct node *n, int argc, char **argv, struct error *e)
{
    enum status st = ipc_child_parse(argc, argv, &n->child, e);
    if (st == STATUS_OK)
        st = ipc_child_guard(&n->child, e);
    if (st != STATUS_OK)
        return st;
    log_open(STDERR_FILENO, LOG_FORMAT_JSON, n->child.log_level, n->kind->name);
    crypto_init();
    const struct wall_place places[] = {{WALL_KEEP, n->child.dir}, {WALL_READ, n->child.ca_file}};
    st = wall_enter(n->kind->program, places, sizeof places / sizeof *places, e);
    if (st != STATUS_OK)
        return st;
    n->loop = loop_create(NULL, e);
    if (n->loop == NULL)
        return e->status;
    n->works = node_works_create(n);
    n->pool = pool_create(POOL_THREADS, loop_mailbox(n->loop));
    n->names = pool_create(NAME_THREADS, loop_mailbox(n->loop)); // mostly waiting
    return STATUS_OK;
}

void node_serve(struct node *n)
{
    n->service = ipc_service_create(IPC_NODE);
    node_provision_register(n);
    node_stop_register(n);
    node_status_register(n);
    node_reseal_register(n);
    node_snapshots_register(n);
    node_watch_register(n);
    node_inventory_register(n);
    node_methods_add(n, NODE_METHODS_OBJECTS);
    node_methods_add(n, NODE_METHODS_BLOBS);
    node_methods_add(n, NODE_METHODS_CHAT);
    node_methods_add(n, NODE_METHODS_CHANNELS);
    node_methods_add(n, NODE_METHODS_IDENTITIES);
    node_methods_add(n, NODE_METHODS_PEOPLE);
    node_methods_add(n, NODE_METHODS_CONTACTS);
    node_methods_add(n, NODE_METHODS_DELETION);
    node_methods_add(n, NODE_METHODS_SETTINGS);
    node_methods_add(n, NODE_METHODS_ROOM);
    node_methods_add(n, NODE_METHODS_SHARE);
    node_methods_add(n, NODE_METHODS_TOPICS);
    node_methods_add(n, NODE_METHODS_TOPICS_CHANGE);
    node_methods_add(n, NODE_METHODS_TRUST);
    peers_register(n);
    followers_register(n);
    node_outbox_register(n);
    node_onedb_register(n);
    scrub_register(n);
}

static enum status connect_channel(struct node *n, struct error *e)
{
    struct ipc_channel_events events = {.opened = channel_opened, .closed = channel_closed, .ctx = n};
    n->channel = ipc_channel_dial(n->child.channel, n->service, events, e);
    if (n->channel == NULL)
        return e->status;
    n->channel_fd = loop_adopt_fd(n->loop, ipc_channel_fd(n->channel), drain_channel, n, e);
    return n->channel_fd != NULL ? STATUS_OK : e->status;
}

void node_destroy(struct node *n)
{
    if (n->loop != NULL)
        node_close(n);
    loop_drop_fd(n->channel_fd);
    if (n->channel != NULL)
        ipc_channel_destroy(n->channel);
    pool_destroy(n->pool);
    pool_destroy(n->names);
    if (n->loop != NULL) {
        mailbox_drain(loop_mailbox(n->loop)); // what the pool had to say last, an opening among it
        loop_destroy(n->loop);
    }
    if (n->service != NULL)
        ipc_service_destroy(n->service);
    for (struct node_memory *k = n->memory; k != NULL;) {
        struct node_memory *next = k->next;
        free(k);
        k = next;
    }
    free(n);
}

// Started through a descriptor, the kernel knows no name.
static void name_process(const char *path)
{
    const char *slash = strrchr(path, '/');
    prctl(PR_SET_NAME, slash != NULL ? slash + 1 : path, 0, 0, 0);
}

// What a big piece of work took goes back to the system with its end; glibc would keep ever more for the next one.
// Below BIG are the pieces of files and batches, which come one after the other: giving each back took half of the
// time.
static void keep_little(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, BIG);
    mallopt(M_TRIM_THRESHOLD, BIG);
#endif
}

int node_main(const struct node_kind *kind, int argc, char **argv)
{
    struct error e = {0};
    struct node *n = mem_alloc(sizeof *n);
    n->kind = kind;
    n->started = clock_monotonic_ms();
    name_process(argv[0]);
    keep_little();
    umask(S_IRWXG | S_IRWXO); // whatever the libraries create is the user's alone
    enum status st = prepare(n, argc, argv, &e);
    if (st == STATUS_OK)
        node_serve(n);
    if (st == STATUS_OK)
        st = connect_channel(n, &e);
    if (st == STATUS_OK) {
        LOG(LOG_INFO, "node.started", LOG_TEXT("dir", n->child.dir));
        loop_run(n->loop);
        LOG(LOG_INFO, "node.stopping");
    } else {
        LOG(LOG_ERROR, "node.failed", LOG_TEXT("code", e.code), LOG_TEXT("message", e.message));
    }
    node_destroy(n);
    return st == STATUS_OK ? 0 : 1;
}
