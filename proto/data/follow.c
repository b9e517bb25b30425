// Taking in a version together with its history, for objects whose writers are known: whoever writes on top of a
// version has seen it, and replaces it as a whole. So nothing that was removed comes back, and no clock decides who was
// last. The reference forgets the history of what it takes in (DATA-MODEL.md 8.4) and never loses an item (8.8).
#include "data/version.h"

#include <stdlib.h>

#include "data/combine.h"
#include "data/fork.h"
#include "data/jsonform.h"

enum {
    VERSIONS_MAX = 32,        // that are looked at, of each kind: older ones count by what became of them
    VERSIONS_BYTES = 8 << 20, // of text likewise
    LOSSES_MAX = 16,          // that are told of
    // Of what anybody sends, whose versions must not cost more than they are worth:
    JUDGED_BYTES = 32 << 10, // greater objects are not judged
    JUDGED_VERSIONS_BYTES = 64 << 10,
    JUDGED_NODES = 4096, // and with longer histories neither: each version that comes would walk them again
};

struct following {
    const struct version_source *source;
    struct arena *arena; // of the nodes and values that stay
    struct versionnode head;
    struct versionnode theirs;
    struct hash id_hash;
    struct span type;
    struct fork fork;
    bool head_is_first; // of the two that are put together
    bool judging;       // what others made of them
    size_t losses;
    struct version_result *result;
};

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
    bool grows = f->fork.ours_is_behind || f->theirs.depth > f->head.depth;
    return grows ? move_head(f, &f->theirs, e) : add_merge(f, &f->theirs.data, e);
}

// ---- Reading versions -----------------------------------------------------------------------------------------------

static enum status read_object(struct following *f, const struct hash *data, struct object *o, struct error *e)
{
    const struct version_source *s = f->source;
    struct span text;
    enum status status = s->read(s->ctx, data, f->arena, &text, e);
    return status == STATUS_OK ? object_read(s->recipes, f->arena, text, MICRODATA_OBJECT, data, o, e) : status;
}

// NULL where it cannot be read, which only leaves less to go by. room: bytes of text that may still be read.
static const struct value *read_known(struct following *f, const struct hash *data, size_t *room)
{
    struct object o;
    if (hash_is_zero(data) || *room == 0 || read_object(f, data, &o, NULL) != STATUS_OK)
        return NULL;
    bool fits = o.microdata.len < *room;
    *room -= fits ? o.microdata.len : *room;
    return fits || !f->judging ? o.value : NULL;
}

static size_t room_for_versions(const struct following *f)
{
    return f->judging ? JUDGED_VERSIONS_BYTES : VERSIONS_BYTES;
}

static struct combine_versions read_versions(struct following *f, bool ours, bool theirs)
{
    struct combine_version *items = arena_alloc(f->arena, VERSIONS_MAX * sizeof *items);
    size_t count = 0;
    size_t room = room_for_versions(f);
    for (size_t i = 0; i < f->fork.count && count < VERSIONS_MAX; i++) {
        const struct fork_version *v = &f->fork.versions[i];
        const struct value *value = v->ours == ours && v->theirs == theirs ? read_known(f, &v->data, &room) : NULL;
        if (value != NULL)
            items[count++] = (struct combine_version){value, read_known(f, &v->before, &room), f->fork.count - i};
    }
    return (struct combine_versions){items, count};
}

static void read_bases(struct following *f, struct combining *c)
{
    const struct value **bases = arena_alloc(f->arena, VERSIONS_MAX * sizeof *bases);
    size_t room = room_for_versions(f);
    c->bases = bases;
    for (size_t i = 0; i < f->fork.bases.count && c->base_count < VERSIONS_MAX; i++) {
        const struct value *base = read_known(f, &f->fork.bases.items[i], &room);
        if (base != NULL)
            bases[c->base_count++] = base;
    }
}

// ---- Telling what was lost ------------------------------------------------------------------------------------------

static void tell_lost(void *ctx, struct span path, const struct value *value, bool was_first)
{
    struct following *f = ctx;
    const struct version_source *s = f->source;
    if (f->losses++ >= LOSSES_MAX)
        return;
    json_t *json = value != NULL ? jsonform_write(value) : json_null();
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    struct version_loss loss = {.id_hash = f->id_hash,
                                .hash = was_first == f->head_is_first ? f->head.data : f->theirs.data,
                                .type = f->type,
                                .property = path,
                                .value = span_of(text)};
    s->lost(s->ctx, &loss);
    free(text);
    json_decref(json);
}

// ---- Two that wrote independently -----------------------------------------------------------------------------------

// Both nodes ask with the sides the other way round.
static bool is_first(const struct versionnode *a, const struct versionnode *b)
{
    if (a->depth < b->depth || a->depth > b->depth)
        return a->depth > b->depth;
    if (a->creation_time < b->creation_time || a->creation_time > b->creation_time)
        return a->creation_time > b->creation_time;
    return hash_compare(&a->hash, &b->hash) > 0;
}

static struct combining begin_combining(struct following *f)
{
    struct combining c = {.arena = f->arena, .ctx = f, .lost = f->source->lost != NULL ? tell_lost : NULL};
    f->head_is_first = is_first(&f->head, &f->theirs);
    c.first = read_versions(f, f->head_is_first, !f->head_is_first);
    c.second = read_versions(f, !f->head_is_first, f->head_is_first);
    c.common = read_versions(f, true, true);
    read_bases(f, &c);
    return c;
}

static enum status put_together(struct following *f, struct error *e)
{
    const struct version_source *s = f->source;
    struct object ours;
    struct object theirs;
    struct object o;
    enum status status = read_object(f, &f->head.data, &ours, e);
    if (status == STATUS_OK)
        status = read_object(f, &f->theirs.data, &theirs, e);
    if (status != STATUS_OK)
        return status;
    struct combining c = begin_combining(f);
    struct value *value =
        f->head_is_first ? combine_values(&c, ours.value, theirs.value) : combine_values(&c, theirs.value, ours.value);
    status = object_make(s->recipes, f->arena, value, MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK && !hash_eq(&o.hash, &f->theirs.data) && !hash_eq(&o.hash, &f->head.data))
        status = s->write(s->ctx, &o, e);
    return status == STATUS_OK ? add_merge(f, &o.hash, e) : status;
}

static enum status join(struct following *f, struct error *e)
{
    enum status status = fork_find(f->source, f->arena, &f->head, &f->theirs, FORK_NODES, &f->fork, e);
    if (status != STATUS_OK)
        return status;
    const struct fork *k = &f->fork;
    bool same = hash_eq(&f->head.data, &f->theirs.data);
    if (k->theirs_is_behind || (k->only_theirs == 0 && !k->ours_is_behind && (k->only_ours != 0 || same)))
        return keep_head(f);
    return k->ours_is_behind || (k->only_ours == 0 && k->only_theirs != 0) ? take_whole(f, e) : put_together(f, e);
}

// ---- Beginning ------------------------------------------------------------------------------------------------------

static enum status find_id(struct following *f, struct error *e)
{
    struct object o;
    enum status status = read_object(f, &f->theirs.data, &o, e);
    if (status == STATUS_OK && !o.recipe->versioned)
        status =
            error_set(e, STATUS_INVALID, "SVO-SO2", "the type " SPAN_FMT " has no versions", SPAN_ARG(o.recipe->name));
    if (status != STATUS_OK)
        return status;
    f->id_hash = o.id_hash;
    f->type = o.recipe->name;
    return STATUS_OK;
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

static void end(struct following *f)
{
    hash_list_free(&f->fork.bases);
    arena_destroy(f->arena);
}

enum status version_follow(const struct version_source *s, const struct hash *node, struct version_result *out,
                           struct error *e)
{
    struct following f = {.source = s, .arena = arena_create(), .result = out};
    enum status status = follow(&f, node, e);
    end(&f);
    return status;
}

// ---- What others made of two ----------------------------------------------------------------------------------------

static enum status judge(struct following *f, const struct hash *head, const struct hash *node, const struct hash *made,
                         struct error *e)
{
    struct object ours;
    struct object theirs;
    struct object o;
    enum status status = versionnode_read(f->source, node, f->arena, &f->theirs, e);
    if (status == STATUS_OK)
        status = versionnode_read(f->source, head, f->arena, &f->head, e);
    if (status == STATUS_OK)
        status = find_id(f, e);
    if (status == STATUS_OK)
        status = fork_find(f->source, f->arena, &f->head, &f->theirs, JUDGED_NODES, &f->fork, e);
    if (status != STATUS_OK || f->fork.only_ours == 0)
        return status;
    status = read_object(f, &f->head.data, &ours, e);
    if (status == STATUS_OK)
        status = read_object(f, &f->theirs.data, &theirs, e);
    if (status == STATUS_OK)
        status = read_object(f, made, &o, e);
    if (status != STATUS_OK || ours.microdata.len > JUDGED_BYTES || theirs.microdata.len > JUDGED_BYTES ||
        o.microdata.len > JUDGED_BYTES)
        return status;
    struct combining c = begin_combining(f);
    if (f->head_is_first)
        combine_find_lost(&c, ours.value, theirs.value, o.value);
    else
        combine_find_lost(&c, theirs.value, ours.value, o.value);
    return STATUS_OK;
}

enum status version_find_lost(const struct version_source *s, const struct hash *head, const struct hash *node,
                              const struct hash *made, struct error *e)
{
    struct following f = {.source = s, .arena = arena_create(), .judging = true};
    enum status status = s->lost != NULL ? judge(&f, head, node, made, e) : STATUS_OK;
    end(&f);
    return status;
}
