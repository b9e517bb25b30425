// The index of grants.
#pragma once

#include "store/heads.h"
#include "store/store.h"

struct store_type;

// The grant for a target as the index has it; NULL: there is none.
enum status access_remake(struct store *s, const struct hash *target, bool is_id, struct arena *a, struct value **out,
                          struct error *e);
// old_node: the head before, NULL if there was none.
enum status access_follow(struct store *s, const struct store_type *type, const struct hash *id_hash,
                          const struct hash *old_node, const struct head_row *head, struct error *e);
// Whether an object can be delivered has changed: scopes of which it is a root have other roots now.
enum status access_object_changed(struct store *s, const struct hash *hash, struct error *e);
