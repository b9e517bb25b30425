// What the files of topics share, from the lowest to the highest.
#pragma once

#include "models/topic.h"

// ---- topic_registry.c -----------------------------------------------------------------------------------------------

// Everything the registry names, also what is no conversation to show.
enum status topic_registered(struct model *m, struct topics *out, struct error *e);
// What waits to be added to the registry is.
enum status topic_write_waiting(struct model *m, struct error *e);

// ---- topic_claims.c -------------------------------------------------------------------------------------------------

// The id of a member's channel. apart: of one who uses the plain id for something else.
struct span topic_channel_text(struct model *m, struct span id, const struct hash *topic, unsigned epoch, bool apart);
// Was this channel of ours made for this topic? And: it was.
bool topic_is_outlet(struct model *m, const struct hash *channel, const struct hash *topic);
enum status topic_note_outlet(struct model *m, const struct hash *channel, const struct hash *topic, struct error *e);

// ---- topic_members.c ------------------------------------------------------------------------------------------------

typedef enum status (*topic_visit)(struct model *m, const struct members *s, const struct member *owner, unsigned epoch,
                                   const struct hash *channel, void *arg, struct error *e);
// The channels that are here, of all who ever might write; also of before a member was sent away and came back.
enum status topic_each_channel(struct model *m, const struct members *s, topic_visit visit, void *arg, struct error *e);
// Those whose entries make up the conversation.
enum status topic_channels_said(struct model *m, const struct members *s, struct hash_list *channels, struct error *e);
// Did a member say something in the latest epoch?
bool topic_epoch_is_used(struct model *m, const struct members *s);

// ---- topic_open.c ---------------------------------------------------------------------------------------------------

// The Topic of an epoch, which peers that know no statements list a conversation by. Of s the id and creator count.
enum status topic_put_object(struct model *m, const struct members *s, unsigned epoch, struct span name,
                             struct hash *hash, struct error *e);

// ---- topic_grants.c -------------------------------------------------------------------------------------------------

// Grants a member's channel to whom it is for; of others nothing happens.
enum status topic_grant_channel(struct model *m, const struct hash *id_hash, struct span id, const struct hash *owner,
                                struct error *e);
