// A few worker threads for what must not block an event loop: key derivation, name resolution, hashing big files.
#pragma once

#include "base/mailbox.h"

struct pool;
typedef void (*pool_fn)(void *arg);

struct pool *pool_create(size_t threads, struct mailbox *answers); // answers is borrowed and outlives the pool
// Runs work(arg) on a worker, then posts done(arg) to the mailbox. The queue is bounded: STATUS_FULL when it is full.
enum status pool_submit(struct pool *p, pool_fn work, pool_fn done, void *arg);
void pool_destroy(struct pool *p); // waits for running work; work not begun is dropped, its done is posted all the same
