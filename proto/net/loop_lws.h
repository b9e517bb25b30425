// Inside proto/net only: what the loop shares with the WebSocket code.
//
// Each kind of socket has its own libwebsockets vhost, because the creation and destruction of every socket is reported
// to the first protocol of its vhost. A socket's object is its opaque user data.
#pragma once

#include "base/invariant.h"
#include "net/loop.h"
#include "net/timers.h"

#include <libwebsockets.h>

#define LOOP_POLL "poll"

// What waits for the sockets in libwebsockets' place. poll(2) looks at every socket at each turn, an engine only at
// those with news.
struct loop_engine {
    const char *name;
    uint64_t option;                           // of libwebsockets' context
    void *(*create)(struct loop *l);           // what libwebsockets calls a foreign loop; NULL: impossible
    void (*destroy)(void *waiting);            // after the context
    void (*turn)(void *waiting);               // waits for news, and tells libwebsockets
    void (*alarm)(void *waiting, uint64_t ms); // calls loop_alarm then; replaces a later one
};

struct loop {
    struct lws_context *context;
    const struct loop_engine *engine; // NULL: libwebsockets' own, poll
    void *waiting;                    // of the engine
    struct timers timers;
    int alarm_fd; // without an engine, else -1
    struct loop_fd *alarm_watch;
    uint64_t alarm_at; // UINT64_MAX: not set
    bool ringing;
    struct lws_vhost *files;
    struct lws_vhost *server; // NULL until the first listener
    struct lws_vhost *client; // NULL until the first connection
    struct mailbox *mailbox;
    struct loop_fd *mailbox_watch;
    size_t receive_buffer;
    char subprotocol[64]; // the name of the server's protocol: the first one the newest client offers
    void *newborn;        // the object of a socket being handed to libwebsockets; NULL once it was destroyed meanwhile
    size_t websockets;    // open, also those whose closing handshake is under way
    bool stopping;        // atomic access only
    OWNER                 // whoever runs it
};

// For timers that live inside another object: fill loop, fire and ctx; then loop_timer_set and loop_timer_cancel work.
#define LOOP_TIMER(l, fn, c) ((struct loop_timer){.loop = (l), .fire = (fn), .ctx = (c)})

// The alarm rings: fires what is due and sets the next.
void loop_alarm(struct loop *l);

// Since the last call a request's headers were too big to be parsed: asked when its socket is closed.
bool loop_headers_overflowed(void);

// A vhost with one protocol, which holds receive_buffer per WebSocket. info may bring TLS settings, else NULL.
struct lws_vhost *loop_create_vhost(struct loop *l, const char *name, lws_callback_function *callback, bool server,
                                    const struct lws_context_creation_info *tls);
