// Data is kept as text, which takes a tenth of the memory of a tree. What was before this run comes from the log of
// events; where numbers are missing in it, all before the hole is forgotten, so that a reader is told of a gap and not
// led past it.
#include "ipc/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "ipc/methods.h"

struct entry {
    int64_t time;
    char *node;
    char *event;
    char *data; // JSON text: a tenth of the memory of an object tree
};

struct run {
    char boot_id[IPC_BOOT_ID_SIZE];
    uint64_t end; // the number after its last
};

struct ipc_ring {
    char boot_id[IPC_BOOT_ID_SIZE];
    uint64_t next;     // number of the next event
    uint64_t began;    // and of the first of this run
    uint64_t restored; // of the oldest that came from before; 0 = none did
    struct run *runs;  // before this one
    size_t run_count;
    struct entry entries[IPC_RING_SIZE];
};

struct ipc_ring *ipc_ring_create(void)
{
    struct ipc_ring *r = mem_alloc(sizeof *r);
    random_text(r->boot_id, sizeof r->boot_id - 1);
    r->next = r->began = 1;
    return r;
}

static void entry_clear(struct entry *e)
{
    free(e->node);
    free(e->event);
    free(e->data);
    *e = (struct entry){0};
}

void ipc_ring_destroy(struct ipc_ring *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < IPC_RING_SIZE; i++)
        entry_clear(&r->entries[i]);
    free(r->runs);
    free(r);
}

const char *ipc_ring_boot_id(const struct ipc_ring *r)
{
    return r->boot_id;
}

static char *data_text(const json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    if (text != NULL && strlen(text) <= IPC_EVENT_DATA_MAX)
        return text;
    free(text);
    return mem_text(span_of(data == NULL ? "{}" : "{\"truncated\":true}"));
}

static void put(struct ipc_ring *r, const char *node, const char *event, char *data, int64_t time)
{
    struct entry *e = &r->entries[r->next++ % IPC_RING_SIZE];
    entry_clear(e);
    *e = (struct entry){.time = time, .node = mem_text(span_of(node)), .event = mem_text(span_of(event))};
    e->data = data;
}

json_t *ipc_ring_add(struct ipc_ring *r, const char *node, const char *event, const json_t *data, int64_t time)
{
    put(r, node, event, data_text(data), time);
    return json_pack("{s:s, s:I, s:s, s:s, s:I}", "bootId", r->boot_id, "seq", (json_int_t)r->next - 1, "node", node,
                     "event", event, "time", (json_int_t)time);
}

static uint64_t oldest(const struct ipc_ring *r)
{
    uint64_t first = r->restored != 0 ? r->restored : r->began;
    return r->next - first > IPC_RING_SIZE ? r->next - IPC_RING_SIZE : first;
}

// ---- From one run to the next --------------------------------------------------------------------------------------

// Names of nodes and events are words of ours.
void ipc_ring_write_last(const struct ipc_ring *r, struct buf *out)
{
    const struct entry *e = &r->entries[(r->next - 1) % IPC_RING_SIZE];
    buf_printf(out,
               "{\"bootId\":\"%s\",\"seq\":%llu,\"node\":\"%s\",\"event\":\"%s\",\"time\":%lld,\"data\":", r->boot_id,
               (unsigned long long)r->next - 1, e->node, e->event, (long long)e->time);
    buf_add_text(out, e->data);
    buf_add_text(out, "}\n");
}

static void note_run(struct ipc_ring *r, const char *boot_id)
{
    struct run *last = r->run_count > 0 ? &r->runs[r->run_count - 1] : NULL;
    if (last == NULL || strcmp(last->boot_id, boot_id) != 0) {
        r->runs = mem_resize(r->runs, (r->run_count + 1) * sizeof *r->runs);
        last = &r->runs[r->run_count++];
        snprintf(last->boot_id, sizeof last->boot_id, "%s", boot_id);
    }
    last->end = r->next;
}

static void restore(struct ipc_ring *r, json_int_t seq, const json_t *event)
{
    const char *boot_id = json_string_value(json_object_get(event, "bootId"));
    const char *node = json_string_value(json_object_get(event, "node"));
    const char *name = json_string_value(json_object_get(event, "event"));
    if (boot_id == NULL || node == NULL || name == NULL || (uint64_t)seq < r->next)
        return;
    if (r->restored == 0 || (uint64_t)seq != r->next) {
        r->restored = r->next = (uint64_t)seq;
        r->run_count = 0;
    }
    put(r, node, name, data_text(json_object_get(event, "data")), json_integer_value(json_object_get(event, "time")));
    r->began = r->next;
    note_run(r, boot_id);
}

void ipc_ring_restore(struct ipc_ring *r, struct span line)
{
    json_t *event = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, NULL);
    json_int_t seq = json_integer_value(json_object_get(event, "seq"));
    if (seq > 0)
        restore(r, seq, event);
    json_decref(event);
}

void ipc_ring_forget(struct ipc_ring *r)
{
    for (size_t i = 0; i < IPC_RING_SIZE; i++)
        entry_clear(&r->entries[i]);
    r->began = r->next;
    r->restored = 0;
    r->run_count = 0;
}

// ---- Reading -------------------------------------------------------------------------------------------------------

static const struct run *run_named(const struct ipc_ring *r, const char *boot_id)
{
    for (size_t i = 0; i < r->run_count; i++)
        if (strcmp(r->runs[i].boot_id, boot_id) == 0)
            return &r->runs[i];
    return NULL;
}

static bool is_gap(const struct ipc_ring *r, const struct ipc_ring_query *q)
{
    uint64_t end = r->next;
    if (q->boot_id != NULL && strcmp(q->boot_id, r->boot_id) != 0) {
        const struct run *run = run_named(r, q->boot_id);
        if (run == NULL)
            return true;
        end = run->end; // what it told beyond that was not kept
    }
    return (q->seq > 0 && q->seq < oldest(r)) || q->seq > end;
}

static uint64_t start_of(const struct ipc_ring *r, const struct ipc_ring_query *q)
{
    uint64_t first = oldest(r);
    if (q->from == IPC_FROM_NOW)
        return r->next;
    if (is_gap(r, q))
        return first;
    if (q->seq > 0)
        return q->seq;
    return q->from == IPC_FROM_OLDEST || r->began < first ? first : r->began;
}

static bool is_of_type(const char *event, const char *type)
{
    size_t n = strlen(type);
    return strncmp(event, type, n) == 0 && (event[n] == '\0' || event[n] == '.');
}

static bool is_wanted(const struct entry *e, const struct ipc_ring_query *q)
{
    return (q->node == NULL || strcmp(q->node, e->node) == 0) && (q->type == NULL || is_of_type(e->event, q->type));
}

bool ipc_ring_has(const struct ipc_ring *r, const struct ipc_ring_query *q)
{
    if (is_gap(r, q))
        return true;
    for (uint64_t seq = start_of(r, q); seq < r->next; seq++)
        if (is_wanted(&r->entries[seq % IPC_RING_SIZE], q))
            return true;
    return false;
}

static json_t *entry_to_json(uint64_t seq, const struct entry *e)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:o}", "seq", (json_int_t)seq, "node", e->node, "event", e->event, "time",
                     (json_int_t)e->time, "data", json_loads(e->data, JSON_ALLOW_NUL, NULL));
}

json_t *ipc_ring_read(const struct ipc_ring *r, const struct ipc_ring_query *q, size_t limit)
{
    bool gap = is_gap(r, q);
    uint64_t seq = start_of(r, q);
    json_t *events = json_array();
    size_t bytes = 0;
    for (; seq < r->next && limit > 0 && bytes < IPC_PAGE_MAX; seq++) {
        const struct entry *e = &r->entries[seq % IPC_RING_SIZE];
        if (!is_wanted(e, q))
            continue;
        bytes += strlen(e->data) + strlen(e->event) + strlen(e->node) + 100;
        json_array_append_new(events, entry_to_json(seq, e));
        limit--;
    }
    return json_pack("{s:s, s:o, s:I, s:b}", "bootId", r->boot_id, "events", events, "next", (json_int_t)seq, "gap",
                     (int)gap);
}
