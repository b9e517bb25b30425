// WebSocket listeners (WIRE.md 2.1). Each accepted socket is handed over as a transport.
//
// Web pages of other origins cannot get in: Origin must be absent, file://, or http(s) of localhost, 127.0.0.1 or [::1]
// on any port, and Host one of these names, unless the options list more. Nothing but an upgrade to websocket is
// accepted (libwebsockets would also speak h2c); other HTTP gets a short 426, or what options.http answers.
#pragma once

#include "base/bytes.h"
#include "conn/transport.h"
#include "net/loop.h"

struct ws_server_options {      // zero-initialised is a node's default
    const char *const *origins; // more allowed origins, NULL-terminated ("null" only if listed); borrowed
    const char *const *hosts;   // more allowed Host names, without port; borrowed
    bool any_origin, any_host;  // for a relay, which has no secrets to give to a page
    size_t max_connections;     // 0 = 256; further ones are closed at once
    size_t max_per_address;     // 0 = no limit
    bool leave_room;            // an address has as many as are still free for others, no more
    size_t max_waiting;         // of them whose peers have yet to prove who they are (transport.trusted); 0 = no limit
    uint64_t handshake_ms;      // from TCP accept to the upgrade; 0 = 10,000
    size_t message_limit;       // 0 = 1 MiB (peers send 64 KiB); a longer message closes with 1009
    // It serves one page, which alone may speak with it: Host has to be the address listened at with its port, in the
    // words of ws_server_url, here a browser's, also of a GET; an upgrade names http://HOST as its Origin; what http
    // does not know is 404.
    bool own_page;
    const char *headers; // further lines of each answer that is no upgrade, ending in \r\n; borrowed, may be NULL
    // A GET that is no upgrade: fill body and *type and return true, or return false for the 426. May be NULL.
    bool (*http)(void *ctx, const char *path, struct buf *body, const char **type);
    // Somebody was turned away: "limit", "timeout" (no upgrade in time), "upgrade", "host", "origin", "subprotocol"
    // (more than 127 characters of them), "request" (what libwebsockets does not read as one: it answers with a 403 of
    // its own, or closes; so it does with an "upgrade" that lacks a key, say), "headers" (more than about 16 KB of
    // them: 431; more than 60 KB are not even read), or "crowded": too many were waiting, or it was full, and of those
    // who waited the oldest of the address that had most of them gave way to a newcomer (only with max_waiting). May be
    // NULL.
    void (*refused)(void *ctx, const char *peer, const char *reason);
};

struct ws_server_stats {
    size_t connections;       // now, handshaking ones included
    uint64_t accepted;        // upgraded since the start
    uint64_t refused_limit;   // closed for a connection limit
    uint64_t refused_request; // bad upgrade, Host, Origin, or not in time
};

struct ws_server;

// address is HOST:PORT. "localhost" listens on 127.0.0.1 and ::1 on one port (one of them is missing on this system: a
// warning); port 0 takes a free one. A name is resolved here, which may block: give addresses where that matters.
// Errors: BAD-ADDRESS, PORT-TAKEN, HOSTS-MISSING (a wildcard listener without options.hosts or any_host),
// NO-PERMISSION, IO. accepted must install events with transport_use; it may also close the transport.
struct ws_server *ws_server_listen(struct loop *l, const char *address, const struct ws_server_options *options,
                                   void (*accepted)(void *ctx, struct transport *t), void *ctx, struct error *e);
void ws_server_stop(struct ws_server *s);             // closes the listening sockets; accepted transports live on
void ws_server_destroy(struct ws_server *s);          // stops; what is still open outlives it. NULL-safe
const char *ws_server_url(const struct ws_server *s); // "ws://localhost:8765"
uint16_t ws_server_port(const struct ws_server *s);
struct ws_server_stats ws_server_stats(const struct ws_server *s);
