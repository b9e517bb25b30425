#include "node/node.h"
#include "ipc/events.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn/routes.h"
#include "node/blobs.h"
#include "node/face.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/onedb.h"
#include "node/peers.h"
#include "node/scrub.h"
#include "wall/wall.h"

enum { BIG = 128 * 1024 };                                  // bytes
enum { POOL_THREADS = 2, NAME_THREADS = ROUTES_DIALS + 8 }; // names of contacts, and those the user gave

struct loop *node_loop(struct node *n)
{
    return n->loop;
}

struct pool *node_names(struct node *n)
{
    return n->names;
}

struct ipc_service *node_service(struct node *n)
{
    return n->service;
}

void node_tell(struct node *n, const char *event, json_t *data)
{
    OWNER_ASSERT(n);
    ipc_event_log(event, data);
    if (n->channel != NULL)
        ipc_channel_tell(n->channel, event, data);
    else
        json_decref(data);
}

void *node_keep(struct node *n, size_t size)
{
    struct node_memory *k = mem_alloc(sizeof *k + sizeof(max_align_t) + size);
    k->next = n->memory;
    n->memory = k;
    uintptr_t behind = (uintptr_t)(k + 1);
    return (void *)((behind + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t));
}

char *node_path(const struct node *n, const char *name)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", n->child.dir, name);
    char *text = mem_text(buf_span(&path));
    buf_free(&path);
    return text;
}

struct store_queue *node_queue(struct node *n)
{
    OWNER_ASSERT(n);
    return n->queue;
}

const struct identity *node_self(const struct node *n)
{
    return n->self;
}

const struct identity *node_further(struct node *n, size_t index)
{
    OWNER_ASSERT(n);
    size_t count = 0;
    while (n->further != NULL && n->further[count] != NULL)
        count++;
    return index < count ? n->further[index] : NULL;
}

const struct actors *node_actors(const struct node *n)
{
    return &n->hooks.actors;
}

struct newcomer {
    struct node *node;
    const struct identity *identity;
};

static enum status meet_work(struct store *s, void *arg, struct error *e)
{
    const struct newcomer *c = arg;
    (void)s, (void)e;
    actors_add(&c->node->hooks.actors, c->identity);
    return STATUS_OK;
}

static void meet_done(void *arg, enum status status, const struct error *e)
{
    (void)status, (void)e;
    free(arg);
}

// Before anything can come for it.
static void let_act(struct node *n, const struct identity *further)
{
    struct newcomer *c = mem_alloc(sizeof *c);
    *c = (struct newcomer){.node = n, .identity = further};
    store_submit(n->queue, meet_work, meet_done, c);
}

void node_add_identity(struct node *n, struct identity *further)
{
    size_t count = 0;
    for (const struct identity *i; (i = node_further(n, count)) != NULL; count++) {
        if (hash_eq(&i->person, &further->person)) { // it was added twice
            identity_destroy(further);
            return;
        }
    }
    n->further = mem_resize(n->further, (count + 2) * sizeof(struct identity *));
    n->further[count] = further;
    n->further[count + 1] = NULL;
    let_act(n, further);
    peers_add_identity(n->peers, further);
    if (n->kind->meet != NULL)
        n->kind->meet(n->kind_state, further);
}

struct peers *node_peers(struct node *n)
{
    OWNER_ASSERT(n);
    return n->peers;
}

struct blobs *node_blobs(struct node *n)
{
    return n->blobs;
}

const struct node_kind *node_kind(const struct node *n)
{
    return n->kind;
}

const char *node_url(const struct node *n)
{
    return n->reachable;
}

bool node_is_shut(const struct node *n)
{
    return n->shut;
}

const char *node_own_url(const struct node *n)
{
    return n->url;
}

const char *node_ca_file(const struct node *n)
{
    return n->child.ca_file;
}

const json_t *node_config(const struct node *n)
{
    return n->config;
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
    if (n->queue != NULL)
        store_queue_destroy(n->queue); // waits for what was submitted; the uploads below belong to its thread
    n->queue = NULL;
    mailbox_drain(loop_mailbox(n->loop));
    face_release(n);
    deliveries_destroy(n->deliveries);
    n->deliveries = NULL;
    sweeper_destroy(n->sweeper);
    n->sweeper = NULL;
    followers_destroy(n->followers);
    n->followers = NULL;
    works_destroy(n->works);
    n->works = NULL;
    peers_destroy(n->peers);
    n->peers = NULL;
    blobs_destroy(n->blobs);
    n->blobs = NULL;
    keychain_close(n->keychain);
    n->keychain = NULL;
    for (size_t i = 0; n->further != NULL && n->further[i] != NULL; i++)
        identity_destroy(n->further[i]);
    free(n->further);
    n->further = NULL;
    actors_free(&n->hooks.actors);
    identity_destroy(n->self);
    n->self = NULL;
    recipes_destroy(n->recipes);
    n->recipes = NULL;
    json_decref(n->config);
    n->config = NULL;
}

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
        st = ipc_child_guard(n->child.parent, e);
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
    node_methods_add(n, NODE_METHODS_SHARE);
    node_methods_add(n, NODE_METHODS_TOPICS);
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
