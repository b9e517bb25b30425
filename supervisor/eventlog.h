// The events as lines of JSON, DIR/log/events.log and events.log.1, so that the next run of the supervisor knows them.
#pragma once

#include "ipc/ring.h"
#include "supervisor/logfile.h"

// Puts what path (and path.1) holds into the ring and opens it for more. NULL on failure.
struct logfile *eventlog_open(const char *path, struct ipc_ring *ring, struct error *e);
void eventlog_add(struct logfile *l, const struct ipc_ring *ring); // the event that was added to the ring last
