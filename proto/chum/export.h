// What one question about roots, children or objects answers (WIRE.md 10.4 – 10.6). Store thread.
#pragma once

#include "chum/chum.h"

bool chum_is_own(const struct chum_policy *policy, struct store *s, const struct hash *person); // another node of ours
// May the root with this entry in the list be offered? what: its id, or the object if it has none.
bool chum_serves(const struct chum_policy *policy, struct store *s, const struct hash *person, struct span fragment,
                 const struct hash *what);

// Services 2 and 4 to 7. text gets the JSON list or the microdata as the inside of a JSON string, shown every hash the
// person may ask for from now on. Codes: SB-READ2, M2O-PH1, CES-GO2, CES-GIDO2.
enum status chum_export(struct store *s, const struct chum_policy *policy, const struct hash *person,
                        enum chum_service service, const struct hash *hash, struct buf *text, struct hash_list *shown,
                        struct error *e);
