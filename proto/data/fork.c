// Both histories are walked together, deepest nodes first, each node marked with the sides that it lies behind.
// Versions are compared by data and time, not by nodes: the same version may have been given several.
#include "data/fork.h"

#include <stdlib.h>
#include <string.h>

#include "data/depths.h"

enum { BASES_MAX = 32 };

enum { OURS = 1, THEIRS = 2, BOTH = OURS | THEIRS };

struct node {
    struct versionnode v;
    unsigned behind; // which of the two
    bool met;
    bool waiting;  // in the queue
    bool branches; // what follows it is not common
    bool is_base;
    double joined; // roots: depth of the deepest merge that took it in
    struct hash joined_by;
    struct hash beside; // data of what that merge joined it with
};

struct forking {
    const struct version_source *source;
    struct arena *arena;
    struct arena *scratch;
    struct hash_map *known; // hash -> node
    struct node **nodes;    // the same
    size_t count;
    size_t cap;
    size_t max; // nodes
    struct depths queue;
    size_t one_sided; // in the queue
    struct fork *out;
};

// ---- Walking --------------------------------------------------------------------------------------------------------

static struct node *add_node(struct forking *f, const struct versionnode *v)
{
    if (f->count == f->cap) {
        f->cap = f->cap != 0 ? 2 * f->cap : 16;
        f->nodes = mem_resize(f->nodes, f->cap * sizeof(struct node *));
    }
    struct node *n = arena_alloc(f->arena, sizeof *n);
    struct hash *before = arena_alloc(f->arena, (v->before_count + 1) * sizeof *before);
    for (size_t i = 0; i < v->before_count; i++)
        before[i] = v->before[i];
    n->v = *v;
    n->v.before = before;
    f->nodes[f->count++] = n;
    hash_map_set(f->known, &v->hash, n);
    return n;
}

static enum status load(struct forking *f, const struct hash *hash, struct node **out, struct error *e)
{
    struct versionnode v;
    *out = hash_map_get(f->known, hash);
    if (*out != NULL)
        return STATUS_OK;
    if (f->count >= f->max)
        return error_set(e, STATUS_TOO_BIG, "VERSION-GRAPH", "the history has too many versions");
    arena_reset(f->scratch);
    enum status status = versionnode_read(f->source, hash, f->scratch, &v, e);
    if (status == STATUS_OK)
        *out = add_node(f, &v);
    return status;
}

static void reach(struct forking *f, struct node *n, unsigned behind)
{
    bool was_one_sided = n->waiting && n->behind != BOTH;
    n->behind |= behind;
    if (!n->met && n->v.before_count != 0) { // behind a root there is nothing to go to
        depths_push(&f->queue, n, n->v.depth);
        n->waiting = true;
    }
    n->met = true;
    f->one_sided -= was_one_sided;
    f->one_sided += n->waiting && n->behind != BOTH;
}

static void note_joined(struct node *root, const struct versionnode *merge, const struct node *beside)
{
    bool first = root->joined < merge->depth;
    bool better = !(merge->depth < root->joined) && hash_compare(&merge->hash, &root->joined_by) > 0;
    if (!first && !better)
        return;
    root->joined = merge->depth;
    root->joined_by = merge->hash;
    root->beside = beside->v.data;
}

// Each root that a merge took in was joined with the deepest of the others.
static void note_roots(const struct forking *f, const struct versionnode *merge)
{
    const struct node *best = NULL;
    const struct node *second = NULL;
    for (size_t i = 0; i < merge->before_count; i++) { // they are sorted by hash
        const struct node *n = hash_map_get(f->known, &merge->before[i]);
        bool is_best = best == NULL || n->v.depth > best->v.depth;
        if (is_best || second == NULL || n->v.depth > second->v.depth)
            second = is_best ? best : n;
        best = is_best ? n : best;
    }
    for (size_t i = 0; i < merge->before_count; i++) {
        struct node *n = hash_map_get(f->known, &merge->before[i]);
        const struct node *beside = n != best ? best : second;
        if (beside != NULL && n->v.before_count == 0)
            note_joined(n, merge, beside);
    }
}

static enum status expand(struct forking *f, struct node *n, struct error *e)
{
    struct node *p;
    for (size_t i = 0; i < n->v.before_count; i++) {
        enum status status = load(f, &n->v.before[i], &p, e);
        if (status != STATUS_OK)
            return status;
        if (!(p->v.depth < n->v.depth))
            return error_set(e, STATUS_CORRUPT, "VERSION-GRAPH", "version node %s is not deeper than the one before it",
                             hash_text(&n->v.hash).s);
        p->branches |= n->behind != BOTH;
        reach(f, p, n->behind);
    }
    if (n->v.kind == VERSIONNODE_MERGE)
        note_roots(f, &n->v);
    return STATUS_OK;
}

static enum status walk(struct forking *f, struct error *e)
{
    enum status status = STATUS_OK;
    while (f->one_sided != 0 && status == STATUS_OK) {
        struct node *n = depths_pop(&f->queue);
        n->waiting = false;
        f->one_sided -= n->behind != BOTH;
        status = expand(f, n, e);
    }
    return status;
}

// ---- What is the same version ---------------------------------------------------------------------------------------

static struct hash key_of(const struct versionnode *n)
{
    struct hash key = n->data;
    uint8_t time[sizeof n->creation_time];
    memcpy(time, &n->creation_time, sizeof time);
    for (size_t i = 0; i < sizeof time; i++)
        key.b[i] = (uint8_t)(key.b[i] ^ time[i]);
    return key;
}

static int deepest_first(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a;
    const struct node *y = *(struct node *const *)b;
    if (x->v.depth < y->v.depth || x->v.depth > y->v.depth)
        return x->v.depth < y->v.depth ? 1 : -1;
    return hash_compare(&y->v.hash, &x->v.hash);
}

// Everything behind a version that the other side has is known there.
static void spread(struct forking *f, struct hash_map *const keys[2])
{
    for (size_t i = 0; i < f->count; i++) {
        struct node *n = f->nodes[i];
        struct hash key = key_of(&n->v);
        for (unsigned side = 0; side < 2 && n->v.kind != VERSIONNODE_MERGE; side++)
            if (hash_map_has(keys[side], &key))
                n->behind |= (unsigned)OURS << side;
        for (size_t k = 0; k < n->v.before_count; k++) {
            struct node *p = hash_map_get(f->known, &n->v.before[k]);
            if (p != NULL)
                p->behind |= n->behind;
        }
    }
}

static void find_same(struct forking *f)
{
    struct hash_map *keys[2] = {hash_map_create(), hash_map_create()};
    for (size_t i = 0; i < f->count; i++) {
        const struct node *n = f->nodes[i];
        struct hash key = key_of(&n->v);
        for (unsigned side = 0; side < 2 && n->v.kind != VERSIONNODE_MERGE; side++)
            if ((n->behind & ((unsigned)OURS << side)) != 0)
                hash_map_add(keys[side], &key);
    }
    if (f->count != 0)
        qsort(f->nodes, f->count, sizeof *f->nodes, deepest_first);
    spread(f, keys);
    hash_map_destroy(keys[0]);
    hash_map_destroy(keys[1]);
}

// ---- Versions -------------------------------------------------------------------------------------------------------

static struct hash data_before(struct forking *f, const struct node *n)
{
    struct versionnode v;
    const struct node *p = hash_map_get(f->known, &n->v.before[0]);
    if (p != NULL)
        return p->v.data;
    arena_reset(f->scratch);
    bool found = versionnode_read(f->source, &n->v.before[0], f->scratch, &v, NULL) == STATUS_OK;
    return found ? v.data : (struct hash){{0}};
}

// Of the nodes that stand for a version, those that know what it was written on top of; then the deepest.
static bool tells_more(const struct fork_version *a, const struct fork_version *b)
{
    if (a->is_root != b->is_root)
        return b->is_root;
    if (a->depth < b->depth || a->depth > b->depth)
        return a->depth > b->depth;
    return hash_compare(&a->before, &b->before) > 0;
}

static void add_version(struct forking *f, struct hash_map *found, const struct node *n)
{
    struct hash key = key_of(&n->v);
    struct fork_version *v = hash_map_get(found, &key);
    bool is_root = n->v.before_count == 0;
    struct fork_version new = {.data = n->v.data, .time = n->v.creation_time, .is_root = is_root};
    new.before = is_root ? n->beside : data_before(f, n);
    new.depth = is_root ? n->joined : n->v.depth;
    new.ours = (n->behind & OURS) != 0 || (v != NULL && v->ours);
    new.theirs = (n->behind & THEIRS) != 0 || (v != NULL && v->theirs);
    if (v == NULL) {
        v = &f->out->versions[f->out->count++];
        *v = new;
        hash_map_set(found, &key, v);
    } else if (tells_more(&new, v)) {
        *v = new;
    } else {
        v->ours = new.ours;
        v->theirs = new.theirs;
    }
}

static int latest_first(const void *a, const void *b)
{
    const struct fork_version *x = a;
    const struct fork_version *y = b;
    if (x->depth < y->depth || x->depth > y->depth)
        return x->depth < y->depth ? 1 : -1;
    if (x->time < y->time || x->time > y->time)
        return x->time < y->time ? 1 : -1;
    return hash_compare(&y->data, &x->data);
}

static void list_versions(struct forking *f)
{
    struct fork *out = f->out;
    struct hash_map *found = hash_map_create();
    out->versions = arena_alloc(f->arena, (f->count + 1) * sizeof *out->versions);
    for (size_t i = 0; i < f->count; i++)
        if (f->nodes[i]->v.kind != VERSIONNODE_MERGE)
            add_version(f, found, f->nodes[i]);
    hash_map_destroy(found);
    if (out->count != 0)
        qsort(out->versions, out->count, sizeof *out->versions, latest_first);
    for (size_t i = 0; i < out->count; i++) {
        out->only_ours += out->versions[i].ours && !out->versions[i].theirs;
        out->only_theirs += out->versions[i].theirs && !out->versions[i].ours;
    }
}

// Where no node is common, the latest version that is.
static void list_bases(struct forking *f)
{
    for (size_t i = 0; i < f->count && f->out->bases.count < BASES_MAX; i++)
        if (f->nodes[i]->is_base && !hash_list_has(&f->out->bases, &f->nodes[i]->v.data))
            hash_list_add(&f->out->bases, &f->nodes[i]->v.data);
    for (size_t i = 0; i < f->out->count && f->out->bases.count == 0; i++)
        if (f->out->versions[i].ours && f->out->versions[i].theirs)
            hash_list_add(&f->out->bases, &f->out->versions[i].data);
}

static void note_bases(struct forking *f, const struct node *ours, const struct node *theirs)
{
    for (size_t i = 0; i < f->count; i++) {
        struct node *n = f->nodes[i];
        n->is_base = (n->branches || n == ours || n == theirs) && n->behind == BOTH;
    }
    f->out->ours_is_behind = ours->behind == BOTH;
    f->out->theirs_is_behind = theirs->behind == BOTH;
}

enum status fork_find(const struct version_source *s, struct arena *a, const struct versionnode *ours,
                      const struct versionnode *theirs, size_t max, struct fork *out, struct error *e)
{
    struct forking f = {.source = s, .arena = a, .max = max, .out = out};
    f.scratch = arena_create();
    f.known = hash_map_create();
    *out = (struct fork){0};
    struct node *one = add_node(&f, ours);
    struct node *two = add_node(&f, theirs);
    reach(&f, one, OURS);
    reach(&f, two, THEIRS);
    enum status status = walk(&f, e);
    if (status == STATUS_OK) {
        note_bases(&f, one, two);
        find_same(&f);
        list_versions(&f);
        list_bases(&f);
    }
    depths_free(&f.queue);
    hash_map_destroy(f.known);
    arena_destroy(f.scratch);
    free(f.nodes);
    return status;
}
