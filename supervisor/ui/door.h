// The door of the page: HTTP and WebSocket on an address of this machine, a one-time link that opens it, and behind it
// the control endpoint. docs/ui.md says how it is kept safe.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "net/loop.h"

struct door;

// address: HOST:PORT of this machine, port 0 takes a free one. control: socket file; borrowed. BAD-ADDRESS, PORT-TAKEN.
struct door *door_open(struct loop *l, const char *address, const char *control, struct error *e);
void door_close(struct door *d); // before the loop is destroyed; NULL-safe

// Appends http://127.0.0.1:PORT/#TOKEN, which opens the page once; the link before is of no use any more.
void door_link(struct door *d, struct buf *out);
