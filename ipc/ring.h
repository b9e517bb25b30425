// The last events of this run, numbered from 1, for readers that must not miss any (method events.since).
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { IPC_RING_SIZE = 10000, IPC_EVENT_DATA_MAX = 8 * 1024, IPC_BOOT_ID_SIZE = 17 };

struct ipc_ring;

struct ipc_ring *ipc_ring_create(void); // with a fresh bootId
void ipc_ring_destroy(struct ipc_ring *r);
const char *ipc_ring_boot_id(const struct ipc_ring *r);

// Numbers and keeps an event; returns its hint, a new object {bootId,seq,node,event,time}. data is borrowed and may be
// NULL; above IPC_EVENT_DATA_MAX bytes it is replaced by {"truncated":true}.
json_t *ipc_ring_add(struct ipc_ring *r, const char *node, const char *event, const json_t *data, int64_t time);

// True when ipc_ring_read would find an event (or a gap to tell).
bool ipc_ring_has(const struct ipc_ring *r, const char *boot_id, uint64_t seq);

// {bootId, events:[{seq,node,event,time,data}], next, gap}: at most limit events from seq on, and not more than fit a
// message. seq 0 means from the oldest. boot_id may be NULL; another run's makes a gap and starts from the oldest.
json_t *ipc_ring_read(const struct ipc_ring *r, const char *boot_id, uint64_t seq, size_t limit);
