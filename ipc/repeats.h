// Repeats of mutating requests that are remembered in memory (store jobs remember theirs in the store, node/job.h): a
// request with the method and opId of one under way gets the same answer, one with those of one that succeeded gets its
// result again. Failures had no effect and are not remembered.
#pragma once

#include "ipc/service.h"

struct repeats_limits {
    size_t remembered; // answers; the oldest makes room
    size_t joined;     // repeats that wait for one answer
    uint64_t age_ms;   // an older answer is none; 0 = while the process runs
};

struct repeats;

struct repeats *repeats_create(struct repeats_limits limits);
void repeats_destroy(struct repeats *r); // no request may be under way; NULL-safe

// true: it repeats one and is taken care of. false: work on it and end it with reply or fail.
bool repeats_take(struct repeats *r, struct ipc_request *request);
void repeats_reply(struct repeats *r, struct ipc_request *request,
                   json_t *result); // takes result over; NULL answers {}
void repeats_fail(struct repeats *r, struct ipc_request *request, const struct error *why);
// Whoever asked has gone, and so have all who joined.
bool repeats_is_abandoned(const struct repeats *r, const struct ipc_request *request);
