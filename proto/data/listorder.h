// Whether a list is in order: each element older than the one above it, by their keys (listmarks.h).
//
// Lists are written by anybody, in any order. Who reads the newest part of one has to know that nothing newer lies
// below.
#pragma once

#include "data/linkedlist.h"

// Reads down to the first entry of which the source's marks know it (a new entry on a known list: two entries), else
// the whole list once. Entries that are lost here count for nothing. head zero: an empty list, in order. Fails where a
// reading that steps over what is lost fails, too. *looked: elements that were read for it.
enum status list_is_in_order(const struct version_source *s, const struct hash *head, bool *in_order, size_t *looked,
                             struct error *e);
