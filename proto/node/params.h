// The parameters of a control request, read as what the model layer takes. That they have the JSON type the method
// table demands was checked before the request came here.
#pragma once

#include "base/hash.h"
#include "crypto/secret.h"
#include "node/job.h"

// A parameter that is an id. Those of kind IPC_PREFIX, IPC_PERSON and IPC_PERSONS are made whole ids before the work
// begins (models/names.h), which fails with NOT-FOUND, or AMBIGUOUS-ID with candidates.
enum status node_job_hash(struct node_job *job, enum ipc_name param, struct hash *out, struct error *e);
// The same for an optional one; *given tells whether it was there.
enum status node_job_optional_hash(struct node_job *job, enum ipc_name param, struct hash *out, bool *given,
                                   struct error *e);
// A parameter that is an array of hashes. The caller frees the list. BAD-PARAMS for anything else in it.
enum status node_job_hashes(struct node_job *job, enum ipc_name param, struct hash_list *out, struct error *e);
struct span node_job_text(struct node_job *job, enum ipc_name param); // empty when left out

// The 32-byte key that a request carries as hexadecimal text, which is wiped. The caller destroys it in any case.
enum status node_take_key(struct ipc_request *r, enum ipc_name param, struct secret *key, struct error *e);
