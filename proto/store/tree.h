// Whether all that is below an object is here (the column tree).
#pragma once

#include "store/rows.h"

// Of an object of the parent's type and source with these links; what is below is asked, not the object itself.
enum status tree_of_links(struct store *s, const struct object_row *parent, const struct link *links, size_t count,
                          enum tree *out, struct error *e);
enum status tree_of_row(struct store *s, const struct object_row *row, enum tree *out, struct error *e);
enum status tree_arrived(struct store *s, const struct hash *hash, struct error *e); // an object others waited for
enum status tree_lost(struct store *s, const struct hash *hash, struct error *e);
enum status tree_vouched(struct store *s, const struct hash *hash, struct error *e); // it came from somebody else, too
bool tree_is_lacking(enum link_kind kind, bool found, const struct object_row *row); // of what a link leads to

// The objects that lack a BLOB which was not shown by this person, or which others than this person merely named: not
// for its eyes.
enum status tree_lacking_for_others(struct store *s, const struct hash *person, struct hash_map *out, struct error *e);
