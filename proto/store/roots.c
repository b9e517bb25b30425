// The roots of a person as CHUM version 8 lists them (WIRE.md 10.4), and a number that tells when they may have
// changed.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/stringify.h"
#include "store/internal.h"

// ---- What changed
// ----------------------------------------------------------------------------------------------------

// The newest changes of scopes and groups, in memory. A person's number moves when one of the changes since the last
// question touches a scope the person sees or saw; so asking costs what changed, not what exists. Changes of a rolled
// back transaction stay: they only make somebody look again.
enum { EVENT_COUNT = 4096 };

struct access_event {
    int64_t scope; // 0: a group
    struct hash group;
};

struct asker {
    uint64_t version;
    uint64_t checked; // number of the first event not yet looked at
};

struct access_events {
    struct access_event ring[EVENT_COUNT];
    uint64_t next; // number of the next event; starts with the time, so that numbers differ after a restart
    struct hash_map *askers;
};

void access_events_create(struct store *s)
{
    s->events = mem_alloc(sizeof *s->events);
    s->events->next = (uint64_t)clock_wall_ms() << 16;
    s->events->askers = hash_map_create();
}

void access_events_destroy(struct store *s)
{
    size_t cursor = 0;
    struct hash person;
    void *asker;
    while (hash_map_next(s->events->askers, &cursor, &person, &asker))
        free(asker);
    hash_map_destroy(s->events->askers);
    free(s->events);
}

void access_note_scope(struct store *s, int64_t scope)
{
    struct access_events *v = s->events;
    v->ring[v->next++ % EVENT_COUNT] = (struct access_event){.scope = scope};
}

void access_note_group(struct store *s, const struct hash *group)
{
    struct access_events *v = s->events;
    v->ring[v->next++ % EVENT_COUNT] = (struct access_event){.group = *group};
}

void access_note_all(struct store *s)
{
    s->events->next += EVENT_COUNT + 1;
}

static enum status touches(struct store *s, const struct access_event *event, const struct hash *person, bool *yes,
                           struct error *e)
{
    sqlite3_stmt *st = statement(s, event->scope != 0 ? SQL_MEMBER_TOUCHES : SQL_GROUP_TOUCHES);
    if (event->scope != 0)
        sqlite3_bind_int64(st, 1, event->scope);
    else
        bind_hash(st, 1, &event->group);
    bind_hash(st, 2, person);
    enum status status = statement_step(s, st, yes, e);
    if (*yes)
        sqlite3_reset(st);
    return status;
}

enum status store_roots_version(struct store *s, const struct hash *person, uint64_t *version, struct error *e)
{
    struct access_events *v = s->events;
    struct asker *asker = hash_map_get(v->askers, person);
    if (asker == NULL) {
        asker = mem_alloc(sizeof *asker);
        asker->version = asker->checked = v->next;
        hash_map_set(v->askers, person, asker);
    }
    enum status status = STATUS_OK;
    bool changed = v->next - asker->checked > EVENT_COUNT;
    for (uint64_t i = asker->checked; i < v->next && !changed && status == STATUS_OK; i++)
        status = touches(s, &v->ring[i % EVENT_COUNT], person, &changed, e);
    if (status != STATUS_OK)
        return status;
    if (changed)
        asker->version = v->next;
    asker->checked = v->next;
    *version = asker->version;
    return STATUS_OK;
}

// ---- The list
// --------------------------------------------------------------------------------------------------------

struct root { // a row of SQL_PERSON_SCOPES
    int64_t scope;
    bool is_id;
    struct hash target;
    const struct store_type *type; // NULL: not here
    struct hash id_hash;
    enum tree tree;
};

struct listing {
    struct store *store;
    store_root_fn emit;
    void *arg;
    uint64_t *skipped;
    const struct hash *person;
    bool own;                // another node of ours
    struct hash_map *hidden; // what the person may not see for lacking BLOBs; NULL = nobody asked yet
    struct buf fragment;
};

static enum status may_show(struct listing *l, const struct hash *hash, enum tree tree, bool *yes, struct error *e)
{
    *yes = tree == TREE_DELIVERABLE || (tree == TREE_LACKING && l->own);
    if (tree != TREE_LACKING || l->own)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (l->hidden == NULL) {
        l->hidden = hash_map_create();
        status = tree_lacking_for_others(l->store, l->person, l->hidden, e);
    }
    *yes = !hash_map_has(l->hidden, hash);
    return status;
}

static void add_type(struct buf *b, const char *name, const struct store_type *type)
{
    buf_printf(b, ",\"%s\":", name);
    stringify_string((struct span){type->name, type->length}, b);
    buf_add_char(b, '}');
}

static enum status emit_object(struct listing *l, const struct root *r)
{
    struct buf *b = &l->fragment;
    bool versioned = !hash_is_zero(&r->id_hash);
    buf_clear(b);
    buf_printf(b, "{\"type\":\"%s\",\"hash\":\"%s\"", versioned ? "versioned" : "unversioned", hash_text(&r->target).s);
    if (versioned)
        buf_printf(b, ",\"idHash\":\"%s\"", hash_text(&r->id_hash).s);
    add_type(b, "oneType", r->type);
    return l->emit(buf_span(b), &r->target, versioned ? &r->id_hash : NULL, l->arg);
}

static enum status emit_id(struct listing *l, const struct root *r)
{
    struct buf *b = &l->fragment;
    buf_clear(b);
    buf_printf(b, "{\"type\":\"id\",\"idHash\":\"%s\"", hash_text(&r->target).s);
    add_type(b, "oneType", r->type);
    return l->emit(buf_span(b), NULL, &r->target, l->arg);
}

static enum status emit_node(struct listing *l, const struct root *r, const struct hash *node)
{
    struct buf *b = &l->fragment;
    buf_clear(b);
    buf_printf(b, "{\"type\":\"version_node\",\"node\":\"%s\",\"dataIdHash\":\"%s\"", hash_text(node).s,
               hash_text(&r->target).s);
    add_type(b, "dataType", r->type);
    return l->emit(buf_span(b), node, &r->target, l->arg);
}

static enum status emit_nodes(struct listing *l, const struct root *r, struct error *e)
{
    sqlite3_stmt *st = statement(l->store, SQL_SCOPE_NODES);
    sqlite3_bind_int64(st, 1, r->scope);
    for (;;) {
        bool row;
        struct hash node;
        enum status status = statement_step(l->store, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        bool shown = column_hash(st, 0, &node);
        if (shown)
            status = may_show(l, &node, (enum tree)sqlite3_column_int(st, 1), &shown, e);
        if (status == STATUS_OK && shown)
            status = emit_node(l, r, &node);
        else
            ++*l->skipped;
        if (status != STATUS_OK) {
            sqlite3_reset(st);
            return status;
        }
    }
}

static enum status emit_root(struct listing *l, const struct root *r, struct error *e)
{
    int needed = r->is_id ? STORE_ID_OBJECT : STORE_OBJECT;
    bool shown = r->type != NULL && r->type->kind == needed;
    enum status status = shown ? may_show(l, &r->target, r->tree, &shown, e) : STATUS_OK;
    if (status != STATUS_OK || !shown) {
        ++*l->skipped;
        return status;
    }
    if (!r->is_id)
        return emit_object(l, r);
    status = emit_id(l, r);
    return status == STATUS_OK ? emit_nodes(l, r, e) : status;
}

static bool read_root(struct store *s, sqlite3_stmt *st, struct root *r)
{
    memset(r, 0, sizeof *r);
    r->scope = sqlite3_column_int64(st, 0);
    r->is_id = sqlite3_column_int(st, 1) != 0;
    r->type = type_by_id(s, sqlite3_column_int64(st, 3));
    (void)column_hash(st, 4, &r->id_hash);
    r->tree = (enum tree)sqlite3_column_int(st, 5);
    return column_hash(st, 2, &r->target);
}

static enum status list_roots(struct store *s, const struct hash *person, bool own, store_root_fn emit, void *arg,
                              uint64_t *skipped, struct error *e)
{
    uint64_t ignored;
    struct listing l = {.store = s, .person = person, .own = own, .emit = emit, .arg = arg};
    l.skipped = skipped != NULL ? skipped : &ignored;
    *l.skipped = 0;
    sqlite3_stmt *st = statement(s, SQL_PERSON_SCOPES);
    bind_hash(st, 1, person);
    enum status status;
    for (;;) {
        bool row;
        struct root r;
        status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            break;
        if (read_root(s, st, &r))
            status = emit_root(&l, &r, e);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_reset(st);
    hash_map_destroy(l.hidden);
    buf_free(&l.fragment);
    return status;
}

enum status store_roots(struct store *s, const struct hash *person, store_root_fn emit, void *arg, uint64_t *skipped,
                        struct error *e)
{
    return list_roots(s, person, false, emit, arg, skipped, e);
}

enum status store_roots_own(struct store *s, const struct hash *person, store_root_fn emit, void *arg,
                            uint64_t *skipped, struct error *e)
{
    return list_roots(s, person, true, emit, arg, skipped, e);
}
