// A file that is read beside the store's thread: opened on it, then read by whoever has the reader, to the end, also
// when the file is deleted meanwhile.
#pragma once

#include "store/store.h"

struct store_reader;

// On the store's thread. Codes as of store_read_chunk.
enum status store_reader_open(struct store *s, const struct hash *hash, struct store_reader **out, struct error *e);
uint64_t store_reader_left(const struct store_reader *r); // bytes that have not been read
// One thread at a time. Up to room bytes, fewer only at the end. The last ones come when the whole file is what its
// hash says; OBJECT-DAMAGED otherwise, which the store has to be told: store_reader_failed.
enum status store_reader_next(struct store_reader *r, void *data, size_t room, size_t *len, struct error *e);
const struct hash *store_reader_hash(const struct store_reader *r);
void store_reader_destroy(struct store_reader *r); // NULL-safe

// On the store's thread: the file with this hash was found damaged while it was read.
void store_reader_failed(struct store *s, const struct hash *hash);
