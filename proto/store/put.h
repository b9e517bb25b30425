// Storing objects and files, and wanting them.
#pragma once

#include "store/rows.h"

enum status object_put_settled(struct store *s, const struct object *o, struct error *e); // its file is there already

// body NULL: the bytes wait in incoming/.
enum status object_put_file(struct store *s, const struct hash *hash, int kind, uint64_t size, const struct span *body,
                            bool *is_new, struct error *e);
enum status objects_want_damaged(struct store *s, struct error *e);
// Of what is wanted: puts it again, if its links say all that was in it.
enum status object_remake(struct store *s, const struct hash *hash, const struct object_row *row, bool *made,
                          struct error *e);
enum status object_put_id(struct store *s, const struct object *o, struct error *e); // the id object of a version
enum status object_want(struct store *s, const struct hash *hash, struct error *e);  // known by name, content not here
int file_kind(struct span first_bytes); // STORE_CLOB or STORE_BLOB (DATA-MODEL.md 13)
