// The two nodes are followed backwards, deepest first, until there is one node left to go on from: that both have in
// common, and nothing behind it is loaded. Meeting one of the two on the way means that it contains the other.
#include "data/graph.h"

#include <stdlib.h>
#include <string.h>

#include "data/depths.h"

enum { GRAPH_MAX_NODES = 4 << 20 };

struct builder {
    const struct version_source *source;
    struct arena *arena;
    struct arena *scratch;
    struct hash_map *known; // hash -> graph_node
    struct depths queue;
    bool empty_queued; // the empty node leaves last, so it needs no place in the heap
    struct graph_nodes list;
    struct hash first;
    struct hash second;
};

static void graph_nodes_add(struct graph_nodes *l, struct graph_node *n)
{
    if (l->count == l->cap) {
        l->cap = l->cap != 0 ? 2 * l->cap : 16;
        l->items = mem_resize(l->items, l->cap * sizeof(struct graph_node *));
    }
    l->items[l->count++] = n;
}

static void queue_push(struct builder *b, struct graph_node *n)
{
    n->queued = true;
    depths_push(&b->queue, n, n->depth);
}

static enum status load(struct builder *b, const struct hash *hash, struct graph_node **out, struct error *e)
{
    *out = hash_map_get(b->known, hash);
    if (*out != NULL)
        return STATUS_OK;
    if (hash_map_count(b->known) >= GRAPH_MAX_NODES)
        return error_set(e, STATUS_TOO_BIG, "VERSION-GRAPH", "the history has too many versions to be merged");
    arena_reset(b->scratch);
    struct versionnode n;
    enum status status = versionnode_read(b->source, hash, b->scratch, &n, e);
    if (status != STATUS_OK)
        return status;
    struct graph_node *node = arena_alloc(b->arena, sizeof *node);
    struct hash *links = arena_alloc(b->arena, n.before_count * sizeof *links);
    if (n.before_count != 0)
        memcpy(links, n.before, n.before_count * sizeof *links);
    *node = (struct graph_node){.kind = n.kind,
                                .hash = n.hash,
                                .data = n.data,
                                .depth = n.depth,
                                .creation_time = n.creation_time,
                                .links = links,
                                .link_count = n.before_count};
    hash_map_set(b->known, hash, node);
    *out = node;
    return STATUS_OK;
}

static enum status follow(struct builder *b, struct graph_node *n, const struct hash *before, struct error *e)
{
    struct graph_node *p;
    enum status status = load(b, before, &p, e);
    if (status != STATUS_OK)
        return status;
    if (!(p->depth < n->depth))
        return error_set(e, STATUS_CORRUPT, "VERSION-GRAPH", "version node %s is not deeper than the one before it",
                         hash_text(&n->hash).s);
    n->before[n->before_count++] = p;
    if (!p->queued)
        queue_push(b, p);
    return STATUS_OK;
}

// Moves a node from the queue to the list and queues what lies before it. Sets *ancestor when that is one of the two
// nodes the graph is built for.
static enum status expand(struct builder *b, struct graph_node *n, const struct hash **ancestor, struct error *e)
{
    graph_nodes_add(&b->list, n);
    if (n->kind == VERSIONNODE_CHANGE && n->link_count == 0)
        return error_set(e, STATUS_CORRUPT, "VERSION-GRAPH", "change node %s has no node before it",
                         hash_text(&n->hash).s);
    b->empty_queued |= n->link_count == 0;
    n->before = arena_alloc(b->arena, n->link_count * sizeof(struct graph_node *));
    for (size_t i = 0; i < n->link_count; i++) {
        if (hash_eq(&n->links[i], &b->first) || hash_eq(&n->links[i], &b->second)) {
            *ancestor = &n->links[i];
            return STATUS_OK;
        }
        enum status status = follow(b, n, &n->links[i], e);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status build(struct builder *b, struct graph_view *out, const struct hash **ancestor, struct error *e)
{
    enum status status = load(b, &b->first, &out->first, e);
    if (status == STATUS_OK)
        status = load(b, &b->second, &out->second, e);
    if (status != STATUS_OK)
        return status;
    queue_push(b, out->first);
    queue_push(b, out->second);
    while (b->queue.count + b->empty_queued > 1) {
        status = expand(b, depths_pop(&b->queue), ancestor, e);
        if (status != STATUS_OK || *ancestor != NULL)
            return status;
    }
    if (!b->empty_queued) {
        out->common = depths_pop(&b->queue);
        graph_nodes_add(&b->list, out->common);
    }
    return STATUS_OK;
}

static struct graph *finish(struct builder *b)
{
    struct graph *g = arena_alloc(b->arena, sizeof *g);
    g->count = b->list.count;
    g->nodes = arena_alloc(b->arena, g->count * sizeof(struct graph_node *));
    memcpy(g->nodes, b->list.items, g->count * sizeof(struct graph_node *));
    for (size_t i = 0; i < g->count; i++)
        g->nodes[i]->index = i;
    return g;
}

enum status graph_build(const struct version_source *s, struct arena *a, const struct hash *first,
                        const struct hash *second, struct graph_view *out, bool *contained, struct hash *current,
                        struct error *e)
{
    *contained = hash_eq(first, second);
    if (*contained) {
        *current = *first;
        return STATUS_OK;
    }
    struct builder b = {.source = s, .arena = a, .first = *first, .second = *second};
    b.scratch = arena_create();
    b.known = hash_map_create();
    *out = (struct graph_view){0};
    const struct hash *ancestor = NULL;
    enum status status = build(&b, out, &ancestor, e);
    if (status == STATUS_OK && ancestor != NULL) {
        *contained = true;
        *current = hash_eq(ancestor, first) ? *second : *first;
    } else if (status == STATUS_OK) {
        out->graph = finish(&b);
    }
    free(b.list.items);
    depths_free(&b.queue);
    hash_map_destroy(b.known);
    arena_destroy(b.scratch);
    return status;
}

bool graph_has(const struct graph_view *v, const struct graph_node *n)
{
    return v->member == NULL || v->member[n->index] != 0;
}

static bool follows_member(const struct graph_node *n, const uint8_t *member)
{
    for (size_t i = 0; i < n->before_count; i++) {
        if (member[n->before[i]->index] != 0)
            return true;
    }
    return false;
}

void graph_reduce(const struct graph_view *v, const struct graph_nodes *nodes, struct graph_view *out)
{
    const struct graph *g = v->graph;
    *out = (struct graph_view){.graph = v->graph, .member = mem_alloc(g->count)};
    for (size_t i = 0; i < nodes->count; i++)
        out->member[nodes->items[i]->index] = 1;
    size_t sources = 0;
    for (size_t i = g->count; i-- > 0;) {
        const struct graph_node *n = g->nodes[i];
        bool follows = follows_member(n, out->member);
        if (!graph_has(v, n) || (!follows && out->member[i] == 0))
            continue;
        out->member[i] = 1;
        sources += !follows;
        if (!follows)
            out->common = g->nodes[i];
    }
    if (sources > 1)
        out->common = NULL;
    out->first = graph_has(out, v->first) ? v->first : v->second;
    out->second = graph_has(out, v->second) ? v->second : v->first;
}

void graph_view_release(struct graph_view *v)
{
    free(v->member);
    v->member = NULL;
}

void graph_nearest(const struct graph_view *v, struct graph_node *n, graph_test test, const void *arg,
                   struct graph_nodes *out)
{
    size_t search = ++v->graph->searches;
    struct graph_nodes open = {0};
    graph_nodes_add(&open, n);
    while (open.count > 0) {
        n = open.items[--open.count];
        if (n->mark == search || !graph_has(v, n))
            continue;
        n->mark = search;
        if (test(n, arg)) {
            graph_nodes_add(out, n);
            continue;
        }
        for (size_t i = n->before_count; i-- > 0;)
            graph_nodes_add(&open, n->before[i]);
    }
    free(open.items);
}

bool graph_is_later(const struct graph_node *a, const struct graph_node *b)
{
    if (a->creation_time > b->creation_time)
        return true;
    return !(a->creation_time < b->creation_time) && hash_compare(&a->hash, &b->hash) > 0;
}
