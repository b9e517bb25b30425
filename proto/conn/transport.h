// What carries messages: a WebSocket of proto/net, one end of a relay's splice, or a pipe in a test.
//
// A transport is made by its owner and given to one user at a time. The user installs its events; the owner calls them
// on the loop thread, never from within an operation, which transport_tell asserts. After closed nothing is called any
// more and the user must not touch the transport again. A user that loses interest earlier calls close and then
// transport_release.
#pragma once

#include "base/bytes.h"
#include "base/invariant.h"

struct budget;
struct transport;

struct transport_ops {
    void (*send)(struct transport *t, bool text, struct span payload); // copies; queued without limit, see queued
    void (*close)(struct transport *t, const char *reason);      // closing handshake, code 1000, reason ≤ 123 bytes
    void (*pause)(struct transport *t, bool paused);             // stop or go on reading the peer
    size_t (*queued)(const struct transport *t);                 // bytes accepted by send and not yet written
    void (*wake_at)(struct transport *t, uint64_t monotonic_ms); // ask for the time event; 0 = none; replaces the last
};

enum {                         // instead of a WebSocket's code: we closed because of
    TRANSPORT_TOO_BIG = -1,    // a message beyond the limit
    TRANSPORT_BAD_FRAMES = -2, // something WebSocket does not allow
};

struct transport_events {
    void (*message)(void *ctx, bool text, struct span payload);
    void (*closed)(void *ctx, int code, struct span reason); // the last event
    void (*drained)(void *ctx); // queued became small again (below 8 KiB after above 256 KiB)
    void (*time)(void *ctx);
};

struct transport {
    const struct transport_ops *ops;
    const struct transport_events *events; // set with transport_use
    void *ctx;
    uint64_t id;           // unique in the process: transport_new_id
    const char *url;       // where it was dialled to or accepted from, for people; owned by the transport
    bool relayed;          // spliced by a relay, as the owner knows, or the user is told by the peer
    struct budget *budget; // set by the user: the account of what the peer sends and is not whole yet; NULL = none
    bool trusted;          // set by the user when the peer has proved to be a known one: others give way first
    uint64_t bytes_sent, bytes_received, messages_sent, messages_received; // kept by the owner; sent: by send
    unsigned operating;                                                    // operations under way
    OWNER
};

static inline void transport_use(struct transport *t, const struct transport_events *events, void *ctx)
{
    t->events = events;
    t->ctx = ctx;
}

// The user's side.
static inline void transport_send(struct transport *t, bool text, struct span payload)
{
    OWNER_ASSERT(t);
    t->operating++;
    t->ops->send(t, text, payload);
    t->operating--;
}

static inline void transport_close(struct transport *t, const char *reason)
{
    OWNER_ASSERT(t);
    t->operating++;
    t->ops->close(t, reason);
    t->operating--;
}

static inline void transport_pause(struct transport *t, bool paused)
{
    OWNER_ASSERT(t);
    t->operating++;
    t->ops->pause(t, paused);
    t->operating--;
}

static inline void transport_wake_at(struct transport *t, uint64_t monotonic_ms)
{
    OWNER_ASSERT(t);
    t->operating++;
    t->ops->wake_at(t, monotonic_ms);
    t->operating--;
}

// The owner's side: the events, to call one of them.
static inline const struct transport_events *transport_tell(const struct transport *t)
{
    OWNER_ASSERT(t);
    INVARIANT(t->operating == 0);
    return t->events;
}

uint64_t transport_new_id(void); // increasing, from 1

// The user is gone: what still happens on this transport is ignored until its owner destroys it after closed.
void transport_release(struct transport *t);
