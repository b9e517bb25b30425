// Long work (over 30 s): it begins with {jobId}, job.wait tells how far it is and how it ended, and job.cancel gives it
// up together with what it left behind. The last 16 are remembered. Loop thread.
#pragma once

#include "ipc/service.h"
#include "net/loop.h"

struct works; // of one node
struct work;

struct works_host {
    void *ctx;
    void (*progressed)(void *ctx, json_t *data); // event job.progress, once a second at most; takes data over
    void (*unwanted)(void *ctx, char *folder);   // nobody wants what is in it; takes the path over
};

struct works *works_create(struct loop *l, const struct works_host *host);
void works_destroy(struct works *ws);                                // answers who still waits; NULL-safe
void works_register(struct ipc_service *service, struct works **ws); // job.*; *ws may change until the service ends

struct work *works_begin(struct works *ws); // NULL when all places are taken by unfinished work
const char *work_id(const struct work *w);
void work_is_at(struct work *w, uint64_t done, uint64_t total); // from any thread
bool work_is_cancelled(const struct work *w);                   // likewise: it should come to its end
void work_leaves(struct work *w, char *folder); // removed if the work is cancelled, then or later; takes the path over
// Once, when it is over: result is taken over, or why it failed.
void work_end(struct work *w, json_t *result, const struct error *why);
