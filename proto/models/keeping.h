// What both own nodes of an installation have, whichever it was put on: grants, groups, recipes, objects and files.
// Each shows it to the other, takes it in and shows it in turn, so that either can be made anew from the other.
//
// Grants and groups are shown without a grant (store_offer), or each would need another one. Left out are those that
// each node makes by itself, of own profiles and conversations.
#pragma once

#include "models/model.h"

// For the hooks: a new current version. from: the node it came from, zero = made here. Does nothing without own node.
enum status keeping_notice(struct model *m, const char *type, const struct hash *id_hash, const struct hash *from,
                           struct error *e);
// The same for an unversioned object that came from the other own node as something of its own.
enum status keeping_notice_object(struct model *m, const struct hash *hash, const struct hash *from, struct error *e);
// Is the type one of these kinds, so that keeping_notice has something to do? Types that have a meaning in the model
// layer are shared by sharing.h.
bool keeping_is_noticed(const char *type);

// What the user put here.
enum status keeping_object(struct model *m, const struct object *o, struct error *e);
enum status keeping_file(struct model *m, const struct hash *file, uint64_t size, struct error *e);
// Everything there is, for an own node that is new; but for what keeping_object and keeping_file have granted.
enum status keeping_all(struct model *m, struct error *e);

// Does the other own node stand for the person, too? Then forgetting her here takes no grants back.
bool keeping_knows(struct model *m, const struct hash *person);
