// The PUB socket: tells whoever listens that there is something new in the ring. Hints are lost under load, by design;
// their reader then asks events.since. The body is one JSON object as ipc_ring_add makes it; subscribe to everything.
#pragma once

#include <jansson.h>

#include "base/error.h"

struct ipc_hints;

struct ipc_hints *ipc_hints_listen(const char *path, struct error *e);    // NULL on failure
enum status ipc_hints_listen_again(struct ipc_hints *h, struct error *e); // when its socket file was removed
void ipc_hints_destroy(struct ipc_hints *h);
int ipc_hints_fd(const struct ipc_hints *h);                     // watch for readability
void ipc_hints_drain(struct ipc_hints *h);                       // takes in who wants to listen; never blocks
void ipc_hints_publish(struct ipc_hints *h, const json_t *hint); // borrowed; never blocks
