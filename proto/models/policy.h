// What we take from a peer and what we hand out (MODELS.md 8.7). CHUM asks these before anything takes effect.
#pragma once

#include "models/model.h"

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
// The own other node may also send Someone except "me", Settings, and profiles, channels and topics of others; never
// our own Profile, Leute, registries, Instance, or a channel we own. Codes: REFUSED, NOT-TRUSTED, CIEC-FO3.
enum status policy_may_import(struct model *m, const struct hash *sender, const struct object *object, struct error *e);
// Is such a version, which may be imported, taken in together with its history (data/follow.c)? Settings, which the own
// nodes alone write, and profiles from who owns them or from the other own node.
bool policy_follows(struct model *m, const struct hash *sender, const struct object *object);
// The cheap question before fetching a root, from its announcement alone; false saves the transfer.
bool policy_may_want(struct model *m, const struct hash *sender, struct span type, const struct hash *id_hash);

// May this root be offered to the person, although granted? Access, IdAccess, Group never; Someone "me", Leute,
// registries and Instance never; the rest as granted.
bool policy_may_serve(struct model *m, const struct hash *person, struct span type, const struct hash *id_hash);

// What is never shared with anybody, granted or not: Access, IdAccess, Group, Instance, Leute, the registries, and
// Someone "me", which has the same id on every node. id_hash may be zero for types where it does not matter.
bool policy_is_private(struct model *m, struct span type, const struct hash *id_hash);
