// Messages on their way out of a socket that may be slower than we are. Inside ipc/ only.
//
// Sending never blocks: one message is with nng, the others wait here in order, up to a bound in bytes.
#pragma once

#include <jansson.h>
#include <nng/nng.h>

#include "base/error.h"

struct outbox;

struct outbox *outbox_create(nng_socket socket);
void outbox_destroy(struct outbox *o); // before the socket is closed; drops what waits

// Sends json (borrowed) as the body, behind a copy of header if there is one (the reply address of a raw socket).
// STATUS_FULL "BUSY" when bound bytes are waiting already (0 = no bound), STATUS_TOO_BIG when the text passes
// IPC_MESSAGE_MAX.
enum status outbox_send(struct outbox *o, nng_msg *header, const json_t *json, size_t bound, struct error *e);

// Waits until everything is with the kernel, at most timeout_ms: for the last words of a process.
void outbox_flush(struct outbox *o, int timeout_ms);
