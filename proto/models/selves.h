// The further identities of our own other node, as this one knows them. Which there are is said in Settings, which both
// own nodes share; who they are, in their profiles. This node can read as they do; what they say and do is the other
// one's, which has their keys.
#pragma once

#include "models/model.h"

// A further identity of this node, for the other one to know. Repeating it changes nothing.
enum status selves_note(struct model *m, const struct hash *person, struct error *e);
bool selves_is_elsewhere(struct model *m, const struct hash *person); // a further identity of the other own node
bool selves_is_ours(struct model *m, const struct hash *person);      // one of ours or of the other own node, whichever
// The further identities of both own nodes; the caller frees the list.
enum status selves_persons(struct model *m, struct hash_list *persons, struct error *e);
// The public sides of those elsewhere (identity.h); of whom no profile has come yet is left out. The caller frees them
// with selves_free, also after an error.
struct selves {
    struct identity **items;
    size_t count;
};
enum status selves_elsewhere(struct model *m, struct selves *out, struct error *e);
void selves_free(struct selves *s);
