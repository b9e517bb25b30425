// The group "debug" as the answering side (WIRE.md 11): a known peer lists what it may see, or looks at one object. For
// people who look for faults; the host decides what is accessible.
#pragma once

#include "conn/conn.h"

struct debug;

enum debug_kind { DEBUG_OBJECT, DEBUG_ID_OBJECT, DEBUG_BLOB, DEBUG_CLOB };

struct debug_host {
    void *ctx;
    // Both end in exactly one debug_answer or debug_refuse, at once or later, whatever became of the connection
    // meanwhile: d lives until then. c is it, for now; person is the authenticated peer, and lives as long as d.
    void (*objects)(void *ctx, struct debug *d, const struct conn *c, const struct hash *person);
    void (*data)(void *ctx, struct debug *d, const struct conn *c, const struct hash *person, enum debug_kind kind,
                 const struct hash *hash);
};

// Called from conn_host.ready; takes the connection over with conn_serve. *host outlives it.
void debug_serve(struct conn *c, const struct debug_host *host);

// For objects: a JSON array. For data: the microdata or CLOB text, for a BLOB "File size: N".
void debug_answer(struct debug *d, struct span content);
void debug_refuse(struct debug *d); // this peer may not see it
