// Where the bytes of files lie.
#pragma once

#include "store/store.h"

enum {
    STORE_INLINE = 64 << 10, // bodies above go to files before the transaction
    STORE_BODY_LIMIT = MICRODATA_MAX_SIZE,
};

char *place_settled(const struct store *s, const struct hash *hash); // objects/ab/<hash>; caller frees

// The bytes, wherever they lie, and the settled head of an id that has none any more.
enum status place_remove(struct store *s, const struct hash *hash, struct error *e);
char *place_head(const struct store *s, const struct hash *id_hash); // vheads/ab/<hash>
enum status place_folders(struct store *s, struct error *e);
// Puts folders aside that stand where files belong; the report names the last one.
enum status place_clear(struct store *s, struct store_report *report, struct error *e);
// Makes the folder a file is to lie in. *made (may be NULL): it was new, and whoever needs its name durable syncs the
// folder above.
enum status place_prepare(const char *path, bool *made, struct error *e);
char *place_above(const char *path); // the folder above that of the file; caller frees
enum status place_read(struct store *s, const struct hash *hash, uint64_t offset, size_t len, struct buf *out,
                       struct error *e);
// For reading; the caller closes *fd. NOT-FOUND.
enum status place_open(struct store *s, const struct hash *hash, int *fd, struct error *e);
enum status place_write(struct store *s, const struct hash *hash, struct span bytes, struct error *e);
struct temp;

// Makes a written temporary file durable under its hash in incoming/, for the open transaction.
enum status place_arrive(struct store *s, struct temp *t, const struct hash *hash, struct error *e);
bool place_is_foreign(struct store *s);            // the database was made for other files
void place_commit(struct store *s);                // moves arrivals on
void place_rollback(struct store *s, size_t keep); // removes those after keep
enum status place_recover(struct store *s, uint64_t *repaired, struct error *e); // what a crash left behind
