// Values of the store as JSON for those who ask. Whatever a peer wrote comes out as valid, bounded text.
#pragma once

#include <jansson.h>

#include "base/hash.h"

json_t *node_json_hash(const struct hash *h); // null for the zero hash
json_t *node_json_hashes(const struct hash_list *list);
json_t *node_json_text(struct span s);
json_t *node_json_beginning(struct span s, size_t max); // max bytes of it at most, whole characters
json_t *node_json_name(struct span s);                  // that of a name somebody else chose
