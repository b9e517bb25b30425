// connection.try: does a WebSocket open at an address? For 'tandem doctor', which has no TLS of its own. Loop thread.
#pragma once

#include "node/node.h"

struct peers;
struct tries;

struct tries *tries_create(struct peers *p);
void tries_close(struct tries *t); // answers requests that still wait; NULL-safe
void tries_register(struct node *n);
