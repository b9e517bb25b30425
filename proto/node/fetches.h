// What lies at the other own node and is read here: it is fetched, and whoever reads waits for it, but not for ever.
#pragma once

#include "base/error.h"
#include "base/hash.h"

struct node;
struct fetches;

struct fetches *fetches_create(struct node *n);
void fetches_destroy(struct fetches *f); // whoever waits gets CLOSED; NULL-safe

// done is called once, on the loop, later. STATUS_OK: all of them are here. Codes: NOT-HERE (the other node is away),
// STILL-FETCHING (it goes on), LOST-THERE (it does not have it), and those of storing. why is borrowed.
typedef void (*fetches_done)(void *ctx, enum status status, const struct error *why);
void fetches_want(struct fetches *f, const struct hash_list *hashes, fetches_done done, void *ctx);
