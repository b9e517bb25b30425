// What we take from a peer and what we hand out (MODELS.md 8.7). CHUM asks these before anything takes effect.
#pragma once

#include "models/kinds.h"

// May this root of the sender be imported? object is the data object of an unversioned, versioned or version_node root,
// or the id object of an id root, not yet announced. Without the right the root is skipped and reported.
//
//   ChannelInfo   owned by the sender, or by a member of a group of which the sender is one too; without owner:
//                 one-to-one with the sender, everyone, glue, and those that came from the sender first or are shared
//                 with it
//   Topic         validated (topic.h); one-to-one only from its other participant, otherwise from whom we take its
//                 channel
//   Profile       about the sender, owned by the sender
//   other types   unversioned objects of kinds without effect of their own; never versions
//
// The own other node may also send Someone except "me", Settings, Recipes of new types, grants, groups, and profiles,
// channels and topics of others; never Leute, registries or Instance, and our own Profile or a channel we own only
// while it gives us back what we lost (restoring.h). Codes: REFUSED, NOT-TRUSTED, CIEC-FO3, OR-ADDR1.
enum status policy_may_import(struct model *m, const struct hash *sender, const struct object *object, struct error *e);
// Is such a version, which may be imported, taken in together with its history (data/follow.c)? Settings, which the own
// nodes alone write, and profiles from who owns them or from the other own node; from that one everything but channels,
// which have a merge of their own. All others are taken for peers of the reference's kind.
bool policy_follows(struct model *m, const struct hash *sender, const struct object *object);
// The cheap question before fetching a root, from its announcement alone; false saves the transfer.
bool policy_may_want(struct model *m, const struct hash *sender, struct span type, const struct hash *id_hash);

// Does the version take the place of ours, which is only a stopgap? Our own profile while it is given back to us.
bool policy_replaces(struct model *m, const struct hash *sender, const struct object *object);

// May this root be offered to the person, although granted? Access, IdAccess and Group only to the own other node;
// Someone "me", Leute, registries and Instance never; to others what belongs to our other node, which shows it itself,
// not either; the rest as granted.
bool policy_may_serve(struct model *m, const struct hash *person, struct span type, const struct hash *what);
