// Adding to the lists of deletions (deletion.h), for deletion.c.
#pragma once

#include "models/deletion.h"

void deletion_add_word(struct buf *words, char kind, const struct hash *hash);
void deletion_add_timed_word(struct buf *words, char kind, const struct hash *hash, double time);
// To as many lists as it takes. They hold at once.
enum status deletion_write_words(struct model *m, struct span words, struct error *e);
