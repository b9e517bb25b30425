// A blocking client of the control endpoint. Each mutating call carries an opId, made here when the caller gave none,
// so that a repetition after a lost connection acts once.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct ipc_client;

struct ipc_call;

enum { IPC_FOREVER = -1 };

// path is the socket file. NULL with STATUS_CLOSED "NOT-RUNNING" when nobody listens there.
struct ipc_client *ipc_client_connect(const char *path, struct error *e);
void ipc_client_destroy(struct ipc_client *c);

// A call then ends early, with CLOSED, when a signal came and stop says so. NULL: it does not.
void ipc_client_stop_when(struct ipc_client *c, bool (*stop)(void));

// params is taken over (NULL = {}). The result is a new reference; NULL with e filled on failure: the server's error,
// TIMEOUT, or NOT-RUNNING when the server went away and stays away.
json_t *ipc_client_call(struct ipc_client *c, const char *method, json_t *params, int64_t timeout_ms, struct error *e);

// The same in two steps, so that several are under way (the server takes IPC_IN_FLIGHT_MAX of a client): they reach it
// in the order in which they were begun. Each that was begun has to be taken, in whatever order, before the client is
// destroyed. Without an answer (TIMEOUT, CLOSED, NOT-RUNNING) nobody knows whether it was done.
struct ipc_call *ipc_client_begin(struct ipc_client *c, const char *method, json_t *params, int64_t timeout_ms,
                                  struct error *e);
json_t *ipc_client_take(struct ipc_call *call, struct error *e); // waits; the call is gone then
