// Control requests that need the store: the handler's work runs on the store thread, its answer leaves from the loop.
//
// A mutating request with an opId acts once: its result is stored in the transaction of its effect, and a repeat
// answers the stored result (ARCHITECTURE.md "Control protocol").
#pragma once

#include "ipc/service.h"
#include "store/queue.h"

struct node;

struct node_job {
    struct node *node;
    struct ipc_request *request; // the loop's; parameters may be read on the store thread while the job runs
    struct arena *arena;         // for everything that dies with the job
    int64_t now_ms;              // wall time, fixed when the job began
    json_t *result;              // set by the work; NULL answers {}
};

typedef enum status (*node_work)(struct node_job *job, struct store *s, struct error *e);

// One row of a method group: a method of ipc/methods.h and the work it does on the store thread.
struct node_method {
    const char *name; // NULL ends a table
    node_work work;
};

// Registers every row of the table with the node's service. Before the node is provisioned they answer NOT-PROVISIONED.
void node_methods_add(struct node *n, const struct node_method *table);

// Completes a hash parameter of kind IPC_PREFIX or IPC_HASH. Codes: NOT-FOUND, AMBIGUOUS-ID (with candidates).
enum status node_job_hash(struct node_job *job, struct store *s, const char *param, struct hash *out, struct error *e);

// Paging over lists that are made whole: keeps the members of one page of items and says how to go on. Takes items
// over.
void node_job_page(struct node_job *job, json_t *items);

json_t *node_json_hash(const struct hash *h); // null for the zero hash
json_t *node_json_text(struct span s);
