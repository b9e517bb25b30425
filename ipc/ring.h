// The last events, numbered from 1, for readers that must not miss any (method events.since).
//
// The numbers go on from one run of the supervisor to the next, and so do readers: a position is a number and the run
// it was told in. What was before this run is put in with ipc_ring_restore before anything else happens.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { IPC_RING_SIZE = 10000, IPC_EVENT_DATA_MAX = 8 * 1024, IPC_BOOT_ID_SIZE = 17 };

struct ipc_ring;

struct ipc_ring *ipc_ring_create(void); // with a fresh bootId
void ipc_ring_destroy(struct ipc_ring *r);
const char *ipc_ring_boot_id(const struct ipc_ring *r);

// Numbers and keeps an event; returns its hint, a new object {bootId,seq,node,event,time}. data is borrowed and may be
// NULL; above IPC_EVENT_DATA_MAX bytes it is replaced by {"truncated":true}.
json_t *ipc_ring_add(struct ipc_ring *r, const char *node, const char *event, const json_t *data, int64_t time);

// The event added last as one line of JSON with its line end, and such a line taken back in. One that is none is left
// out; where numbers are missing, those before the hole are forgotten.
void ipc_ring_write_last(const struct ipc_ring *r, struct buf *out);
void ipc_ring_restore(struct ipc_ring *r, struct span line);

void ipc_ring_forget(struct ipc_ring *r); // all there are; the numbers go on

struct ipc_ring_query {
    const char *boot_id; // the run seq was told in; NULL = this one
    uint64_t seq;        // the first one wanted; 0: by from
    enum { IPC_FROM_RUN, IPC_FROM_OLDEST, IPC_FROM_NOW } from;
    const char *node; // only of this node; NULL = all
    const char *type; // only with this name or, if it is the part before a dot, of this kind; NULL = all
};

// True when ipc_ring_read would find an event (or a gap to tell).
bool ipc_ring_has(const struct ipc_ring *r, const struct ipc_ring_query *q);

// {bootId, events:[{seq,node,event,time,data}], next, gap}: at most limit events, and not more than fit a message. gap:
// events from seq on were overwritten, or the run is not remembered; then it begins with the oldest there are.
json_t *ipc_ring_read(const struct ipc_ring *r, const struct ipc_ring_query *q, size_t limit);
