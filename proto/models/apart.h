// Whose contact a person is, where a node has several identities: each keeps its contacts and conversations to itself.
// A person that nothing is noted of belongs to the main identity, as all did before.
#pragma once

#include "models/model.h"

bool apart_belongs(struct model *m, const struct hash *person); // to the identity that acts
// It has paired with the identity that acts; is_new: it was in no contact book here.
enum status apart_join(struct model *m, const struct hash *person, bool is_new, struct error *e);
enum status apart_leave(struct model *m, const struct hash *person, struct error *e); // of all identities
// Tells the other own node what a store of before had noted for itself.
enum status apart_catch_up(struct model *m, struct error *e);

enum status apart_leave_alone(struct model *m, const struct hash *person, struct error *e); // the one that acts
bool apart_is_shared(struct model *m, const struct hash *person);                           // also of another identity
// Of this further identity.
bool apart_is_known_to(struct model *m, const struct hash *person, const struct hash *identity);

// A further identity begins: it may vouch for others and for itself, as the main one does. Repeating it changes
// nothing.
enum status apart_begin(struct model *m, struct error *e);
