// The roots of a person as CHUM version 8 lists them (WIRE.md 10.4), and a number that tells when they may have
// changed.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/internal.h"

// ---- What changed ---------------------------------------------------------------------------------------------------

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

uint64_t access_events_count(const struct store *s)
{
    return s->events->next;
}

// A snapshot does not show what the open transaction changed: its number must not count that either, or the list of
// today would pass for that of tomorrow.
static uint64_t events_shown(const struct store *s)
{
    return store_is_snapshot(s) ? s->marks[0].access_events : s->events->next;
}

enum status store_roots_version(struct store *s, const struct hash *person, uint64_t *version, struct error *e)
{
    struct access_events *v = s->events;
    uint64_t end = events_shown(s);
    struct asker *asker = hash_map_get(v->askers, person);
    if (asker == NULL) {
        asker = mem_alloc(sizeof *asker);
        asker->version = asker->checked = end;
        hash_map_set(v->askers, person, asker);
    }
    enum status status = STATUS_OK;
    bool changed = v->next - asker->checked > EVENT_COUNT; // the ring does not hold them any more
    for (uint64_t i = asker->checked; i < end && !changed && status == STATUS_OK; i++)
        status = touches(s, &v->ring[i % EVENT_COUNT], person, &changed, e);
    if (status != STATUS_OK)
        return status;
    if (changed)
        asker->version = end;
    asker->checked = end;
    *version = asker->version;
    return STATUS_OK;
}

// ---- The list -------------------------------------------------------------------------------------------------------

struct listing {
    struct store *store;
    store_root_fn emit;
    void *arg;
    uint64_t *skipped;
    const struct hash *person;
    bool own;                        // another node of ours
    struct hash_map *hidden;         // what the person may not see for lacking BLOBs; NULL = nobody asked yet
    const struct hash_map *withheld; // what its node cannot take over; NULL = nothing
};

static enum status may_show_lacking(struct listing *l, const struct hash *hash, bool *yes, struct error *e)
{
    enum status status = STATUS_OK;
    *yes = l->own;
    if (l->own)
        return STATUS_OK;
    if (l->hidden == NULL) {
        l->hidden = hash_map_create();
        status = tree_lacking_for_others(l->store, l->person, l->hidden, e);
    }
    *yes = !hash_map_has(l->hidden, hash);
    return status;
}

// Whether the root with this entry (NULL: it cannot be delivered) and the mark "lacking" behind it is listed.
static enum status may_show(struct listing *l, sqlite3_stmt *st, int entry, const struct hash *hash, bool *yes,
                            struct error *e)
{
    enum status status = STATUS_OK;
    *yes = sqlite3_column_type(st, entry) != SQLITE_NULL && (l->withheld == NULL || !hash_map_has(l->withheld, hash));
    int lacking = sqlite3_column_int(st, entry + 1);
    if (*yes && (lacking == FRAGMENT_OWN || lacking == FRAGMENT_MERGE))
        *yes = l->own;
    else if (*yes && lacking == FRAGMENT_LACKING)
        status = may_show_lacking(l, hash, yes, e);
    if (!*yes && lacking != FRAGMENT_MERGE)
        ++*l->skipped;
    return status;
}

static enum status emit_nodes(struct listing *l, int64_t scope, const struct hash *id_hash, struct error *e)
{
    sqlite3_stmt *st = statement(l->store, SQL_SCOPE_NODES);
    sqlite3_bind_int64(st, 1, scope);
    for (;;) {
        bool row;
        bool shown = false;
        struct hash node;
        enum status status = statement_step(l->store, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        if (column_hash(st, 0, &node))
            status = may_show(l, st, 1, &node, &shown, e);
        if (status == STATUS_OK && shown)
            status = l->emit(column_bytes(st, 1), &node, id_hash, l->arg);
        if (status != STATUS_OK) {
            sqlite3_reset(st);
            return status;
        }
    }
}

// One row of SQL_PERSON_SCOPES.
static enum status emit_scope(struct listing *l, sqlite3_stmt *st, struct error *e)
{
    struct hash target;
    struct hash id_hash;
    bool shown;
    bool is_id = sqlite3_column_int(st, 1) == SCOPE_ID;
    bool versioned = column_hash(st, 3, &id_hash);
    if (!column_hash(st, 2, &target))
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "A granted root is damaged");
    enum status status = may_show(l, st, 4, &target, &shown, e);
    if (status != STATUS_OK || !shown)
        return status;
    status = l->emit(column_bytes(st, 4), is_id ? NULL : &target, versioned ? &id_hash : NULL, l->arg);
    return status == STATUS_OK && is_id ? emit_nodes(l, sqlite3_column_int64(st, 0), &target, e) : status;
}

static enum status list_roots(struct store *s, const struct hash *person, bool own, store_root_fn emit, void *arg,
                              uint64_t *skipped, struct error *e)
{
    uint64_t ignored;
    struct listing l = {.store = s, .person = person, .own = own, .emit = emit, .arg = arg};
    l.skipped = skipped != NULL ? skipped : &ignored;
    *l.skipped = 0;
    enum status status = own ? STATUS_OK : withheld_find(s, person, &l.withheld, e);
    sqlite3_stmt *st = statement(s, SQL_PERSON_SCOPES);
    bind_hash(st, 1, person);
    bool row = true;
    while (status == STATUS_OK && row) {
        status = statement_step(s, st, &row, e);
        if (status == STATUS_OK && row)
            status = emit_scope(&l, st, e);
    }
    sqlite3_reset(st);
    hash_map_destroy(l.hidden);
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
