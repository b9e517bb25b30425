// The event loop: one per process, on one thread, on libwebsockets' poll loop or an engine.
//
// Everything of the network layer runs here; other threads reach it only through its mailbox and loop_stop. Foreign
// descriptors (an IPC library's, a signalfd) are watched with loop_adopt_fd. libwebsockets' types do not leave
// proto/net.
#pragma once

#include "base/error.h"
#include "base/mailbox.h"

#include <stdint.h>

struct loop;

struct loop_options {      // 0 = the default
    size_t fd_limit;       // descriptors of the process; the soft limit is set to it. 0: 1,024, or fewer if it must be
    size_t receive_buffer; // bytes each WebSocket reads at once and holds while open (default 65,536)
    const struct loop_engine *engine; // net/loop_epoll.h. Where the system lacks it, and without: poll(2)
};

// Also removes proxy variables from the environment, because libwebsockets obeys them even for 127.0.0.1, and ignores
// SIGPIPE. Call it before other threads read the environment. options may be NULL.
struct loop *loop_create(const struct loop_options *options, struct error *e);

// Closes whatever is still open: its users get their closed events. Pools that answer to the loop's mailbox must be
// gone before; what they posted last is still run.
void loop_destroy(struct loop *l);

void loop_run(struct loop *l); // until loop_stop; may be called again
// Instead of it, before the end: until every WebSocket is closed, what was queued to it is sent and the other side
// knows, or for ms.
void loop_run_out(struct loop *l, uint64_t ms);
void loop_stop(struct loop *l); // from any thread
const char *loop_waits_with(const struct loop *l);
uint64_t loop_now(const struct loop *l);      // monotonic milliseconds
struct mailbox *loop_mailbox(struct loop *l); // drained by the loop; owned by it

// Calls readable whenever fd has something to read; readable must take it, or it is called again at once. The loop
// watches a duplicate, so the caller keeps fd and may close it. The open file description becomes non-blocking.
struct loop_fd;
struct loop_fd *loop_adopt_fd(struct loop *l, int fd, void (*readable)(void *ctx), void *ctx, struct error *e);
void loop_drop_fd(struct loop_fd *f); // NULL-safe; also from readable itself; no call follows

// A timer fires once each time it is set. All of these may be called from fire.
struct loop_timer;
struct loop_timer *loop_timer_create(struct loop *l, void (*fire)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *t, uint64_t ms); // from now; replaces an earlier time
void loop_timer_cancel(struct loop_timer *t);
void loop_timer_destroy(struct loop_timer *t); // NULL-safe
