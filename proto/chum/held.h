// Which files an own node has (HOLDS, docs/feeds.md): before bytes are given up here, and instead of fetching them.
#pragma once

#include "chum/fetch.h"

// For each file how many bytes of it are here, -1 for none, as text with a blank between them. Store thread.
void chum_held_write(struct store *s, const struct hash_list *files, struct buf *text);
int64_t chum_held_next(struct span *text); // the next of such a text, which moves on; -1 also for what is no number

// Asks for up to CHUM_HELD_MAX files. false: nothing can be asked any more. Otherwise done is called once, on the loop,
// later; sizes is NULL if there is no answer, and else borrowed.
bool chum_held_ask(struct chum_fetch *f, const struct hash_list *files, void (*done)(void *ctx, const int64_t *sizes),
                   void *ctx);
