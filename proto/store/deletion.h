// What is deleted, and its bytes.
#pragma once

#include "store/rows.h"

// What is deleted is not stored again: unless we do that ourselves, or something that is not deleted needs it.
bool deletion_stays(const struct store *s, const struct object_row *row, const struct hash *hash);
enum status deletion_note_gone(struct store *s, const struct hash *hash, struct error *e); // its bytes are to go

// Removes bytes that are gone from the disk, a little at a time. *more: there is something left to do.
enum status deletion_clear(struct store *s, bool *more, struct error *e);
