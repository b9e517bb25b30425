// Files that clients bring: begun, added to in pieces or by a stream, then committed or given up.
//
// Who adds to one, commits it or gives it up takes it first, and leaves it afterwards: the store thread, for a request,
// or the thread of a stream (node/streams.h). It is forgotten with its bytes when something could not be written, when
// it is given up, and when nobody touched it for ten minutes; at most 64 are open.
#pragma once

#include "store/store.h"

enum { UPLOAD_NAME = 32 };

struct uploads; // of one node; every function may be called on any thread

struct upload {                 // its members are whoever's has taken it
    char name[UPLOAD_NAME + 1]; // empty = a free place
    struct store_writer *writer;
    uint64_t size;
    uint64_t touched_ms; // monotonic
    bool taken;          // guarded by the lock of the uploads, like the next
    bool unwanted;       // given up while it was taken
};

struct uploads *uploads_create(void);
void uploads_destroy(struct uploads *us); // nobody has taken any; NULL-safe
void uploads_forget_idle(struct uploads *us);

// A new one, not taken. STATUS_FULL "BUSY": there are 64.
enum status uploads_begin(struct uploads *us, struct store *s, char name[UPLOAD_NAME + 1], struct error *e);
// NOT-FOUND; BUSY when somebody else has taken it.
enum status uploads_take(struct uploads *us, struct span name, struct upload **out, struct error *e);
// st: what came of it, which is returned. Anything but STATUS_OK forgets it; so does its having been given up
// meanwhile, which is STATUS_CLOSED "CLOSED" then.
enum status uploads_leave(struct uploads *us, struct upload *u, enum status st, struct error *e);
void uploads_end(struct uploads *us, struct upload *u); // of one that is taken: it is stored, or not wanted
// NOT-FOUND. *taken: whoever has it forgets it when leaving.
enum status uploads_give_up(struct uploads *us, struct span name, bool *taken, struct error *e);
