// Control requests that need the store: the handler's work runs on the store thread, its answer leaves from the loop.
//
// A mutating request with an opId acts once: its result is stored in the transaction of its effect, and a repeat
// answers the stored result (docs/architecture.md, "The control channel").
#pragma once

#include "ipc/service.h"
#include "models/model.h"
#include "node/traces.h"
#include "store/queue.h"

struct node;

struct job_intent {
    struct span op; // of the outbox row; empty = none
    bool deferred;  // the work itself is the other node's, and what follows it too
    bool waits;     // the answer is the other node's
};

struct node_job {
    struct node *node;
    struct ipc_request *request; // the loop's; its parameters are the store thread's while the job runs
    struct model model;          // store, identity, arena and time of this job
    struct identity *speaker;    // whom the request named with "as", if that is not the main one
    struct hash subject;         // whom it was about, if the loop has to know
    struct traced_message sent;  // if it sent one
    struct job_intent intent;    // if it left something to the other own node: face.h
    json_t *given_up;            // messages that are to wait for the other own node no more: face.h
    bool unchanged;              // followers: there is no news, wait on
    struct identity *made;       // a further identity, if it made one
    json_t *result;              // set by the work; NULL answers {}
};

typedef enum status (*node_work)(struct node_job *job, struct model *m, struct error *e); // on the store thread
typedef void (*node_after)(struct node_job *job); // on the loop, before the answer

// One row of a method group: a method of ipc/methods.h, its work, and what the loop adds once it is committed.
struct node_method {
    const char *name; // NULL ends a table
    node_work work;
    node_after after; // NULL = nothing
};

// Runs work for a request on the store thread; finish is called on the loop with its outcome, before the job is gone,
// and has to answer the request then or keep it and job->result (taking the reference) for later.
typedef void (*node_finish)(struct node_job *job, enum status status, const struct error *e, void *ctx);
void node_job_start(struct node *n, struct ipc_request *request, node_work work, node_finish finish, void *ctx);

// Registers every row of the table with the node's service. Before the node is provisioned they answer NOT-PROVISIONED.
void node_methods_add(struct node *n, const struct node_method *table);
