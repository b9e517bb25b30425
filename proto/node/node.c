// What the parts of a node ask of it. How it comes and goes is in provision.c, node_close.c and node_main.c.
#include "node/node.h"

#include <stdlib.h>

#include "ipc/events.h"
#include "node/node_internal.h"

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

const struct actors *node_actors(const struct node *n)
{
    return &n->hooks.actors;
}

struct peers *node_peers(struct node *n)
{
    OWNER_ASSERT(n);
    return n->peers;
}

struct uploads *node_uploads(struct node *n)
{
    return n->uploads;
}

struct streams *node_streams(struct node *n)
{
    return n->streams;
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
