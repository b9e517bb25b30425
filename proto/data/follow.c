// Taking in a version together with its history, for objects whose writers are known: whoever writes on top of a
// version has seen it, and replaces it as a whole. So nothing that was removed comes back, and no clock decides who was
// last. The reference forgets the history of what it takes in (DATA-MODEL.md 8.4) and never loses an item (8.8).
#include "data/version.h"

#include <stdlib.h>
#include <string.h>

#include "data/combine.h"
#include "data/versionnode.h"

enum { HISTORY_MAX = 4 << 20, VERSIONS_MAX = 32 };

struct version { // what a root or change node says
    struct hash key;
    struct hash data;
    struct hash before; // the node it was written on top of; zero = none
    double depth;
    double time;
    size_t rank; // among those that only one side has
};

struct versions {
    struct version *items;
    size_t count;
    size_t cap;
};

struct following {
    const struct version_source *source;
    struct arena *arena; // of the nodes and values that stay
    struct versionnode head;
    struct versionnode theirs;
    struct hash id_hash;
    struct versions tips; // what the head stands for
    struct versions mine; // its whole history
    struct versions other;
    struct hash_map *mine_keys;
    struct hash_map *other_keys;
    struct version_result *result;
};

// Data and time together: what a version is in every history that it is part of.
static struct hash key_of(const struct versionnode *n)
{
    struct hash key = n->data;
    uint8_t time[sizeof n->creation_time];
    memcpy(time, &n->creation_time, sizeof time);
    for (size_t i = 0; i < sizeof time; i++)
        key.b[i] = (uint8_t)(key.b[i] ^ time[i]);
    return key;
}

static void add_version(struct versions *v, const struct versionnode *n)
{
    if (v->count == v->cap) {
        v->cap = v->cap != 0 ? 2 * v->cap : 16;
        v->items = mem_resize(v->items, v->cap * sizeof *v->items);
    }
    struct version *new = &v->items[v->count++];
    *new = (struct version){.key = key_of(n), .data = n->data, .depth = n->depth, .time = n->creation_time};
    if (n->before_count != 0)
        new->before = n->before[0];
}

// ---- Walking --------------------------------------------------------------------------------------------------------

// Looks at the versions behind a node, itself included; false ends the walk.
typedef bool (*visitor)(struct following *f, const struct versionnode *n);

static enum status walk(struct following *f, const struct hash *start, bool only_tips, visitor visit, struct error *e)
{
    struct arena *a = arena_create();
    struct hash_map *met = hash_map_create();
    struct hash_list open = {0};
    enum status status = STATUS_OK;
    bool goes_on = true;
    hash_list_add(&open, start);
    while (open.count != 0 && goes_on && status == STATUS_OK) {
        struct versionnode n;
        struct hash hash = open.items[--open.count];
        if (!hash_map_add(met, &hash))
            continue;
        arena_reset(a);
        if (hash_map_count(met) > HISTORY_MAX)
            status = error_set(e, STATUS_TOO_BIG, "VERSION-GRAPH", "the history has too many versions");
        else
            status = versionnode_read(f->source, &hash, a, &n, e);
        if (status != STATUS_OK)
            break;
        if (n.kind != VERSIONNODE_MERGE)
            goes_on = visit(f, &n);
        for (size_t i = 0; i < n.before_count && !(only_tips && n.kind != VERSIONNODE_MERGE); i++)
            hash_list_add(&open, &n.before[i]);
    }
    hash_list_free(&open);
    hash_map_destroy(met);
    arena_destroy(a);
    return status;
}

static bool note_tip(struct following *f, const struct versionnode *n)
{
    add_version(&f->tips, n);
    return true;
}

static bool note_mine(struct following *f, const struct versionnode *n)
{
    struct hash key = key_of(n);
    hash_map_add(f->mine_keys, &key);
    add_version(&f->mine, n);
    return true;
}

static bool has_all_tips(const struct following *f)
{
    for (size_t i = 0; i < f->tips.count; i++)
        if (!hash_map_has(f->other_keys, &f->tips.items[i].key))
            return false;
    return true;
}

static bool note_other(struct following *f, const struct versionnode *n)
{
    struct hash key = key_of(n);
    hash_map_add(f->other_keys, &key);
    add_version(&f->other, n);
    bool is_tip = false;
    for (size_t i = 0; i < f->tips.count && !is_tip; i++)
        is_tip = hash_eq(&f->tips.items[i].key, &key);
    return !is_tip || !has_all_tips(f); // the rest of the history lies behind ours
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

static enum status keep_head(struct following *f)
{
    *f->result = (struct version_result){.hash = f->head.data, .id_hash = f->id_hash, .node = f->head.hash};
    return STATUS_OK;
}

static enum status move_head(struct following *f, const struct versionnode *n, struct error *e)
{
    const struct version_source *s = f->source;
    *f->result = (struct version_result){.hash = n->data, .id_hash = f->id_hash, .node = n->hash, .changed = true};
    return s->set_head(s->ctx, &f->id_hash, &n->hash, e);
}

static enum status add_merge(struct following *f, const struct hash *data, struct error *e)
{
    struct hash nodes[] = {f->head.hash, f->theirs.hash};
    struct versionnode merge = {.kind = VERSIONNODE_MERGE, .data = *data, .before = nodes, .before_count = 2};
    merge.depth = (f->head.depth > f->theirs.depth ? f->head.depth : f->theirs.depth) + 1;
    merge.creation_time =
        f->head.creation_time > f->theirs.creation_time ? f->head.creation_time : f->theirs.creation_time;
    enum status status = versionnode_write(f->source, &merge, e);
    return status == STATUS_OK ? move_head(f, &merge, e) : status;
}

// Histories only grow: where ours claims to be longer, the node is joined to it.
static enum status take_whole(struct following *f, struct error *e)
{
    return f->theirs.depth > f->head.depth ? move_head(f, &f->theirs, e) : add_merge(f, &f->theirs.data, e);
}

// ---- Two that wrote independently -----------------------------------------------------------------------------------

static enum status read_value(struct following *f, const struct hash *data, struct value **out, struct error *e)
{
    const struct version_source *s = f->source;
    struct span text;
    struct object o;
    enum status status = s->read(s->ctx, data, f->arena, &text, e);
    if (status == STATUS_OK)
        status = object_read(s->recipes, f->arena, text, MICRODATA_OBJECT, data, &o, e);
    if (status == STATUS_OK)
        *out = o.value;
    return status;
}

static int latest_first(const void *a, const void *b)
{
    const struct version *x = a;
    const struct version *y = b;
    if (x->depth < y->depth || x->depth > y->depth)
        return x->depth < y->depth ? 1 : -1;
    if (x->time < y->time || x->time > y->time)
        return x->time < y->time ? 1 : -1;
    return hash_compare(&y->data, &x->data);
}

static void sort(struct versions *v)
{
    if (v->count != 0)
        qsort(v->items, v->count, sizeof *v->items, latest_first);
}

// The latest versions that both have. One that cannot be read only leaves more standing.
static void find_common(struct following *f, struct combining *c)
{
    const struct value **common = arena_alloc(f->arena, VERSIONS_MAX * sizeof *common);
    c->common = common;
    for (size_t i = 0; i < f->mine.count && c->common_count < VERSIONS_MAX; i++) {
        struct value *value;
        if (hash_map_has(f->other_keys, &f->mine.items[i].key) &&
            read_value(f, &f->mine.items[i].data, &value, NULL) == STATUS_OK)
            common[c->common_count++] = value;
    }
}

static const struct value *value_before(struct following *f, const struct version *v)
{
    struct versionnode n;
    struct value *value;
    bool found = !hash_is_zero(&v->before) &&
                 versionnode_read(f->source, &v->before, f->arena, &n, NULL) == STATUS_OK &&
                 read_value(f, &n.data, &value, NULL) == STATUS_OK;
    return found ? value : NULL;
}

// The latest versions that only one side has.
static struct combine_versions read_versions(struct following *f, const struct versions *from,
                                             const struct hash_map *but)
{
    struct combine_version *items = arena_alloc(f->arena, VERSIONS_MAX * sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < from->count && count < VERSIONS_MAX; i++) {
        const struct version *v = &from->items[i];
        struct value *value;
        if (!hash_map_has(but, &v->key) && read_value(f, &v->data, &value, NULL) == STATUS_OK)
            items[count++] = (struct combine_version){value, value_before(f, v), v->rank};
    }
    return (struct combine_versions){items, count};
}

// Both lists are sorted.
static void rank_versions(struct versions *one, struct versions *two)
{
    size_t rank = one->count + two->count;
    for (size_t i = 0, k = 0; i < one->count || k < two->count; rank--) {
        bool first = k == two->count || (i < one->count && latest_first(&one->items[i], &two->items[k]) <= 0);
        struct version *next = first ? &one->items[i++] : &two->items[k++];
        next->rank = rank;
    }
}

static enum status put_together(struct following *f, struct error *e)
{
    const struct version_source *s = f->source;
    struct combining c = {.arena = f->arena};
    struct value *ours;
    struct value *theirs;
    struct object o;
    enum status status = read_value(f, &f->head.data, &ours, e);
    if (status == STATUS_OK)
        status = read_value(f, &f->theirs.data, &theirs, e);
    if (status != STATUS_OK)
        return status;
    sort(&f->mine);
    sort(&f->other);
    rank_versions(&f->mine, &f->other);
    find_common(f, &c);
    c.mine = read_versions(f, &f->mine, f->other_keys);
    c.other = read_versions(f, &f->other, f->mine_keys);
    status = object_make(s->recipes, f->arena, combine_values(&c, ours, theirs), MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK && hash_eq(&o.hash, &f->theirs.data))
        return take_whole(f, e);
    if (status == STATUS_OK)
        status = s->write(s->ctx, &o, e);
    return status == STATUS_OK ? add_merge(f, &o.hash, e) : status;
}

static enum status join(struct following *f, struct error *e)
{
    enum status status = walk(f, &f->head.hash, true, note_tip, e);
    if (status == STATUS_OK)
        status = walk(f, &f->theirs.hash, false, note_other, e);
    if (status == STATUS_OK && has_all_tips(f))
        return take_whole(f, e);
    if (status == STATUS_OK)
        status = walk(f, &f->head.hash, false, note_mine, e);
    if (status != STATUS_OK)
        return status;
    struct hash key = key_of(&f->theirs);
    return hash_map_has(f->mine_keys, &key) ? keep_head(f) : put_together(f, e);
}

// ---- Beginning ------------------------------------------------------------------------------------------------------

static enum status find_id(struct following *f, struct error *e)
{
    const struct version_source *s = f->source;
    struct span text;
    struct object o;
    enum status status = s->read(s->ctx, &f->theirs.data, f->arena, &text, e);
    if (status == STATUS_OK)
        status = object_read(s->recipes, f->arena, text, MICRODATA_OBJECT, &f->theirs.data, &o, e);
    if (status == STATUS_OK && !o.recipe->versioned)
        status =
            error_set(e, STATUS_INVALID, "SVO-SO2", "the type " SPAN_FMT " has no versions", SPAN_ARG(o.recipe->name));
    if (status == STATUS_OK)
        f->id_hash = o.id_hash;
    return status;
}

static enum status follow(struct following *f, const struct hash *node, struct error *e)
{
    const struct version_source *s = f->source;
    struct hash head;
    enum status status = versionnode_read(s, node, f->arena, &f->theirs, e);
    if (status == STATUS_OK)
        status = find_id(f, e);
    if (status != STATUS_OK)
        return status;
    status = s->head(s->ctx, &f->id_hash, &head, e);
    if (status == STATUS_NOT_FOUND) {
        error_clear(e);
        return move_head(f, &f->theirs, e);
    }
    if (status == STATUS_OK)
        status = versionnode_read(s, &head, f->arena, &f->head, e);
    if (status != STATUS_OK)
        return status;
    return hash_eq(&head, node) ? keep_head(f) : join(f, e);
}

enum status version_follow(const struct version_source *s, const struct hash *node, struct version_result *out,
                           struct error *e)
{
    struct following f = {.source = s, .arena = arena_create(), .result = out};
    f.mine_keys = hash_map_create();
    f.other_keys = hash_map_create();
    enum status status = follow(&f, node, e);
    hash_map_destroy(f.mine_keys);
    hash_map_destroy(f.other_keys);
    free(f.tips.items);
    free(f.mine.items);
    free(f.other.items);
    arena_destroy(f.arena);
    return status;
}
