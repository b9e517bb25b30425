// The reactions of the model layer to objects and heads, own or imported: one dispatcher for the store's hook.
//
//   head of Profile       contact and main profile (contact.h), shared with the own node
//   head of Someone       listed in Leute if it is new, shared with the own node
//   head of ChannelInfo   registry, shared with the own node; a member's is shown to the others (topic.h)
//   new Topic             registry and grants (topic.h), shared with the own node
//   head of Settings      a list of deletions takes effect (deletion.h); shared with the own node
//   new ChatMessage       that lies in no channel: a statement about members may hold (members.h)
//   new Signature         ours on keys or a certificate: shared with the own node
//   all others            grants, groups, recipes, applications' own: kept at both own nodes (keeping.h)
//
// An object that came as part of another one only has none of them; it is announced again once it comes for itself.
#pragma once

#include "models/actor.h"

struct hooks {
    struct actors actors;            // who reacts
    const struct model_fixed *fixed; // NULL in a node
    int64_t (*now_ms)(void);         // clock_wall_ms in a node
};

void hooks_install(struct store *s, struct hooks *h); // h is borrowed until the store closes
