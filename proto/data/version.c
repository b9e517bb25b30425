// Stores versions of objects and merges what they meet. It and merge.c need each other: to merge two versions may
// change an object they link to, which is stored as a version of its own and may be merged in turn.
#include "data/version.h"

#include <string.h>

#include "data/merge.h"
#include "data/versionnode.h"

enum { VERSION_LIST_MAX = 4 << 20 };

// What is being stored, and what it meets.
struct storing {
    const struct version_source *source;
    struct arena *arena;
    struct hash data;
    struct hash id_hash;
    const struct recipe *recipe;
    bool has_head;
    struct versionnode head;
};

static enum status find_head(struct storing *w, struct error *e)
{
    const struct version_source *s = w->source;
    struct hash node;
    enum status status = s->head(s->ctx, &w->id_hash, &node, e);
    w->has_head = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND) {
        error_clear(e);
        return STATUS_OK;
    }
    return status == STATUS_OK ? versionnode_read(s, &node, w->arena, &w->head, e) : status;
}

// What is only put on top of the head need not know all of it, should it be lost.
static enum status find_head_to_change(struct storing *w, struct error *e)
{
    const struct version_source *s = w->source;
    struct error why = {0};
    struct hash node;
    enum status status = find_head(w, &why);
    if (strcmp(why.code, "OBJECT-DAMAGED") == 0 && w->has_head &&
        s->head(s->ctx, &w->id_hash, &node, NULL) == STATUS_OK &&
        versionnode_find(s, &node, w->arena, &w->head, NULL) == STATUS_OK &&
        versionnode_lost_depth(s, &node, &w->head.depth))
        return STATUS_OK;
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}

static void report(const struct storing *w, const struct versionnode *node, bool changed, struct version_result *out)
{
    *out = (struct version_result){.hash = node->data, .id_hash = w->id_hash, .node = node->hash, .changed = changed};
}

static enum status move_head(struct storing *w, const struct versionnode *node, struct version_result *out,
                             struct error *e)
{
    const struct version_source *s = w->source;
    report(w, node, true, out);
    return s->set_head(s->ctx, &w->id_hash, &node->hash, e);
}

static enum status add_node(struct storing *w, struct versionnode *node, struct version_result *out, struct error *e)
{
    enum status status = versionnode_write(w->source, node, e);
    return status == STATUS_OK ? move_head(w, node, out, e) : status;
}

static enum status add_first(struct storing *w, double now, struct version_result *out, struct error *e)
{
    struct versionnode edge = {.kind = VERSIONNODE_EDGE, .data = w->data, .creation_time = now};
    return add_node(w, &edge, out, e);
}

static enum status add_change(struct storing *w, double now, struct version_result *out, struct error *e)
{
    struct versionnode change = {.kind = VERSIONNODE_CHANGE,
                                 .data = w->data,
                                 .depth = w->head.depth + 1,
                                 .creation_time = now,
                                 .before = &w->head.hash,
                                 .before_count = 1};
    return add_node(w, &change, out, e);
}

static enum status store_merged(struct storing *w, const struct value *merged, struct hash *hash, struct error *e)
{
    const struct version_source *s = w->source;
    struct object o;
    enum status status = object_make(s->recipes, w->arena, merged, MICRODATA_OBJECT, &o, e);
    if (status != STATUS_OK)
        return status;
    *hash = o.hash;
    return hash_eq(&o.hash, &w->head.data) ? STATUS_OK : s->write(s->ctx, &o, e);
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

static enum status add_merge(struct storing *w, const struct versionnode *edge, const struct value *merged,
                             struct version_result *out, struct error *e)
{
    struct hash nodes[] = {w->head.hash, edge->hash};
    struct versionnode merge = {.kind = VERSIONNODE_MERGE,
                                .depth = greater(w->head.depth, edge->depth) + 1,
                                .creation_time = greater(w->head.creation_time, edge->creation_time),
                                .before = nodes,
                                .before_count = 2};
    enum status status = store_merged(w, merged, &merge.data, e);
    return status == STATUS_OK ? add_node(w, &merge, out, e) : status;
}

// Joins the head with an edge. fresh: the edge was not stored before, so nothing can refer to it yet.
static enum status join(struct storing *w, const struct versionnode *edge, bool fresh, struct version_result *out,
                        struct error *e)
{
    bool contained = false;
    struct hash current = w->head.hash;
    struct value *merged;
    enum status status;
    if (fresh && !merge_needs_history(w->recipe))
        status = merge_lists(w->source, w->arena, &w->head.data, &edge->data, &merged, e);
    else
        status = merge_versions(w->source, w->arena, &w->head.hash, &edge->hash, &contained, &current, &merged, e);
    if (status != STATUS_OK)
        return status;
    if (!contained) {
        status = add_merge(w, edge, merged, out, e);
        out->may_lose = merge_needs_history(w->recipe);
        return status;
    }
    if (!hash_eq(&current, &w->head.hash))
        return move_head(w, edge, out, e);
    report(w, &w->head, false, out);
    return STATUS_OK;
}

// An object of which only the archive has the bytes is stored too.
static enum status is_stored(const struct storing *w, const struct hash *hash, bool *out, struct error *e)
{
    const struct version_source *s = w->source;
    struct span text;
    struct error why = {0};
    enum status status = s->read(s->ctx, hash, w->arena, &text, &why);
    *out = status == STATUS_OK || strcmp(why.code, "REMOTE") == 0;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (e != NULL)
        *e = why;
    return status;
}

static enum status take_in(struct storing *w, double time, struct version_result *out, struct error *e)
{
    struct versionnode edge = {.kind = VERSIONNODE_EDGE, .data = w->data, .creation_time = time};
    bool known;
    if (!w->has_head)
        return add_first(w, time, out, e);
    enum status status = versionnode_hash(w->source, &edge, e);
    if (status == STATUS_OK)
        status = is_stored(w, &edge.hash, &known, e);
    if (status == STATUS_OK && !known)
        status = versionnode_write(w->source, &edge, e);
    return status == STATUS_OK ? join(w, &edge, !known, out, e) : status;
}

static enum status store(struct storing *w, const struct object *o, enum version_mode mode, double now,
                         struct version_result *out, struct error *e)
{
    const struct version_source *s = w->source;
    if (!o->recipe->versioned)
        return error_set(e, STATUS_INVALID, "SVO-SO2", "the type " SPAN_FMT " has no versions",
                         SPAN_ARG(o->recipe->name));
    w->data = o->hash;
    w->id_hash = o->id_hash;
    w->recipe = o->recipe;
    bool known;
    enum status status = mode == VERSION_CHANGE ? find_head_to_change(w, e) : find_head(w, e);
    if (status != STATUS_OK)
        return status;
    if (w->has_head && hash_eq(&w->head.data, &o->hash)) {
        report(w, &w->head, false, out);
        bool lost = is_stored(w, &o->hash, &known, NULL) != STATUS_OK || !known;
        return lost ? s->write(s->ctx, o, e) : STATUS_OK;
    }
    status = s->write(s->ctx, o, e);
    if (status != STATUS_OK)
        return status;
    if (mode == VERSION_NONE) {
        *out = (struct version_result){.hash = o->hash, .id_hash = o->id_hash};
        return STATUS_OK;
    }
    if (!w->has_head)
        return add_first(w, now, out, e);
    return mode == VERSION_MERGE ? take_in(w, now, out, e) : add_change(w, now, out, e);
}

enum status version_store(const struct version_source *s, const struct value *object, enum version_mode mode,
                          double now, struct version_result *out, struct error *e)
{
    struct storing w = {.source = s, .arena = arena_create()};
    struct object o;
    enum status status = object_make(s->recipes, w.arena, object, MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK)
        status = store(&w, &o, mode, now, out, e);
    arena_destroy(w.arena);
    return status;
}

enum status version_confirm(const struct version_source *s, const struct hash *id_hash, double now,
                            struct version_result *out, struct error *e)
{
    struct storing w = {.source = s, .arena = arena_create(), .id_hash = *id_hash};
    *out = (struct version_result){.id_hash = *id_hash};
    enum status status = find_head_to_change(&w, e);
    if (status == STATUS_OK && w.has_head) {
        w.data = w.head.data;
        report(&w, &w.head, false, out);
        if (w.head.kind == VERSIONNODE_MERGE)
            status = add_change(&w, now, out, e);
    }
    arena_destroy(w.arena);
    return status;
}

static enum status read_version(struct storing *w, const struct hash *data, struct error *e)
{
    const struct version_source *s = w->source;
    struct span text;
    struct object o;
    enum status status = s->read(s->ctx, data, w->arena, &text, e);
    if (status == STATUS_OK)
        status = object_read(s->recipes, w->arena, text, MICRODATA_OBJECT, data, &o, e);
    if (status != STATUS_OK)
        return status;
    if (!o.recipe->versioned)
        return error_set(e, STATUS_INVALID, "SVO-SO2", "the type " SPAN_FMT " has no versions",
                         SPAN_ARG(o.recipe->name));
    w->data = *data;
    w->id_hash = o.id_hash;
    w->recipe = o.recipe;
    return STATUS_OK;
}

enum status version_merge_foreign(const struct version_source *s, const struct hash *data, double creation_time,
                                  struct version_result *out, struct error *e)
{
    struct storing w = {.source = s, .arena = arena_create()};
    enum status status = read_version(&w, data, e);
    if (status == STATUS_OK)
        status = find_head(&w, e);
    if (status == STATUS_OK)
        status = take_in(&w, creation_time, out, e);
    arena_destroy(w.arena);
    return status;
}

void version_recents_end(struct version_recents *r)
{
    hash_map_destroy(r->seen);
    hash_map_destroy(r->versions);
    hash_list_free(&r->open);
}

// What lies behind a head stays as it is, so what was found is true as long as the head stays.
static void look_from(struct version_recents *r, const struct hash *head)
{
    if (r->open.count != 0 && hash_eq(&r->open.items[0], head))
        return;
    hash_map_destroy(r->seen);
    hash_map_destroy(r->versions);
    r->seen = hash_map_create();
    r->versions = hash_map_create();
    r->next = 0;
    r->open.count = 0;
    hash_map_add(r->seen, head);
    hash_list_add(&r->open, head);
}

// Where two wrote at the same time there are many ways to a node: it counts once.
static void look_at_next(struct version_recents *r, const struct version_source *s, struct arena *a)
{
    struct versionnode n;
    arena_reset(a);
    r->looked++;
    if (versionnode_outline(s, &r->open.items[r->next++], a, &n) != STATUS_OK)
        return;
    hash_map_add(r->versions, &n.data);
    for (size_t i = 0; i < n.before_count; i++)
        if (r->open.count < VERSION_LOOKS && hash_map_add(r->seen, &n.before[i]))
            hash_list_add(&r->open, &n.before[i]);
}

// Of the nodes behind the head the nearest first.
bool version_is_recent_lists(struct version_recents *r, const struct version_source *s, const struct object *data,
                             size_t looks)
{
    struct hash head;
    if (merge_needs_history(data->recipe) || s->head(s->ctx, &data->id_hash, &head, NULL) != STATUS_OK)
        return false;
    struct arena *a = arena_create();
    look_from(r, &head);
    while (!hash_map_has(r->versions, &data->hash) && r->next < r->open.count && r->next < looks &&
           (r->next < VERSION_RECENT || r->looked < VERSION_LOOKS))
        look_at_next(r, s, a);
    arena_destroy(a);
    return hash_map_has(r->versions, &data->hash);
}

static void reverse(struct hash_list *l)
{
    for (size_t i = 0; i < l->count / 2; i++) {
        struct hash t = l->items[i];
        l->items[i] = l->items[l->count - 1 - i];
        l->items[l->count - 1 - i] = t;
    }
}

// Newest first: a node, then what lies before it; merge nodes stand only for their nodes.
static enum status list_newest_first(const struct version_source *s, struct hash_list *open, struct arena *a,
                                     struct hash_list *nodes, struct error *e)
{
    while (open->count > 0) {
        struct hash hash = open->items[--open->count];
        struct versionnode n;
        arena_reset(a);
        if (nodes->count + open->count >= VERSION_LIST_MAX)
            return error_set(e, STATUS_TOO_BIG, "VERSION-GRAPH", "the history has too many versions to be listed");
        enum status status = versionnode_find(s, &hash, a, &n, e);
        if (status != STATUS_OK)
            return status;
        if (n.kind != VERSIONNODE_MERGE)
            hash_list_add(nodes, &hash);
        for (size_t i = n.before_count; i-- > 0;)
            hash_list_add(open, &n.before[i]);
    }
    return STATUS_OK;
}

enum status version_list(const struct version_source *s, const struct hash *head, struct hash_list *nodes,
                         struct error *e)
{
    struct arena *a = arena_create();
    struct hash_list open = {0};
    struct hash_list found = {0};
    hash_list_add(&open, head);
    enum status status = list_newest_first(s, &open, a, &found, e);
    reverse(&found);
    for (size_t i = 0; i < found.count && status == STATUS_OK; i++)
        hash_list_add(nodes, &found.items[i]);
    hash_list_free(&open);
    hash_list_free(&found);
    arena_destroy(a);
    return status;
}

enum status version_data(const struct version_source *s, const struct hash *node, struct hash *data, struct error *e)
{
    struct arena *a = arena_create();
    struct versionnode n;
    enum status status = versionnode_find(s, node, a, &n, e);
    if (status == STATUS_OK)
        *data = n.data;
    arena_destroy(a);
    return status;
}
