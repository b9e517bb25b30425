// A proxy before a listener, which knows who comes: the first message of a connection of WIRE.md says in clear whose
// key speaks (4.2, 7.2). So each link can be cut, held up or slowed by itself, while all come to one address.
#pragma once

#include <uv.h>

#include "base/error.h"

enum { FRONT_KEY = 64 }; // hex digits of a public key

struct front;

enum front_state { FRONT_OPEN, FRONT_CUT, FRONT_STALLED };

// The link between who came and what lies behind: what it is like now. A front asks again and again.
struct front_link {
    enum front_state state;
    int64_t delay_ms; // in each direction
};

// key: FRONT_KEY digits and a zero; behind: as given to front_create.
typedef struct front_link (*front_ask)(void *arg, const char *key, size_t behind);

// Listens at a free port of 127.0.0.1.
struct front *front_create(uv_loop_t *loop, size_t behind, front_ask ask, void *arg, struct error *e);
int front_port(const struct front *f);
void front_target(struct front *f, int port); // of 127.0.0.1; those that came before stay where they are
void front_look(struct front *f);             // what links are like has changed
void front_destroy(struct front *f);          // NULL-safe
