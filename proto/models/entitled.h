// What each of a node's identities may show to whom. What says whose it is — profiles, channels, topics, statements
// about members — only that identity shows; the rest, of which nothing does, only the first identity that the person is
// a contact of: whoever knows several must not see the same thing at two of them.
#pragma once

#include "models/actor.h"

// m: as the identity that shows; what: the id, or the object if it has none.
bool entitled_to_show(const struct actors *a, struct model *m, const struct hash *person, struct span type,
                      const struct hash *what);
// Is any identity that the person is a contact of? m: as the main identity.
bool entitled_any(const struct actors *a, struct model *m, const struct hash *person, struct span type,
                  const struct hash *what);
