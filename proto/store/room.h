// The files that are here and may be given up for others, since somebody else has them too; of a sparse store only.
// Store thread.
#pragma once

#include "store/store.h"

struct store_use {
    struct hash hash;
    uint64_t size;
    int64_t at; // when it was used last, ms since 1970; 0: before that was noted
};

enum status store_room(struct store *s, uint64_t *files, uint64_t *bytes, struct error *e); // that they take
// The longest unused first, without the first skip of them; *count: how many fit in uses, and then how many there are.
// What is used but not noted yet is left out.
enum status store_least_used(struct store *s, size_t skip, struct store_use *uses, size_t *count, struct error *e);
// Reading notes in memory what is used.
bool store_has_uses(const struct store *s);
bool store_is_in_use(const struct store *s, const struct hash *hash);
// In a transaction. What was begun and not read to its end goes on being in use for so long.
enum status store_keep_uses(struct store *s, int64_t keep_ms, struct error *e);
