// Repeats of mutating requests that are no store jobs (those of job.h remember theirs in the store): a request with the
// opId of one under way gets the same answer, one with the opId of one that succeeded gets its result again.
//
// The last REPEATS_MAX are remembered while the node runs; failures had no effect and are not. Loop thread.
#pragma once

#include "ipc/service.h"

enum { REPEATS_MAX = 64, REPEATS_JOINED_MAX = 8 };

struct repeats;

struct repeats *repeats_create(void);
void repeats_destroy(struct repeats *r); // no request may be under way; NULL-safe

// true: it repeats one and is taken care of. false: work on it and end it with reply or fail.
bool repeats_take(struct repeats *r, struct ipc_request *request);
void repeats_reply(struct repeats *r, struct ipc_request *request, json_t *result); // takes result over
void repeats_fail(struct repeats *r, struct ipc_request *request, const struct error *why);
