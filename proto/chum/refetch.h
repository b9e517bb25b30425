// Fetches what was here and was lost, by its names alone, from an own node: that hands out whatever it has, as bytes,
// whether it is an object or a file. Each is taken only if its bytes have that hash, and becomes again what it was.
#pragma once

#include "chum/fetch.h"

struct chum_refetch;

// Called once, on the loop, also when the session ends meanwhile; failed are those that were not had, and why the last
// of them was not, borrowed.
typedef void (*chum_refetch_done)(void *ctx, const struct hash_list *failed, const struct error *why);

// The hashes are copied. all: the list of those that the session has under way, NULL for none.
void chum_refetch_begin(struct chum_refetch **all, struct chum_fetch *f, const struct hash_list *hashes,
                        chum_refetch_done done, void *ctx);
void chum_refetch_end(struct chum_refetch **all); // the session ends: of each done is called
