// Inside proto/net only: what a listener reads from and answers to the HTTP request that asks for a WebSocket.
#pragma once

#include "net/loop_lws.h"
#include "net/ws_server.h"

// Host is a name of this machine, of the options, or the one listened at (NULL: none).
bool upgrade_host_allowed(struct lws *wsi, const struct ws_server_options *options, const char *listened);
bool upgrade_origin_allowed(struct lws *wsi, const struct ws_server_options *options);

// What options.own_page asks for; authority is HOST:PORT of the listener.
bool upgrade_host_is(struct lws *wsi, struct span authority);
bool upgrade_origin_is(struct lws *wsi, struct span authority);

// Answers without an upgrade. headers: NULL for none. The result goes back to libwebsockets, which closes when it is
// written.
int upgrade_answer(struct lws *wsi, const char *status, const char *headers, const char *type, struct span body);

// Subprotocols mean nothing here, but libwebsockets wants to know one of those that the client offers, and names it in
// its answer: it is told that its own is the first. false: the list is longer than it can read.
bool upgrade_choose_subprotocol(struct lws *wsi, struct loop *l);
bool upgrade_headers_fit(struct lws *wsi); // about 16 KB of them, as far as libwebsockets knows their names

// At its end, of a socket to which nothing was said from here: something was said, or the peer is still there.
bool upgrade_library_refused(struct lws *wsi);
