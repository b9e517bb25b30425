// What is granted to whom without being asked (MODELS.md 8.4, 8.5): one policy per kind of peer.
//
//                                     a contact     the own other node
//   own main profile (IdAccess)           x                x
//   one-to-one topic and channel          x                x
//   every Someone except "me"                              x
//   the profiles of contacts                               x
//   own and imported channels, topics                      x
//   Settings                                               x
//   signatures that vouch for keys, certificates           x
//   grants, groups, recipes, objects, files: keeping.h     x
#pragma once

#include "models/own_node.h"

// The person of our own other node and its instance key, told by the supervisor; kept in the store. Also shares what
// exists already. No other key makes anybody our own node, whatever person it names.
enum status sharing_set_own_node(struct model *m, const struct hash *person, const struct public_key *instance_key,
                                 struct error *e);

// After pairing, and for every contact at start: gives the contact what the policy says. Repeating it changes nothing.
enum status sharing_apply(struct model *m, const struct hash *person, struct error *e);
// For every head that moves: shares a new Someone, Profile, ChannelInfo or Settings with the own node.
enum status sharing_notice(struct model *m, const char *type, const struct hash *id_hash, struct error *e);
// For every new object: the own node also gets Topics and our signatures on what outlives a message.
enum status sharing_notice_object(struct model *m, const char *type, const struct hash *hash, struct error *e);
// Everything there is to be shared with the own node, once more.
enum status sharing_everything(struct model *m, struct error *e);
// Is the signature by the issuer, and about keys or a certificate that stands for itself? Not about an entry of a
// channel, which comes with it.
bool sharing_is_worth_keeping(struct model *m, const struct hash *signature, const struct hash *issuer);
