// What an object is needed for besides something that is deleted.
#pragma once

#include "models/model.h"

// The object of a message. Code NOT-FOUND.
enum status reach_message(struct model *m, const struct hash *id, struct hash *data, struct error *e);
// Something refers to it, it is a version, or somebody else than our own nodes has a grant for it.
bool reach_is_held(struct model *m, const struct hash *hash);
// What refers to it, grants aside; shells (may be NULL) are what only keeps a file. The caller frees the lists.
enum status reach_referrers(struct model *m, const struct hash *hash, struct hash_list *out, struct hash_list *shells,
                            struct error *e);
// A message's object is needed for another message that is neither deleted nor in the batch (may be NULL).
bool reach_is_needed(struct model *m, const struct hash *data, const struct hash_map *batch);
// What is below a message's object and nothing else: what describes its files, then these. The caller frees the list.
void reach_files(struct model *m, const struct hash *data, struct hash_list *out);
