// What a person's node made the store grow by since ever, and what it may make it grow by for what it sent.
//
// It may be 16 times what it sent, now or later: a conversation that two wrote on while apart is merged at once, in one
// job that was sent little for, while nearly all of what is merged was sent before. Kept in the store's settings, so
// that it outlives the process.
#pragma once

#include "store/store.h"

struct ledger {
    uint64_t grown;
    uint64_t credit; // bytes it may make the store grow by without being charged; at most 256 MiB
};

void ledger_load(struct ledger *l, struct store *s, const struct hash *person); // nothing kept: nothing yet
enum status ledger_save(const struct ledger *l, struct store *s, const struct hash *person, struct error *e);
// Returns what it is to be charged for: growth beyond its credit.
uint64_t ledger_book(struct ledger *l, uint64_t sent, uint64_t grown);
