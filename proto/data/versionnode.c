#include "data/versionnode.h"

#include <math.h>

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
