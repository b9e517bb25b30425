#include "ipc/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "ipc/methods.h"

struct entry {
    int64_t time;
    char *node;
    char *event;
    char *data; // JSON text: a tenth of the memory of an object tree
};

struct ipc_ring {
    char boot_id[IPC_BOOT_ID_SIZE];
    uint64_t next; // number of the next event
    struct entry entries[IPC_RING_SIZE];
};

struct ipc_ring *ipc_ring_create(void)
{
    struct ipc_ring *r = mem_alloc(sizeof *r);
    random_text(r->boot_id, sizeof r->boot_id - 1);
    r->next = 1;
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

json_t *ipc_ring_add(struct ipc_ring *r, const char *node, const char *event, const json_t *data, int64_t time)
{
    uint64_t seq = r->next++;
    struct entry *e = &r->entries[seq % IPC_RING_SIZE];
    entry_clear(e);
    *e = (struct entry){time, mem_text(span_of(node)), mem_text(span_of(event)), data_text(data)};
    return json_pack("{s:s, s:I, s:s, s:s, s:I}", "bootId", r->boot_id, "seq", (json_int_t)seq, "node", node, "event",
                     event, "time", (json_int_t)time);
}

static uint64_t oldest(const struct ipc_ring *r)
{
    return r->next > IPC_RING_SIZE ? r->next - IPC_RING_SIZE : 1;
}

static bool is_gap(const struct ipc_ring *r, const char *boot_id, uint64_t seq)
{
    bool other_run = boot_id != NULL && strcmp(boot_id, r->boot_id) != 0;
    return other_run || (seq > 0 && seq < oldest(r)) || seq > r->next;
}

bool ipc_ring_has(const struct ipc_ring *r, const char *boot_id, uint64_t seq)
{
    return is_gap(r, boot_id, seq) || (seq < r->next && r->next > 1);
}

static json_t *entry_to_json(uint64_t seq, const struct entry *e)
{
    return json_pack("{s:I, s:s, s:s, s:I, s:o}", "seq", (json_int_t)seq, "node", e->node, "event", e->event, "time",
                     (json_int_t)e->time, "data", json_loads(e->data, JSON_ALLOW_NUL, NULL));
}

json_t *ipc_ring_read(const struct ipc_ring *r, const char *boot_id, uint64_t seq, size_t limit)
{
    bool gap = is_gap(r, boot_id, seq);
    if (gap || seq == 0)
        seq = oldest(r);
    json_t *events = json_array();
    size_t bytes = 0;
    for (; seq < r->next && limit > 0 && bytes < IPC_PAGE_MAX; seq++, limit--) {
        const struct entry *e = &r->entries[seq % IPC_RING_SIZE];
        bytes += strlen(e->data) + strlen(e->event) + strlen(e->node) + 100;
        json_array_append_new(events, entry_to_json(seq, e));
    }
    return json_pack("{s:s, s:o, s:I, s:b}", "bootId", r->boot_id, "events", events, "next", (json_int_t)seq, "gap",
                     gap);
}
