// A node whose bytes are lost is known by its links alone: the last is its data, the others lead to those before it.
// That is enough to go on behind it.
#include "data/versionnode.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[] = {
    [VERSIONNODE_EDGE] = "VersionNodeEdge",
    [VERSIONNODE_CHANGE] = "VersionNodeChange",
    [VERSIONNODE_MERGE] = "VersionNodeMerge",
};

static enum status not_a_node(const struct hash *hash, const char *why, struct error *e)
{
    return error_set(e, STATUS_CORRUPT, "VERSION-GRAPH", "object %s is no usable version node: %s", hash_text(hash).s,
                     why);
}

static bool find_kind(struct span type, enum versionnode_kind *out)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        if (span_eq_text(type, kind_names[i])) {
            *out = (enum versionnode_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_before(const struct value *object, struct arena *a, struct versionnode *out)
{
    const struct value *prev = value_get(object, SPAN("prev"));
    const struct value *nodes = value_get(object, SPAN("nodes"));
    size_t count = nodes != NULL ? nodes->list.count : prev != NULL;
    struct hash *before = arena_alloc(a, count * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        if (!value_as_hash(nodes != NULL ? nodes->list.items[i] : prev, &before[i]))
            return false;
    }
    out->before = before;
    out->before_count = count;
    return true;
}

enum status versionnode_read(const struct version_source *s, const struct hash *hash, struct arena *a,
                             struct versionnode *out, struct error *e)
{
    struct span text;
    enum status status = s->read(s->ctx, hash, a, &text, e);
    if (status != STATUS_OK)
        return status;
    struct value *object;
    status = microdata_read(s->recipes, a, text, MICRODATA_OBJECT, SPAN(""), &object, e);
    if (status != STATUS_OK)
        return status;
    *out = (struct versionnode){.hash = *hash};
    if (!find_kind(object->object.type, &out->kind))
        return not_a_node(hash, "it has another type", e);
    if (!value_get_hash(object, "data", &out->data) || !read_before(object, a, out))
        return not_a_node(hash, "it lacks its data", e);
    if (!value_get_number(object, "depth", &out->depth) || !(out->depth >= 0) ||
        !value_get_number(object, "creationTime", &out->creation_time) || !isfinite(out->creation_time))
        return not_a_node(hash, "its depth or time is no number", e);
    return STATUS_OK;
}

// ---- Lost ones ------------------------------------------------------------------------------------------------------

enum { LOST_MAX = 100000 };

struct leftover {
    const struct version_source *source;
    struct hash_list open;
    struct hash_map *seen;
    size_t lost;
    double deepest; // of those that are left; −1: none
};

// By their rules the last link of a version node is its data, the others lead to those before it.
static bool find_links(const struct version_source *s, const struct hash *hash, struct hash_list *links)
{
    struct hash same_type;
    return s->links != NULL && s->links(s->ctx, hash, links, &same_type) && links->count != 0;
}

static bool look_behind(struct leftover *l, const struct hash *hash, struct arena *a)
{
    struct versionnode n;
    struct hash_list links = {0};
    arena_reset(a);
    if (versionnode_read(l->source, hash, a, &n, NULL) == STATUS_OK) {
        l->deepest = n.depth > l->deepest ? n.depth : l->deepest;
        return true;
    }
    bool known = find_links(l->source, hash, &links) && ++l->lost <= LOST_MAX;
    for (size_t i = 0; known && i + 1 < links.count; i++)
        if (hash_map_add(l->seen, &links.items[i]))
            hash_list_add(&l->open, &links.items[i]);
    hash_list_free(&links);
    return known;
}

bool versionnode_lost_depth(const struct version_source *s, const struct hash *hash, double *depth)
{
    struct leftover l = {.source = s, .seen = hash_map_create(), .deepest = -1};
    struct arena *a = arena_create();
    bool known = true;
    hash_list_add(&l.open, hash);
    while (known && l.open.count != 0) {
        struct hash next = l.open.items[--l.open.count];
        known = look_behind(&l, &next, a);
    }
    *depth = l.deepest + (double)l.lost;
    arena_destroy(a);
    hash_map_destroy(l.seen);
    hash_list_free(&l.open);
    return known;
}

static void from_links(const struct hash *hash, const struct hash_list *links, struct arena *a, struct versionnode *out)
{
    size_t count = links->count - 1;
    struct hash *before = arena_alloc(a, links->count * sizeof *before);
    for (size_t i = 0; i < count; i++)
        before[i] = links->items[i];
    *out = (struct versionnode){
        .kind = count == 0   ? VERSIONNODE_EDGE
                : count == 1 ? VERSIONNODE_CHANGE
                             : VERSIONNODE_MERGE,
        .hash = *hash,
        .data = links->items[count],
        .before = before,
        .before_count = count,
    };
}

enum status versionnode_find(const struct version_source *s, const struct hash *hash, struct arena *a,
                             struct versionnode *out, struct error *e)
{
    struct error why = {0};
    struct hash_list links = {0};
    enum status status = versionnode_read(s, hash, a, out, &why);
    if (strcmp(why.code, "OBJECT-DAMAGED") == 0 && find_links(s, hash, &links)) {
        from_links(hash, &links, a, out);
        status = STATUS_OK;
    }
    hash_list_free(&links);
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}

enum status versionnode_outline(const struct version_source *s, const struct hash *hash, struct arena *a,
                                struct versionnode *out)
{
    struct hash_list links = {0};
    enum status status = STATUS_OK;
    if (find_links(s, hash, &links))
        from_links(hash, &links, a, out);
    else
        status = versionnode_read(s, hash, a, out, NULL);
    hash_list_free(&links);
    return status;
}

// ---- Writing --------------------------------------------------------------------------------------------------------

static struct value *to_value(const struct versionnode *node, struct arena *a)
{
    struct value *object = value_object(a, span_of(kind_names[node->kind]));
    if (node->kind == VERSIONNODE_CHANGE && node->before_count != 0)
        value_set_member(a, object, SPAN("prev"), value_hash(a, &node->before[0]));
    if (node->kind == VERSIONNODE_MERGE) {
        struct value *nodes = value_set(a);
        for (size_t i = 0; i < node->before_count; i++)
            value_add(a, nodes, value_hash(a, &node->before[i]));
        value_set_member(a, object, SPAN("nodes"), nodes);
    }
    value_set_member(a, object, SPAN("data"), value_hash(a, &node->data));
    value_set_member(a, object, SPAN("depth"), value_number(a, node->depth));
    value_set_member(a, object, SPAN("creationTime"), value_number(a, node->creation_time));
    return object;
}

static enum status make(const struct version_source *s, struct versionnode *node, bool write, struct error *e)
{
    struct arena *a = arena_create();
    struct object o;
    enum status status = object_make(s->recipes, a, to_value(node, a), MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK && write)
        status = s->write(s->ctx, &o, e);
    if (status == STATUS_OK)
        node->hash = o.hash;
    arena_destroy(a);
    return status;
}

enum status versionnode_hash(const struct version_source *s, struct versionnode *node, struct error *e)
{
    return make(s, node, false, e);
}

enum status versionnode_write(const struct version_source *s, struct versionnode *node, struct error *e)
{
    return make(s, node, true, e);
}
