// A client of a control endpoint on a libuv loop: many calls at a time, each answered by a callback. The blocking one
// of ipc/client.h would want a thread for each installation.
#pragma once

#include <jansson.h>
#include <uv.h>

#include "base/error.h"

struct rpc;

// result is borrowed, NULL with e filled on failure: the server's error, CLOSED when the connection broke, TIMEOUT.
typedef void (*rpc_done)(void *arg, const json_t *result, const struct error *e);

// path is the socket. Connects with the first call, and anew with the first after the connection broke.
struct rpc *rpc_create(uv_loop_t *loop, const char *path);
// params is taken over. done is called once, never from within rpc_call, and not after rpc_destroy.
void rpc_call(struct rpc *r, const char *method, json_t *params, uint64_t timeout_ms, rpc_done done, void *arg);
void rpc_destroy(struct rpc *r); // forgets what is under way; NULL-safe
