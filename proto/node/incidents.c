// The same error again counts in its old place and does not move: so a hundred different errors are seen, whichever of
// them is loud. The order for people is made when somebody asks.
#include "node/incidents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "node/job.h"
#include "node/json.h"

static const struct kind {
    const char *name;
    const char *severity; // what only keeps one thing from happening is a warning
} kinds[] = {
    [INCIDENT_CONNECTION] = {"connection", "warning"},
    [INCIDENT_AUTH] = {"auth", "error"},
    [INCIDENT_ENCRYPTION] = {"encryption", "error"},
    [INCIDENT_PAIRING] = {"pairing", "error"},
    [INCIDENT_SYNC] = {"sync", "warning"},
};

struct entry {
    enum incident type;
    uint64_t connection;
    struct error why;
    int64_t time_ms; // of the last time
    uint64_t count;
};

struct incidents {
    struct entry items[INCIDENTS_MAX];
    size_t count;
    size_t next;
    uint64_t total;
    void (*noted)(void *ctx);
    void *ctx;
};

struct incidents *incidents_create(void (*noted)(void *ctx), void *ctx)
{
    struct incidents *i = mem_alloc(sizeof *i);
    i->noted = noted;
    i->ctx = ctx;
    return i;
}

void incidents_destroy(struct incidents *i)
{
    free(i);
}

static struct entry *find(struct incidents *i, enum incident type, const struct error *why)
{
    for (size_t k = 0; k < i->count; k++) {
        struct entry *entry = &i->items[k];
        if (entry->type == type && strcmp(entry->why.code, why->code) == 0 &&
            strcmp(entry->why.message, why->message) == 0)
            return entry;
    }
    return NULL;
}

void incidents_note(struct incidents *i, enum incident type, uint64_t connection, const struct error *why,
                    int64_t now_ms)
{
    struct entry *entry = find(i, type, why);
    i->total++;
    if (entry == NULL) {
        entry = &i->items[i->next];
        i->next = (i->next + 1) % INCIDENTS_MAX;
        i->count += i->count < INCIDENTS_MAX;
        *entry = (struct entry){.type = type, .why = *why};
    }
    entry->connection = connection;
    entry->time_ms = now_ms;
    entry->count++;
    i->noted(i->ctx);
}

uint64_t incidents_total(const struct incidents *i)
{
    return i->total;
}

static int newest_first(const void *a, const void *b)
{
    const struct entry *x = *(const struct entry *const *)a;
    const struct entry *y = *(const struct entry *const *)b;
    return (x->time_ms < y->time_ms) - (x->time_ms > y->time_ms);
}

json_t *incidents_recent(const struct incidents *i, const char *type)
{
    const struct entry *order[INCIDENTS_MAX];
    json_t *list = json_array();
    for (size_t k = 0; k < i->count; k++)
        order[k] = &i->items[k];
    qsort(order, i->count, sizeof order[0], newest_first);
    for (size_t k = 0; k < i->count; k++) {
        const struct entry *x = order[k];
        if (type != NULL && strcmp(kinds[x->type].name, type) != 0)
            continue;
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:s, s:s, s:I, s:o, s:I}", "type", kinds[x->type].name, "error",
                                        node_json_text(span_of(x->why.message)), "code", x->why.code, "severity",
                                        kinds[x->type].severity, "timestamp", (json_int_t)x->time_ms, "connectionId",
                                        x->connection != 0 ? json_integer((json_int_t)x->connection) : json_null(),
                                        "count", (json_int_t)x->count));
    }
    return list;
}
