// What people are called here, and whom somebody means who types a name.
#pragma once

#include "models/model.h"

#define NAMES_STORE "contact.names" // settings: person id → the user's own name for it, "" = none

// The user's own name for a person; empty if there is none. Shared with the own other node, told to nobody.
enum status names_local(struct model *m, const struct hash *person, struct span *name, struct error *e);
enum status names_set_local(struct model *m, const struct hash *person, struct span name, struct error *e);

// Who else is called so, by us, by e-mail or by itself; ambiguous: by us. The caller frees the list.
enum status names_others(struct model *m, const struct hash *person, struct span name, struct hash_list *others,
                         bool *ambiguous, struct error *e);

// The person that is meant: by id, by its first 8 or more digits (in any case, with any blanks), by our own name for
// it, its e-mail or the name it gives itself, in any case. Of several kinds that fit the first counts; own nodes come
// last. "me" is ourselves, whoever is called so. Codes: NOT-FOUND, AMBIGUOUS-ID with candidates.
enum status names_find(struct model *m, struct span text, struct hash *person, struct error *e);

bool names_is_me(struct span text);
bool names_is_like_id(struct span text); // an id, or the beginning of one that is enough
bool names_is_person(struct model *m, const struct hash *id);

// What is called so, among persons or not: by id or its first 8 or more digits. Codes: as above.
enum status names_complete(struct model *m, struct span text, struct hash *id, struct error *e);
