// The private channel between the supervisor and one node: JSON-RPC 2.0 both ways over one nng pair1 socket.
//
//   supervisor: ipc_channel_listen before it spawns ── pair1, ipc://…/run/archive.sock, 0600 ── node: ipc_channel_dial
//
// Both sides ask (ipc_channel_call) and answer (through their ipc_service); a node also sends events. The channel has
// one descriptor to watch: it is readable when a message came, the other side came or went, or a deadline passed. A
// loop that closes what it watches (libwebsockets) gets a duplicate of it. The other side must be a process of our
// effective user, and the supervisor also matches the process id; everyone else is turned away before a byte is read.
// node.heartbeat is answered by the channel itself, from the thread that drains it. All calls: that thread only.
#pragma once

#include <sys/types.h>

#include "ipc/service.h"

struct ipc_channel;

// Of what clients may ask this side has so many under way, then BUSY: also what the other side waits for no more. What
// only our processes ask of each other always goes through.
enum { IPC_ASKED_MAX = 2048 };

struct ipc_channel_events { // any may be NULL
    void (*opened)(void *ctx);
    void (*closed)(void *ctx); // also when the other process died
    void *ctx;
    void (*event)(void *event_ctx, const char *name, json_t *data); // from the node; data is borrowed, an object
    void *event_ctx;
};

// path is a socket file, at most 107 bytes. service is borrowed; NULL answers nobody. NULL with e filled on failure.
struct ipc_channel *ipc_channel_listen(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                       struct error *e);
struct ipc_channel *ipc_channel_dial(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                     struct error *e);
// Calls that wait are answered NODE-DOWN; requests that wait for our answer lose their asker. Not from inside one of
// the channel's own callbacks.
void ipc_channel_destroy(struct ipc_channel *c);

// The listening side accepts nobody until it knows the child's pid.
void ipc_channel_expect(struct ipc_channel *c, pid_t pid);
bool ipc_channel_is_open(const struct ipc_channel *c);

int ipc_channel_fd(const struct ipc_channel *c); // watch for readability; owned by the channel
void ipc_channel_drain(struct ipc_channel *c);   // runs everything that is due; never blocks

// Asks the other side. params is taken over (NULL = {}). answer runs exactly once, from ipc_channel_drain or
// ipc_channel_destroy: with a borrowed result, or with an error (TIMEOUT when timeout_ms passed). c NULL: nobody is
// there, which is answered at once, NODE-DOWN.
typedef void (*ipc_answer)(void *ctx, json_t *result, const struct error *error);
void ipc_channel_call(struct ipc_channel *c, const char *method, json_t *params, uint64_t timeout_ms, ipc_answer answer,
                      void *ctx);

// As ipc_channel_call, for what somebody waits for: NODE-DOWN when the other side has not begun within begin_ms (more
// than 300), and then it does not do it later either. params: members of a JSON object, as text.
void ipc_channel_call_soon(struct ipc_channel *c, const char *method, struct span params, uint64_t begin_ms,
                           uint64_t timeout_ms, ipc_answer answer, void *ctx);

// Tells the other side that nobody waits any more for the answers to the calls with this ctx; they come all the same.
// NULL-safe.
void ipc_channel_abandon(struct ipc_channel *c, const void *ctx);

// Tells the supervisor that something happened. name is in the table of events.h, data (taken over, may be NULL) a flat
// object without secrets. Never blocks; when the other side falls 16 MiB behind, events are dropped and counted, and
// the count is told as stream.gap as soon as there is room.
void ipc_channel_tell(struct ipc_channel *c, const char *name, json_t *data);
