// Long work (over 30 s): it begins with {jobId}, and job.wait tells when it is done and how it ended. The last 16 are
// remembered. Loop thread.
#pragma once

#include "ipc/service.h"
#include "net/loop.h"

struct works; // of one node
struct work;

struct works *works_create(struct loop *l);
void works_destroy(struct works *ws);                                // answers who still waits; NULL-safe
void works_register(struct ipc_service *service, struct works **ws); // job.wait; *ws may change until the service ends

struct work *works_begin(struct works *ws); // NULL when all places are taken by unfinished work
const char *work_id(const struct work *w);
// Once, when it is over: result is taken over, or why it failed.
void work_end(struct work *w, json_t *result, const struct error *why);
