// Background work in three parts, so that the middle one can run beside the store thread.
#pragma once

#include "store/store.h"

struct settle_batch;

// Copies what is to be settled next; *out is NULL if there is nothing.
enum status settle_collect(struct store *s, struct settle_batch **out, struct error *e);
enum status settle_write(struct settle_batch *b, struct error *e); // files only; any thread

// Notes in a transaction of its own what was written. Frees the batch; written is what settle_write returned.
enum status settle_finish(struct store *s, struct settle_batch *b, enum status written, struct error *e);
// Old operations, deleted bytes, the log of the database. *more: call again.
enum status settle_upkeep(struct store *s, int64_t now_ms, bool *more, struct error *e);
