// A mailbox carries calls from any thread to the one thread that owns it.
//
// Senders post a function and its argument; the owner watches mailbox_fd for readability and calls mailbox_drain, which
// runs what was posted in order. This is how the store thread and the worker pool answer the event loop.
#pragma once

#include "base/error.h"

struct mailbox;
typedef void (*mailbox_fn)(void *arg);

struct mailbox *mailbox_create(void);
void mailbox_destroy(struct mailbox *m);                        // drops what was not drained; no sender may be left
int mailbox_fd(const struct mailbox *m);                        // readable while something waits; owned by the mailbox
void mailbox_post(struct mailbox *m, mailbox_fn fn, void *arg); // any thread
size_t mailbox_drain(struct mailbox *m);                        // owner only; returns how many ran
