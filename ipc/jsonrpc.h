// JSON-RPC 2.0 messages as text: read whole, or in outline where they are only passed on, and written. One object per
// message, at most IPC_MESSAGE_MAX bytes; batches are not used.
//
//   request  {"jsonrpc":"2.0","id":7,"method":"status","params":{}}
//            between our processes also "until": the ms of CLOCK_MONOTONIC after which it is not begun any more
//   answer   {"jsonrpc":"2.0","id":7,"result":{…}}   or   {"jsonrpc":"2.0","id":7,"error":{…}}   (errors.h)
//   event    {"jsonrpc":"2.0","method":"event","params":{"event":"chat.received","data":{…}}}    (no id)
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ipc/methods.h"

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_ANSWER, JSONRPC_EVENT };

struct jsonrpc_message { // everything is borrowed from root; jsonrpc_release ends it
    enum jsonrpc_kind kind;
    json_t *root;
    json_t *id;         // NULL for events; for a bad request what could be read of it, possibly NULL
    const char *method; // requests; the event's name for events
    json_t *params;     // an object for requests; the event's data for events
    json_t *result;     // answers: one of result and error is set
    json_t *error;
};

// STATUS_INVALID: "BAD-JSON", "BAD-TEXT" (not UTF-8) or "BAD-REQUEST". Even then m can be released, and m->id is what
// an error answer should carry. Zeros and newlines behind the text, which command line tools like to add, do not count.
enum status jsonrpc_parse(struct span text, struct jsonrpc_message *m, struct error *e);
void jsonrpc_release(struct jsonrpc_message *m);

// New references; what is passed in is taken over, except error and id, which are borrowed. id NULL gives null.
json_t *jsonrpc_request(json_int_t id, const char *method, json_t *params);
json_t *jsonrpc_answer(json_t *id, json_t *result);
json_t *jsonrpc_failure(json_t *id, const struct error *error);
json_t *jsonrpc_event(const char *name, json_t *data);
// As text, released with free, and wiped before where it may hold a secret. NULL: TOO-BIG, INTERNAL.
char *jsonrpc_text(const json_t *message, struct error *e);
// Zeroes a text member that held a secret, which does not stay in memory once it was read; it may be missing.
void jsonrpc_wipe(json_t *object, const char *name);

// --- in outline ------------------------------------------------------------------------------------------------------

// Of a request that is only passed on: where its parts lie in the text, and the few parameters that say where it goes.
// What may be long or secret is not read, but for its syntax: the node that answers parses it.
//
// Only requests without anything unusual have an outline; the others, and all that are wrong, are for jsonrpc_parse,
// which says what is wrong with them.
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
