// Leute, the root of the contact book, and our own entry in it (MODELS.md 3.3).
#pragma once

#include "models/model.h"

// ---- The first start (leute_init.c) ---------------------------------------------------------------------------------

// Everything that must exist before the node meets anybody; on an existing store it changes only what is missing:
// own endpoint (url empty = none), SignKey and Profile "default"; Someone "me", Leute, both right certificates, the
// groups "everyone" and "initiallyDisabled", and the empty topic registry.
enum status leute_init(struct model *m, struct span url, struct error *e);
// Its first two steps alone, as LeuteModel.init and TopicModel.init of the reference write them.
enum status leute_init_core(struct model *m, struct span url, struct error *e);
enum status leute_init_topics(struct model *m, struct error *e);

// ---- The contact book -----------------------------------------------------------------------------------------------

// Leute with our Someone in it, if there is none yet.
enum status leute_provide(struct model *m, const struct hash *me, struct error *e);
// The id hashes of the well-known objects.
enum status leute_id(struct model *m, struct hash *out, struct error *e);
enum status leute_me(struct model *m, struct hash *someone, struct error *e);           // Someone "me"
enum status leute_others(struct model *m, struct hash_list *someones, struct error *e); // the caller frees
// Adds a Someone to, or takes one out of, Leute.other; adds a group to Leute.group. Nothing happens twice.
enum status leute_add_other(struct model *m, const struct hash *someone, struct error *e);
enum status leute_remove_other(struct model *m, const struct hash *someone, struct error *e);
bool leute_listed_once(struct model *m, const struct hash *someone); // in any version of Leute, in Leute.other or as me
enum status leute_add_group(struct model *m, const struct hash *group, struct error *e);

// The Someone (me or other, listed in Leute) that has the person among its identities. STATUS_NOT_FOUND.
enum status leute_someone_of(struct model *m, const struct hash *person, struct hash *someone, struct error *e);
// Is the person one of our own identities in this node?
bool leute_is_me(struct model *m, const struct hash *person);
