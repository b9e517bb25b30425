// Outgoing WebSocket connections, ws:// and wss:// (WIRE.md 2.1).
//
// Names are resolved on the worker pool; localhost is ::1, then 127.0.0.1. The addresses are tried in turn, the whole
// attempt has one deadline. No Origin is sent, redirects are refused. A TLS certificate must be valid for the name; the
// system's authorities count, and those of the CA file. (wss:// to an IPv6 literal is not supported.)
#pragma once

#include "base/pool.h"
#include "conn/transport.h"
#include "net/loop.h"

enum { WS_CLIENT_TIMEOUT_MS = 5000 };

struct ws_client;

// pool is for resolving and may be NULL, if all URLs have addresses or localhost. It must answer to the loop's mailbox
// and be destroyed before the loop. ca_file may be NULL.
struct ws_client *ws_client_create(struct loop *l, struct pool *pool, const char *ca_file);
void ws_client_destroy(struct ws_client *c); // cancels what is being tried; transports live on. NULL-safe

// The result: a transport, or NULL and why. Never called from within ws_client_connect.
typedef void (*ws_client_done)(void *ctx, struct transport *t, const struct error *why);

// Errors through done: UNREACHABLE (no such name, nothing listens there), TIMEOUT (silent), NOT-A-NODE (something else
// than a WebSocket answers), TLS-FAILED. NULL is returned for a URL that is none (BAD-URL).
// message_limit and timeout_ms: 0 = the defaults (1 MiB, 5,000).
struct ws_connect;
struct ws_connect *ws_client_connect(struct ws_client *c, const char *url, uint64_t timeout_ms, size_t message_limit,
                                     ws_client_done done, void *ctx, struct error *e);
// Asked with the ctx of done before an address is tried that the name in the URL was looked up to; false: it is not.
// Such an attempt is not over before its name is looked up, however long that takes: a name takes a thread of the pool,
// and whoever counts the attempts of a person so counts the threads.
void ws_connect_guard(struct ws_connect *a, bool (*may_try)(void *ctx, const char *address, uint16_t port));
uint64_t ws_connect_id(const struct ws_connect *a); // the id its transport will have
void ws_connect_cancel(struct ws_connect *a);       // before done was called; done is not called then
