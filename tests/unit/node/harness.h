// A whole node in the test's process: loop, pool, store, identity and every method, without sandbox, channel and
// listener. Requests are put to its service directly; the loop runs while an answer is awaited.
#pragma once

#include "node/node_internal.h"

struct harness {
    char dir[40];
    struct node *node;
};

struct harness *harness_create(void);      // not provisioned
void harness_provision(struct harness *h); // as ann@test
void harness_destroy(struct harness *h);   // removes the folder

// What became of one request. The end of a harness answers what is still waiting.
struct asked {
    struct ipc_asker asker; // first
    struct loop *loop;      // stopped by the answer
    bool answered;
    json_t *result; // NULL with error
    struct error error;
};

// params is taken over; NULL = none. The caller keeps asked until it is answered.
void harness_begin(struct harness *h, struct asked *asked, const char *method, json_t *params);
void harness_wait(struct harness *h, struct asked *asked); // runs the loop until the answer; frees nothing

// Both at once. The result is valid until the next call; NULL and *code (the error's, valid likewise) on failure.
json_t *harness_call(struct harness *h, const char *method, json_t *params, const char **code);

// Stores a contact with keys of its own, as pairing does.
struct hash harness_befriend(struct harness *h, const char *email);
