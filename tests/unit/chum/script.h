// A peer that plays a role in CHUM: it answers as it is told and asks what it is told.
#pragma once

#include <jansson.h>

#include "chum/chum.h"
#include "chum/rpc.h"
#include "stage.h"

struct script {
    struct conn *conn; // while connected
    struct rpc *rpc;
    bool synchronised;
    const json_t *exporter; // answers as in import.json: roots, children, idChildren, objects, blobs; borrowed
    // First asked; true: the request is dealt with.
    bool (*serve)(void *ctx, struct script *script, const struct rpc_request *request);
    // Sees every message behind "synchronisation" before it is read as a remote call; true: it is dealt with. May be
    // NULL.
    bool (*raw)(void *ctx, struct script *script, bool text, struct span message);
    void *ctx;
    struct buf log; // services asked for and their first argument, one per line
    // The answer to script_ask.
    bool answered;
    struct buf data; // JSON text, or the bytes of a stream
    struct error error;
};

void script_begin(struct script *script);
void script_end(struct script *script);
void script_play(struct script *script, struct conn *c); // from conn_host.ready
// Asks the other side and waits for the answer. args is JSON with ' for ".
void script_ask(struct stage *s, struct script *script, int64_t service, const char *args);
const char *script_data(struct script *script);
