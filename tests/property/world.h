// The surroundings of one node in a single-threaded test: time that only passes when it is told to, sockets in memory,
// and a store that answers when it is told to. The linker puts it in the place of the real ones (--wrap, see
// CMakeLists.txt), so that everything of proto/node runs as it is.
//
// It ends the program at once when one of the node's objects breaks a rule of conn/transport.h: sends or asks for
// anything behind a close, or keeps a transport beyond its closed event (it is freed then, which AddressSanitizer
// sees).
#pragma once

#include "base/mailbox.h"
#include "conn/transport.h"

void world_begin(void);
void world_use_mailbox(struct mailbox *mailbox); // of the node's loop
void world_let_store_wait(bool wait);            // false: what is submitted goes to the store thread as ever
_Noreturn void world_fail(const char *what, ...) __attribute__((format(printf, 1, 2)));

uint64_t world_now(void *ignored); // fits conn_host.now
void world_sleep(uint64_t ms);

// ends[0] is a peer's, ends[1] the node's.
void world_open(struct transport *ends[2]);
void world_break(struct transport *end);
// Delivers one message, or one close, at a random end; false if none is under way. tamper: what goes to the node may be
// changed first, swallowed or doubled.
bool world_deliver(bool tamper);

// The oldest dial of the node: NULL if there is none. *end is the peer's, unless it fails.
struct dialled {
    char url[120];
    struct transport *end;
};
bool world_dial(bool succeeds, void (*accept)(const struct dialled *d));

bool world_run_job(void);     // one that was submitted; false if there is none
bool world_tell_answer(void); // of one that ran
size_t world_jobs(void);      // that have not been told

struct world_load {
    size_t ends, dials;
    size_t queued; // most bytes under way to one peer
};
struct world_load world_load(void);
