// Files in and out as raw bytes, past the control channel: a Unix socket that the supervisor opened for this node alone
// (ipc/child.h), and tickets, which blob.stream gives, each for one file, once, within 30 s.
//
//   in:  client: TICKET \n, bytes, end of its sending    node: {"size":N} or {"error":…} and a line feed
//   out: client: TICKET \n                               node: the same line, N being what comes, then the bytes
//
// A stream has a thread of its own, one buffer, and ends when nothing moves for ten minutes or the other side goes; at
// most 8 are promised or under way. Its file is an upload's (node/uploads.h), which it takes, or a reader's. So neither
// the loop nor the store's thread waits for it.
#pragma once

#include "node/node.h"
#include "node/uploads.h"
#include "store/reader.h"

enum { STREAMS_MAX = 8, STREAM_TICKET = 64 };

struct streams;

struct streams_tuning {   // milliseconds
    unsigned ticket_ms;   // that a ticket is good for
    unsigned greeting_ms; // within which a connection gives it
    unsigned stall_ms;    // within which something moves
};
extern const struct streams_tuning STREAMS_TUNING; // what a node has

// fd listens at path and stays the caller's; path NULL: there are no streams. Takes connections from now on.
struct streams *streams_create(struct node *n, int fd, const char *path, struct streams_tuning tuning);
void streams_stop(struct streams *s);    // ends what is under way and waits for it; nothing comes afterwards. NULL-safe
void streams_tick(struct streams *s);    // on the loop, now and then: forgets promises that nobody came for
void streams_destroy(struct streams *s); // after streams_stop, when the loop's mailbox was drained. NULL-safe

// On the store's thread; any may call them. BUSY: there are STREAMS_MAX; CLOSED: this node has no socket for them.
enum status streams_promise_in(struct streams *s, const char *upload, char ticket[STREAM_TICKET + 1], struct error *e);
enum status streams_promise_out(struct streams *s, struct store_reader *reader, // taken over, in any case
                                char ticket[STREAM_TICKET + 1], struct error *e);
void streams_give_up(struct streams *s, struct span upload); // ends the one that fills it, if there is one
const char *streams_path(const struct streams *s);
