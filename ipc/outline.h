// The outline of a request that is only passed on: where its parts lie in the text, and the few parameters that say
// where it goes. What may be long or secret is not read, but for its syntax: the node that answers parses it.
//
// Only requests without anything unusual have an outline; the others, and all that are wrong, are for jsonrpc_parse,
// which says what is wrong with them.
#pragma once

#include "base/bytes.h"
#include "ipc/methods.h"

enum { OUTLINE_MEMBERS = IPC_PARAMS_MAX + 4 }; // with those that are common to all

struct outline_member {
    struct span name;  // without quotes
    struct span value; // JSON
    struct span whole; // "name":value
};

struct outline {
    const struct ipc_method *method;
    json_t *id;
    json_t *read; // the parameters that were parsed, an object
    json_t *given[IPC_NAMES];
    struct outline_member params[OUTLINE_MEMBERS];
    size_t count;
};

// wanted: may a method be passed on? false: it has no outline. Otherwise it is to be released, and its spans live as
// long as text.
bool outline_read(struct span text, bool (*wanted)(void *ctx, const struct ipc_method *m), void *ctx,
                  struct outline *out);
void outline_release(struct outline *o);
// The parameters without "node", as members of a JSON object: "a":1,"b":2
void outline_pass(const struct outline *o, struct buf *out);
