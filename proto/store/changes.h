// The changes of a transaction, for whoever listens to the store.
#pragma once

#include "store/heads.h"
#include "store/rows.h"
#include "store/schema.h"

void changes_add_object(struct store *s, const struct object_row *row, const struct hash *hash);
void changes_add_head(struct store *s, const struct store_type *type, const struct hash *id_hash,
                      const struct head_row *head);
void changes_add_loss(struct store *s, const struct version_loss *loss);
void changes_drop(struct store *s, size_t keep); // those after keep, which were taken back

// The changes of the transaction that was just committed; the caller frees. Without a taker they are dropped.
struct store_change *changes_take(struct store *s, size_t *count);
void changes_free(struct store_change *changes, size_t count);
