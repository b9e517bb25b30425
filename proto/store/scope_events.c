// A number for each person that moves when what the person may see may have changed.
#include <stdlib.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/scope_events.h"
#include "store/state.h"
#include "store/statements.h"

// The newest changes of scopes and groups, in memory. A person's number moves when one of the changes since the last
// question touches a scope the person sees or saw; so asking costs what changed, not what exists. Changes of a rolled
// back transaction stay: they only make somebody look again.
enum { EVENT_COUNT = 4096 };

struct scope_event {
    int64_t scope; // 0: a group
    struct hash group;
};

struct asker {
    uint64_t version;
    uint64_t checked; // number of the first event not yet looked at
    uint64_t end_of;  // the version that feed_end is of; 0: of none
    int64_t feed_end;
};

struct scope_events {
    struct scope_event ring[EVENT_COUNT];
    uint64_t next; // number of the next event; starts with the time, so that numbers differ after a restart
    struct hash_map *askers;
};

void scope_events_create(struct store *s)
{
    s->events = mem_alloc(sizeof *s->events);
    s->events->next = (uint64_t)clock_wall_ms() << 16;
    s->events->askers = hash_map_create();
}

void scope_events_destroy(struct store *s)
{
    size_t cursor = 0;
    struct hash person;
    void *asker;
    while (hash_map_next(s->events->askers, &cursor, &person, &asker))
        free(asker);
    hash_map_destroy(s->events->askers);
    free(s->events);
}

void scope_events_note(struct store *s, int64_t scope)
{
    struct scope_events *v = s->events;
    v->ring[v->next++ % EVENT_COUNT] = (struct scope_event){.scope = scope};
}

void scope_events_note_group(struct store *s, const struct hash *group)
{
    struct scope_events *v = s->events;
    v->ring[v->next++ % EVENT_COUNT] = (struct scope_event){.group = *group};
}

void scope_events_note_all(struct store *s)
{
    s->events->next += EVENT_COUNT + 1;
}

static enum status touches(struct store *s, const struct scope_event *event, const struct hash *person, bool *yes,
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

uint64_t scope_events_count(const struct store *s)
{
    return s->events->next;
}

// A snapshot does not show what the open transaction changed: its number must not count that either, or the list of
// today would pass for that of tomorrow.
static uint64_t events_shown(const struct store *s)
{
    return store_is_snapshot(s) ? s->marks[0].scope_events : s->events->next;
}

enum status store_roots_version(struct store *s, const struct hash *person, uint64_t *version, struct error *e)
{
    struct scope_events *v = s->events;
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

enum status store_roots_end(struct store *s, const struct hash *person, int64_t *end, struct error *e)
{
    uint64_t version;
    enum status status = store_roots_version(s, person, &version, e);
    if (status != STATUS_OK)
        return status;
    struct asker *asker = hash_map_get(s->events->askers, person);
    if (asker->end_of != version || asker->feed_end > *end) {
        asker->end_of = version;
        asker->feed_end = *end;
    }
    *end = asker->feed_end;
    return STATUS_OK;
}
