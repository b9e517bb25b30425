// What happens to received texts on the store thread: verification, storing, and the effects of roots.
#include <string.h>

#include "chum/tree.h"

static bool is_refused_type(struct span type)
{
    return span_eq(type, SPAN("Access")) || span_eq(type, SPAN("IdAccess")) || span_eq(type, SPAN("Group"));
}

static enum status check_links(struct store *s, const struct object *o, bool is_id, struct error *e)
{
    for (size_t i = 0; i < o->link_count; i++) {
        if (store_presence(s, &o->links[i].target) != STORE_ABSENT)
            continue;
        return error_set(e, STATUS_INVALID, is_id ? "CI-ACIDO" : "CI-ACO",
                         "%s refers to %s, which the peer did not deliver", hash_text(&o->hash).s,
                         hash_text(&o->links[i].target).s);
    }
    return STATUS_OK;
}

static enum status read_received(struct store *s, struct arena *a, struct span text, const struct hash *hash,
                                 bool is_id, struct object *o, struct error *e)
{
    if (text.len > CHUM_OBJECT_MAX)
        return error_set(e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the peer's object has %zu bytes", text.len);
    enum status st = object_read(store_recipes(s), a, text, is_id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, hash, o, e);
    if (st == STATUS_OK && is_refused_type(o->recipe->name))
        st = error_set(e, STATUS_REFUSED, is_id ? "CIEC-FIDO3" : "CIEC-FO3",
                       "objects of type " SPAN_FMT " are never imported", SPAN_ARG(o->recipe->name));
    return st == STATUS_OK ? check_links(s, o, is_id, e) : st;
}

enum status chum_store_received(struct store *s, const struct chum_policy *policy, struct span text,
                                const struct hash *hash, bool is_id, struct error *e)
{
    struct arena *arena = arena_create();
    struct object o;
    enum status st = read_received(s, arena, text, hash, is_id, &o, e);
    if (st == STATUS_OK && policy != NULL && policy->keeps != NULL && !policy->keeps(policy->ctx, o.recipe->name))
        st = error_set(e, STATUS_REFUSED, "TYPE-REFUSED",
                       "objects of type " SPAN_FMT " are not taken over as parts of others", SPAN_ARG(o.recipe->name));
    if (st == STATUS_OK)
        st = store_put(s, &o, NULL, e);
    arena_destroy(arena);
    return st;
}

static enum status admit(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                         const struct object *o, struct error *e)
{
    if (policy == NULL || policy->admits == NULL)
        return STATUS_OK;
    return policy->admits(policy->ctx, s, sender, o, e);
}

static enum status check_type(const struct object *o, const struct chum_want *want, const char *code, struct error *e)
{
    if (want->type[0] == '\0' || span_eq_text(o->recipe->name, want->type))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, code, "announced as %s, but it is " SPAN_FMT, want->type,
                     SPAN_ARG(o->recipe->name));
}

// ---- Version nodes -------------------------------------------------------------------------------------------------

struct node { // a received version node
    struct object object;
    struct hash data;
    double depth;
    double created;
};

static enum status check_data(struct store *s, struct arena *a, const struct chum_policy *policy,
                              const struct hash *sender, const struct chum_want *want, const struct node *n,
                              struct error *e)
{
    struct object data;
    enum status st = store_get_object(s, &n->data, a, &data, e);
    if (st == STATUS_OK && !hash_eq(&data.id_hash, &want->id_hash))
        st = error_set(e, STATUS_INVALID, "CI-CCI1", "version node %s is not about %s", hash_text(&n->object.hash).s,
                       hash_text(&want->id_hash).s);
    if (st == STATUS_OK)
        st = check_type(&data, want, "CI-CCI2", e);
    if (st == STATUS_OK && is_refused_type(data.recipe->name))
        st = error_set(e, STATUS_REFUSED, "CIEC-FO3", "versions of " SPAN_FMT " are never imported",
                       SPAN_ARG(data.recipe->name));
    return st == STATUS_OK ? admit(s, policy, sender, &data, e) : st;
}

static enum status read_node(struct store *s, struct arena *a, struct span text, const struct hash *hash,
                             struct node *out, struct error *e)
{
    enum status st = read_received(s, a, text, hash, false, &out->object, e);
    if (st != STATUS_OK)
        return st;
    const struct value *v = out->object.value;
    if (!span_starts_with(out->object.recipe->name, SPAN("VersionNode")) || !value_get_hash(v, "data", &out->data) ||
        !value_get_number(v, "depth", &out->depth) || !value_get_number(v, "creationTime", &out->created))
        return error_set(e, STATUS_INVALID, "CIEC-FOWT1", "%s is not a version node", hash_text(hash).s);
    return STATUS_OK;
}

// The deepest first, the earlier announced first among equals: the order the reference would take one in.
static size_t next_node(const struct node *nodes, const bool *merged, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!merged[i] && (best == count || nodes[i].depth > nodes[best].depth))
            best = i;
    }
    return best;
}

static enum status merge_nodes(struct store *s, struct arena *a, const struct node *nodes, size_t count,
                               struct error *e)
{
    bool *merged = arena_alloc(a, count * sizeof *merged);
    enum status st = STATUS_OK;
    for (size_t round = 0; st == STATUS_OK && round < count; round++) {
        struct version_result result;
        size_t i = next_node(nodes, merged, count);
        merged[i] = true;
        st = version_merge_foreign(store_versions(s), &nodes[i].data, nodes[i].created, &result, e);
    }
    return st;
}

static enum status store_nodes(struct store *s, struct arena *a, const struct chum_policy *policy,
                               const struct hash *sender, const struct chum_want *want, const struct span *texts,
                               struct error *e)
{
    struct node *nodes = arena_alloc(a, want->count * sizeof *nodes);
    size_t count = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < want->count; i++) {
        if (texts[i].ptr == NULL)
            continue; // came as part of a newer one
        struct node *n = &nodes[count++];
        st = read_node(s, a, texts[i], &want->hashes[i], n, e);
        if (st == STATUS_OK)
            st = check_data(s, a, policy, sender, want, n, e);
        if (st == STATUS_OK)
            st = store_put(s, &n->object, NULL, e);
    }
    return st == STATUS_OK ? merge_nodes(s, a, nodes, count, e) : st;
}

// ---- Other roots ---------------------------------------------------------------------------------------------------

static enum status store_single(struct store *s, struct arena *a, const struct chum_policy *policy,
                                const struct hash *sender, const struct chum_want *want, struct span text,
                                struct error *e)
{
    bool is_id = want->kind == CHUM_ROOT_ID;
    struct object o;
    enum status st = read_received(s, a, text, &want->hashes[0], is_id, &o, e);
    if (st == STATUS_OK)
        st = check_type(&o, want, is_id ? "CIEC-FIDOWT1" : "CIEC-FOWT1", e);
    if (st == STATUS_OK)
        st = admit(s, policy, sender, &o, e);
    return st == STATUS_OK ? store_put(s, &o, NULL, e) : st;
}

enum status chum_store_roots(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                             const struct chum_want *want, const struct span *texts, struct error *e)
{
    struct arena *arena = arena_create();
    enum status st;
    if (want->kind == CHUM_ROOT_VERSION_NODE)
        st = store_nodes(s, arena, policy, sender, want, texts, e);
    else
        st = store_single(s, arena, policy, sender, want, texts[0], e);
    arena_destroy(arena);
    return st;
}
