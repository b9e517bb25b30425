// Where an object came from.
#pragma once

#include "store/rows.h"

int64_t provenance_source(const struct hash *person);                         // of a person
int64_t provenance_sender(const struct store *s);                             // of what is being stored; 0: made here
bool provenance_as_part(const struct store *s, const struct object_row *row); // it is stored as a part of something
// What is about to be stored in the row of an object that was known before (known) or not.
void provenance_begin(const struct store *s, bool known, const struct object_row *before, struct object_row *row);
bool provenance_has(struct store *s, const struct object_row *row, int64_t source); // it came from there

// May a file be shown below an object? Not if all who brought the object only named the file.
bool provenance_may_show(struct store *s, enum link_kind kind, const struct object_row *row,
                         const struct object_row *parent);
enum status provenance_set(struct store *s, const struct hash *hash, int64_t source, bool part, struct error *e);
enum status provenance_unknown_versions(struct store *s, uint64_t *count, struct error *e);
