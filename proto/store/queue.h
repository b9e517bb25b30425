// The store thread and the bounded queue in front of it.
//
// A job's run function executes on the store thread inside a savepoint; jobs that wait together share one transaction
// (group commit). Its done function is posted to the mailbox after the commit that made it durable, with the status run
// returned, or that of the failed commit. A job that fails leaves nothing behind and does not disturb its neighbours.
#pragma once

#include "base/mailbox.h"
#include "store/store.h"

struct store_queue;

enum { STORE_QUEUE_FULL = 4096 };

typedef enum status (*store_run_fn)(struct store *s, void *arg, struct error *e);
typedef void (*store_done_fn)(void *arg, enum status status, const struct error *e);

// Takes the opened store over (it must have no transaction open) and starts the thread.
struct store_queue *store_queue_create(struct store *s, struct mailbox *answers);
// Always accepts (dropping a job would lose data). What waits is bounded where it comes from: each connection of a peer
// has a few jobs under way (BUDGET_REQUESTS and the windows of proto/chum), and none is read while the queue is full
// (conn_host.crowded); of what people ask at the control socket IPC_ASKED_MAX is under way in a node, then BUSY; what
// the node does by itself has one job under way for each thing.
void store_submit(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
// A job that only reads. It sees what was committed, at least what was acknowledged before it was submitted, and does
// not wait for the batch to close. Reads and jobs that write take turns: however many reads there are, before each job,
// and before the commit, at most 16 of them or 5 ms are done.
void store_submit_read(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
// Any thread. Until it is taken back no file of an object is removed: a copy of the database names them.
void store_queue_keep_files(struct store_queue *q, bool keep);
bool store_queue_is_full(struct store_queue *q); // from STORE_QUEUE_FULL jobs on, until half of them are done
// Changes of every committed transaction, delivered to the mailbox's owner in order: the array dies after the call.
typedef void (*store_changes_fn)(const struct store_change *changes, size_t count, void *ctx);
void store_queue_on_changes(struct store_queue *q, store_changes_fn fn, void *ctx);
// Finishes every job submitted before, stops the thread and closes the store. done functions still arrive in the
// mailbox.
void store_queue_destroy(struct store_queue *q);
