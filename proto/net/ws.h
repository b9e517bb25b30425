// Inside proto/net only: one open WebSocket as a transport, the part that server and client share (WIRE.md 2).
//
// Messages are sent with each writable event; what waits is counted. Continuation frames are assembled up to a limit
// and as far as the peer's account allows (transport.budget); beyond it the socket closes with 1009. Closing sends what
// waits first, then code 1000 and the reason; whoever does not finish the closing handshake within 5 s is cut off.
#pragma once

#include "conn/transport.h"
#include "net/loop_lws.h"

enum { WS_MESSAGE_LIMIT = 1 << 20, WS_REASON_MAX = 123 };

struct ws_chunk;

struct ws {
    struct transport base; // first
    struct loop *loop;
    struct lws *wsi;
    char *url;
    struct buf partial; // fragments of the message being received
    size_t message_limit;
    struct ws_chunk *first, *last; // messages to send
    size_t queued;                 // bytes in them and in flight
    size_t in_flight;              // bytes handed to libwebsockets by the last write
    struct loop_timer wake;        // the user's
    struct loop_timer deadline;    // of closing
    char *reason;                  // our own, once closing
    bool masks;                    // what it sends: a client
    bool paused, busy, closing, ended;
};

// Makes an open socket a transport. The struct may be part of a larger one and lives until libwebsockets destroys wsi.
void ws_open(struct ws *s, struct loop *l, struct lws *wsi, const char *url, size_t message_limit);
void ws_release(struct ws *s); // tells the user closed if it was not yet; frees what the socket holds

// The events of an open socket; the result goes back to libwebsockets (non-zero closes).
int ws_event(struct ws *s, enum lws_callback_reasons reason, const char *in, size_t len);
void ws_kill(struct lws *wsi); // at once, without a closing handshake, from anywhere on the loop
