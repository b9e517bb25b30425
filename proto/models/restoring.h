// A node that lost its store and was made again with its keys gets back from the other own node what it had.
//
// What is its own, like its profile and the channels it owns, nobody else writes. So the other node shows these only
// when the supervisor says so, and the node takes them in only from then until everything has come: its store remembers
// that.
#pragma once

#include "crypto/keychain.h"
#include "models/model.h"

bool restoring_is(struct model *m);                            // this node is being given back what it lost
enum status restoring_begin(struct model *m, struct error *e); // its store is new
// Everything has come: what every node derives for itself is made of it. k has the keys of further identities.
enum status restoring_end(struct model *m, struct keychain *k, struct error *e);

// At the other node: shows, or no longer shows, the other one what is that one's own. Repeating it changes nothing.
enum status restoring_give(struct model *m, bool give, struct error *e);
