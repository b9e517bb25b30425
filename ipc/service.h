// Handlers for requests, whichever way they came: over the control socket (server.h) or a node's channel (channel.h).
//
// Before a handler runs, the method was found in the table of methods.h, runs in this process, and its parameters were
// checked against the table. The handler answers at once or keeps the request and answers later, exactly once either
// way. Everything here belongs to the one thread that drains the server or channel.
//
//   static void topic_list(struct ipc_request *r, void *node)
//   {
//       ipc_request_reply(r, json_pack("{s:o}", "items", topics_to_json(node)));
//   }
//   ipc_service_on(service, "topic.list", topic_list, node);
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "ipc/jsonrpc.h"
#include "ipc/methods.h"

struct ipc_request;
typedef void (*ipc_handler)(struct ipc_request *r, void *ctx);

const char *ipc_request_method(const struct ipc_request *r);
json_t *ipc_request_params(const struct ipc_request *r);    // all as they came; borrowed, an object, not to be changed
const char *ipc_request_op_id(const struct ipc_request *r); // of a mutating call that gave one; otherwise NULL

// Parameters, checked against the table; the defaults are for those that were left out.
json_t *ipc_request_json(const struct ipc_request *r, enum ipc_name name);     // borrowed; NULL when left out
const char *ipc_request_text(const struct ipc_request *r, enum ipc_name name); // NULL when left out
int64_t ipc_request_int(const struct ipc_request *r, enum ipc_name name, int64_t otherwise);
bool ipc_request_bool(const struct ipc_request *r, enum ipc_name name, bool otherwise);
void ipc_request_set(struct ipc_request *r, enum ipc_name name, json_t *value); // taken over; NULL: left out

// From within the handler, once: the parameters as members of a JSON object ("a":1,"b":2), as they came, without
// "node".
void ipc_request_pass(struct ipc_request *r, struct buf *out);

bool ipc_request_is_abandoned(const struct ipc_request *r); // nobody waits for the answer any more
// Has that told, once, at most until the request is answered; it still has to be answered, at once or later.
void ipc_request_on_abandoned(struct ipc_request *r, void (*abandoned)(void *ctx), void *ctx);

// The connection it came on, for ipc_service_on_gone; 0 = none that is told of.
uint64_t ipc_request_connection(const struct ipc_request *r);

// Both consume the request. result is taken over; NULL answers {}. If the asker is gone the answer is dropped.
void ipc_request_reply(struct ipc_request *r, json_t *result);
void ipc_request_fail(struct ipc_request *r, const struct error *e);

struct ipc_service;

struct ipc_service *ipc_service_create(enum ipc_site site);
void ipc_service_destroy(struct ipc_service *s); // after every server and channel that uses it
// method must be in the table and be meant for this site; ctx is borrowed. A second call replaces the first.
void ipc_service_on(struct ipc_service *s, const char *method, ipc_handler handler, void *ctx);
// For table methods of the other site (the supervisor forwards them). Without it they are UNKNOWN-METHOD.
void ipc_service_otherwise(struct ipc_service *s, ipc_handler handler, void *ctx);
// Of these, which may come to the handler as an outline: with none but the parameters that the outline has read; the
// others were not checked, nor whether all that are required are there.
void ipc_service_outlines(struct ipc_service *s, bool (*wanted)(void *ctx, const struct ipc_method *m));

// gone is told of every connection of a server that has closed, also when nothing was asked any more.
void ipc_service_on_gone(struct ipc_service *s, void (*gone)(void *ctx, uint64_t connection), void *ctx);

// What servers and channels use. respond is called exactly once, by reply, fail or a failed check; one of result
// (taken over) and error is NULL. method is copied, params taken over.
struct ipc_asker {
    void (*respond)(struct ipc_asker *asker, json_t *result, const struct error *error);
    uint64_t connection;          // which it came on; 0 = none that ends before the process
    bool gone;                    // nobody waits for the answer any more
    void (*abandoned)(void *ctx); // who wants to know that, NULL = nobody
    void *abandoned_ctx;
};
void ipc_asker_leave(struct ipc_asker *asker); // nobody waits any more. It may be answered, and so be gone, meanwhile
void ipc_service_tell_gone(struct ipc_service *s, uint64_t connection);
void ipc_service_dispatch(struct ipc_service *s, const char *method, json_t *params, struct ipc_asker *asker);
// For the text of a request of which only the outline is needed; false: it is to be parsed and dispatched.
bool ipc_service_outline(struct ipc_service *s, struct span text, struct outline *out);
void ipc_service_dispatch_outline(struct ipc_service *s, const struct outline *o, struct ipc_asker *asker); // borrowed
