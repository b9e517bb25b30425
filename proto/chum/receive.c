// Each root is taken in a savepoint of its own (alone), so that a bad one leaves nothing and the others go on; a
// failure of the store itself ends the job. What a text says is believed in this order: its form and hash, what it
// refers to, the place it claims in a history, and then the policy, which sees nothing that is not whole. Version nodes
// are taken deepest first, since what a merge makes depends on the order, and the reference takes them so.
#include "chum/receive.h"

#include <string.h>

#include "base/clock.h"
#include "chum/export.h"
#include "chum/fetch.h"

struct hash chum_want_versions_of(const struct chum_want *want)
{
    return want->kind == CHUM_ROOT_VERSION_NODE ? want->id_hash : (struct hash){{0}};
}

void chum_delivery_begin(struct chum_delivery *d, struct store *s, const struct chum_fetch *from,
                         const struct hash *id_hash, struct store_knowledge *knowledge)
{
    *d = (struct chum_delivery){.store = s, .policy = from->policy, .sender = from->sender, .id_hash = *id_hash};
    d->is_own = chum_is_own(from->policy, s, &from->sender);
    d->lent = knowledge != NULL;
    d->knowledge = d->lent ? knowledge : store_knowledge_create(s, &from->sender, &from->self, d->is_own);
}

void chum_delivery_end(struct chum_delivery *d)
{
    if (!d->lent)
        store_knowledge_destroy(d->knowledge);
}

// ---- Links ---------------------------------------------------------------------------------------------------------

// A file may be anything; of a BLOB it is enough that it is known to be missing. One that is here, and that the sender
// did not deliver, is not shown to others on the sender's word (store_children). An own node leaves such out.
static enum status check_link(const struct chum_delivery *d, const struct link *link, bool *good, struct error *e)
{
    enum store_link found = store_knowledge_of(d->knowledge, link->kind, &link->target);
    enum status st = STATUS_OK;
    *good = found == STORE_LINK_KNOWN || (found == STORE_LINK_STRANGE && link->kind == LINK_BLOB);
    if (d->strict && found == STORE_LINK_MISSING)
        return STATUS_OK;
    if (link->kind == LINK_BLOB && (d->is_own || found == STORE_LINK_STRANGE))
        st = store_want_file(d->store, &link->target, &d->sender, e);
    if (found == STORE_LINK_MISSING && link->kind == LINK_BLOB)
        *good = store_is_wanted(d->store, &link->target);
    return st;
}

// What the user deleted is not needed for what the user deleted too; for anything else it is fetched again, when the
// root is asked for the next time. What the peer deleted from a channel is a gap for us too.
static enum status check_gap(const struct chum_delivery *d, const struct object *o, const struct link *link, bool *good,
                             struct error *e)
{
    bool is_new = *good && store_is_deleted(d->store, &link->target) && !store_is_hidden(d->store, &o->hash);
    if (is_new && store_need_again(d->store, &link->target))
        *good = false;
    else if (!*good && !d->strict && !hash_is_zero(&d->id_hash) && link->kind == LINK_OBJECT &&
             object_is_type(o, "CreationTime") && store_presence(d->store, &link->target) == STORE_ABSENT) {
        *good = true;
        return store_note_gap(d->store, &link->target, e);
    }
    return STATUS_OK;
}

static enum status check_links(const struct chum_delivery *d, const struct object *o, bool is_id, struct error *e)
{
    for (size_t i = 0; i < o->link_count; i++) {
        bool good;
        enum status st = check_link(d, &o->links[i], &good, e);
        if (st == STATUS_OK)
            st = check_gap(d, o, &o->links[i], &good, e);
        if (st != STATUS_OK)
            return st;
        if (!good)
            return error_set(e, STATUS_INVALID, is_id ? "CI-ACIDO" : "CI-ACO",
                             "%s refers to %s, which the peer did not deliver", hash_text(&o->hash).s,
                             hash_text(&o->links[i].target).s);
    }
    return STATUS_OK;
}

// ---- Histories -----------------------------------------------------------------------------------------------------

static bool is_version_node(const struct object *o)
{
    return object_is_type(o, "VersionNodeEdge") || object_is_type(o, "VersionNodeChange") ||
           object_is_type(o, "VersionNodeMerge");
}

static enum status check_about(const struct chum_delivery *d, const struct hash *node, const struct value *v,
                               struct error *e)
{
    struct hash data;
    struct store_info info;
    if (value_get_hash(v, "data", &data) && store_info(d->store, &data, &info, NULL) == STATUS_OK &&
        hash_eq(&info.id_hash, &d->id_hash) && !hash_is_zero(&d->id_hash))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "CI-CCI1", "version node %s is not about %s", hash_text(node).s,
                     hash_text(&d->id_hash).s);
}

static enum status depth_of(const struct chum_delivery *d, const struct hash *node, double *depth, struct error *e)
{
    *depth = d->depth;
    if (hash_eq(node, &d->node))
        return STATUS_OK;
    struct arena *a = arena_create();
    struct object o;
    enum status st = store_get_object(d->store, node, a, &o, e);
    if (st == STATUS_OK && (!is_version_node(&o) || !value_get_number(o.value, "depth", depth)))
        st = error_set(e, STATUS_INVALID, "NOT-A-VERSION", "%s is not a version node", hash_text(node).s);
    if (st == STATUS_OK)
        st = check_about(d, node, o.value, e);
    arena_destroy(a);
    return st;
}

// A history that claims to be longer than it is would outweigh the true one.
static enum status check_history(struct chum_delivery *d, const struct object *o, struct error *e)
{
    double depth;
    double deepest = -1;
    if (!is_version_node(o))
        return STATUS_OK;
    enum status st = check_about(d, &o->hash, o->value, e);
    if (st == STATUS_OK && !value_get_number(o->value, "depth", &depth))
        st = error_set(e, STATUS_INVALID, "NOT-A-VERSION", "%s has no depth", hash_text(&o->hash).s);
    for (size_t i = 0; i + 1 < o->link_count && st == STATUS_OK; i++) { // the last link is the data
        double before;
        st = depth_of(d, &o->links[i].target, &before, e);
        if (st == STATUS_OK && before > deepest)
            deepest = before;
    }
    if (st == STATUS_OK && (depth < deepest + 1 || depth > deepest + 1))
        st = error_set(e, STATUS_INVALID, "NOT-A-VERSION", "%s claims the depth %g behind one of %g",
                       hash_text(&o->hash).s, depth, deepest);
    if (st == STATUS_OK) {
        d->node = o->hash;
        d->depth = depth;
    }
    return st;
}

static enum status read_received(struct chum_delivery *d, struct arena *a, struct span text, const struct hash *hash,
                                 bool is_id, struct object *o, struct error *e)
{
    enum status st = STATUS_OK;
    if (text.len > CHUM_OWN_OBJECT_MAX) // what others may send was looked at when it came
        st = error_set(e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the peer's object has %zu bytes", text.len);
    if (st == STATUS_OK)
        st = object_read(store_recipes(d->store), a, text, is_id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, hash, o, e);
    if (st == STATUS_OK && !d->is_own && store_type_is_rights(o->recipe->name))
        st = error_set(e, STATUS_REFUSED, is_id ? "CIEC-FIDO3" : "CIEC-FO3",
                       "objects of type " SPAN_FMT " are never imported", SPAN_ARG(o->recipe->name));
    if (st == STATUS_OK)
        st = check_links(d, o, is_id, e);
    return st == STATUS_OK && !is_id ? check_history(d, o, e) : st;
}

enum status chum_store_received(struct chum_delivery *d, struct span text, const struct hash *hash, bool is_id,
                                struct error *e)
{
    struct arena *arena = arena_create();
    struct object o;
    enum status st = read_received(d, arena, text, hash, is_id, &o, e);
    if (st == STATUS_OK)
        st = store_put(d->store, &o, NULL, e);
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
    bool is_last; // nothing that came with it was written on top of it
};

static enum status check_data(struct store *s, struct arena *a, const struct chum_policy *policy,
                              const struct hash *sender, const struct chum_want *want, const struct node *n,
                              struct object *data, struct error *e)
{
    enum status st = store_get_object(s, &n->data, a, data, e);
    if (st == STATUS_OK && !hash_eq(&data->id_hash, &want->id_hash))
        st = error_set(e, STATUS_INVALID, "CI-CCI1", "version node %s is not about %s", hash_text(&n->object.hash).s,
                       hash_text(&want->id_hash).s);
    if (st == STATUS_OK)
        st = check_type(data, want, "CI-CCI2", e);
    if (st == STATUS_OK && store_type_is_rights(data->recipe->name) && !chum_is_own(policy, s, sender))
        st = error_set(e, STATUS_REFUSED, "CIEC-FO3", "versions of " SPAN_FMT " are never imported",
                       SPAN_ARG(data->recipe->name));
    return st == STATUS_OK ? admit(s, policy, sender, data, e) : st;
}

static enum status read_node(struct chum_delivery *d, struct arena *a, struct span text, const struct hash *hash,
                             struct node *out, struct error *e)
{
    enum status st = read_received(d, a, text, hash, false, &out->object, e);
    if (st != STATUS_OK)
        return st;
    const struct value *v = out->object.value;
    if (!span_starts_with(out->object.recipe->name, SPAN("VersionNode")) || !value_get_hash(v, "data", &out->data) ||
        !value_get_number(v, "depth", &out->depth) || !value_get_number(v, "creationTime", &out->created))
        return error_set(e, STATUS_INVALID, "CIEC-FOWT1", "%s is not a version node", hash_text(hash).s);
    if (!time_is_valid(out->created) || !((double)count_clamp(out->depth) >= out->depth && out->depth >= 0))
        return error_set(e, STATUS_INVALID, "CIEC-FOWT1", "version node %s is of no possible time or depth",
                         hash_text(hash).s);
    return STATUS_OK;
}

bool chum_is_refused_or_broken(enum status status)
{
    return status == STATUS_INVALID || status == STATUS_NOT_FOUND || status == STATUS_REFUSED ||
           status == STATUS_CONFLICT || status == STATUS_TOO_BIG || status == STATUS_CORRUPT || status == STATUS_EXISTS;
}

// Runs one step on its own: if it fails for reasons of its own, nothing of it is left and *result says why.
struct step {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *sender;
    const struct chum_want *want;
    struct arena *arena;
    struct chum_delivery *delivery;
    struct version_recents *recents;
};
typedef enum status (*step_fn)(const struct step *step, void *arg, struct error *e);

static enum status alone(const struct step *step, step_fn fn, void *arg, struct chum_root_result *result,
                         struct error *e)
{
    enum status st = store_savepoint(step->store, e);
    if (st != STATUS_OK)
        return st;
    st = fn(step, arg, &result->why);
    if (st == STATUS_OK)
        return store_release(step->store, e);
    store_undo(step->store);
    result->status = st;
    if (chum_is_refused_or_broken(st))
        return STATUS_OK;
    *e = result->why;
    return st;
}

static bool follows(const struct step *step, const struct object *data)
{
    const struct chum_policy *p = step->policy;
    return p != NULL && p->follows != NULL && p->follows(p->ctx, step->store, step->sender, data);
}

static bool replaces(const struct step *step, const struct object *data)
{
    const struct chum_policy *p = step->policy;
    return p != NULL && p->replaces != NULL && p->replaces(p->ctx, step->store, step->sender, data);
}

// As the reference does, which may overwrite what was written here at the same time. A loss that cannot be told of is
// no reason to refuse the version.
static enum status merge_version(const struct step *step, const struct node *n, struct error *e)
{
    struct hash head;
    struct version_result made;
    const struct version_source *versions = store_versions(step->store);
    bool is_here = store_head(step->store, &step->want->id_hash, &head, NULL) == STATUS_OK;
    enum status st = version_merge_foreign(versions, &n->data, n->created, &made, e);
    if (st == STATUS_OK && is_here && n->is_last && made.may_lose)
        (void)version_find_lost(versions, &head, &n->object.hash, &made.hash, NULL);
    return st;
}

// Our own news come back as versions of whoever took them in. A channel that is as ours was lately has nothing that
// ours has not: to merge it would make a version that has to be given back again, and costs the length of the history.
// What was written here is looked for further back: of many messages at once the first come back behind the last.
// However many versions are given, what is looked at for them has a bound.
static bool is_echo(const struct step *step, const struct object *data)
{
    static const struct hash nobody = {{0}};
    bool is_ours = store_came_from(step->store, &data->hash, &nobody);
    return version_is_recent_lists(step->recents, store_versions(step->store), data,
                                   is_ours ? VERSION_LOOKS : VERSION_RECENT);
}

// The deepest came first, so that those behind it find it in place.
static enum status make_current(const struct step *step, const struct node *n, const struct object *data,
                                struct error *e)
{
    struct hash head;
    struct version_result ignored;
    const struct version_source *versions = store_versions(step->store);
    bool stopgap = replaces(step, data) && store_head(step->store, &step->want->id_hash, &head, NULL) == STATUS_OK &&
                   !store_came_from(step->store, &head, step->sender);
    if (stopgap)
        return versions->set_head(versions->ctx, &step->want->id_hash, &n->object.hash, e);
    if (is_echo(step, data))
        return STATUS_OK;
    return follows(step, data) ? version_follow(versions, &n->object.hash, &ignored, e) : merge_version(step, n, e);
}

static enum status take_node(const struct step *step, void *arg, struct error *e)
{
    const struct node *n = arg;
    struct object data;
    enum status st = check_data(step->store, step->arena, step->policy, step->sender, step->want, n, &data, e);
    if (st == STATUS_OK)
        st = store_put(step->store, &n->object, NULL, e);
    if (st == STATUS_OK)
        st = store_admit_history(step->store, &n->object.hash, e);
    return st == STATUS_OK ? make_current(step, n, &data, e) : st;
}

// The deepest first, the earlier announced first among equals: the order the reference would take one in.
static size_t next_node(const struct node *nodes, const bool *taken, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!taken[i] && (best == count || nodes[i].depth > nodes[best].depth))
            best = i;
    }
    return best;
}

static void mark_last(struct node *nodes, const bool *taken, size_t count)
{
    struct hash_map *known = hash_map_create();
    for (size_t i = 0; i < count; i++) {
        nodes[i].is_last = true;
        if (!taken[i])
            hash_map_set(known, &nodes[i].object.hash, &nodes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t l = 0; l < nodes[i].object.link_count && !taken[i]; l++) {
            struct node *before = hash_map_get(known, &nodes[i].object.links[l].target);
            if (before != NULL)
                before->is_last = false;
        }
    }
    hash_map_destroy(known);
}

static enum status take_nodes(const struct step *step, const struct span *texts, struct chum_root_result *results,
                              struct error *e)
{
    size_t count = step->want->count;
    struct node *nodes = arena_alloc(step->arena, count * sizeof *nodes);
    bool *taken = arena_alloc(step->arena, count * sizeof *taken);
    for (size_t i = 0; i < count; i++) {
        taken[i] = texts[i].ptr == NULL;
        if (!taken[i])
            results[i].status =
                read_node(step->delivery, step->arena, texts[i], &step->want->hashes[i], &nodes[i], &results[i].why);
        taken[i] = taken[i] || results[i].status != STATUS_OK;
    }
    enum status st = STATUS_OK;
    mark_last(nodes, taken, count);
    for (size_t i = next_node(nodes, taken, count); st == STATUS_OK && i < count; i = next_node(nodes, taken, count)) {
        taken[i] = true;
        st = alone(step, take_node, &nodes[i], &results[i], e);
    }
    return st;
}

static enum status take_stored(const struct step *step, void *arg, struct error *e)
{
    const struct hash *hash = arg;
    struct span text;
    struct node n = {.is_last = false};
    enum status st = store_get(step->store, hash, step->arena, &text, e);
    if (st == STATUS_OK)
        st = read_node(step->delivery, step->arena, text, hash, &n, e);
    return st == STATUS_OK ? take_node(step, &n, e) : st;
}

// A newer version failed, with which these came or would have come: they have to count for themselves. Those that are
// not here are asked for in the next pass.
static enum status take_older(const struct step *step, const struct span *texts, const struct chum_root_result *results,
                              struct error *e)
{
    bool any_failed = false;
    enum status st = STATUS_OK;
    for (size_t i = step->want->count; i-- > 0 && st == STATUS_OK;) {
        struct chum_root_result ignored;
        any_failed = any_failed || results[i].status != STATUS_OK;
        if (any_failed && texts[i].ptr == NULL && results[i].status == STATUS_OK)
            st = alone(step, take_stored, &step->want->hashes[i], &ignored, e);
    }
    struct chum_root_result ignored;
    struct hash previous = step->want->previous;
    if (st == STATUS_OK && any_failed && !hash_is_zero(&previous))
        st = alone(step, take_stored, &previous, &ignored, e);
    return st;
}

// ---- Other roots ---------------------------------------------------------------------------------------------------

static enum status take_single(const struct step *step, void *arg, struct error *e)
{
    const struct span *text = arg;
    bool is_id = step->want->kind == CHUM_ROOT_ID;
    struct object o;
    enum status st = read_received(step->delivery, step->arena, *text, &step->want->hashes[0], is_id, &o, e);
    if (st == STATUS_OK)
        st = check_type(&o, step->want, is_id ? "CIEC-FIDOWT1" : "CIEC-FOWT1", e);
    if (st == STATUS_OK)
        st = admit(step->store, step->policy, step->sender, &o, e);
    return st == STATUS_OK ? store_put(step->store, &o, NULL, e) : st;
}

enum status chum_store_roots(struct store *s, const struct chum_fetch *from, const struct chum_want *want,
                             struct store_knowledge *knowledge, const struct span *texts,
                             struct chum_root_result *results, struct error *e)
{
    struct chum_delivery delivery;
    struct version_recents recents = {0};
    struct step step = {s, from->policy, &from->sender, want, arena_create(), &delivery, &recents};
    enum status st = STATUS_OK;
    const struct hash id_hash = chum_want_versions_of(want);
    chum_delivery_begin(&delivery, s, from, &id_hash, knowledge);
    if (want->kind == CHUM_ROOT_VERSION_NODE) {
        st = take_nodes(&step, texts, results, e);
        if (st == STATUS_OK)
            st = take_older(&step, texts, results, e);
    } else if (texts[0].ptr != NULL) {
        struct span text = texts[0];
        st = alone(&step, take_single, &text, &results[0], e);
    }
    chum_delivery_end(&delivery);
    version_recents_end(&recents);
    arena_destroy(step.arena);
    return st;
}
