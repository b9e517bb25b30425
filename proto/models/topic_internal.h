// What the files of topics share.
#pragma once

#include "models/topic.h"

// The id of a member's channel. apart: of one who uses the plain id for something else.
struct span topic_channel_text(struct model *m, struct span id, const struct hash *topic, unsigned epoch, bool apart);
// Was this channel of ours made for this topic?
bool topic_is_outlet(struct model *m, const struct hash *channel, const struct hash *topic);
// Did a member say something in the latest epoch?
bool topic_epoch_is_used(struct model *m, const struct members *s);
// The Topic of an epoch, which peers that know no statements list a conversation by. Of s the id and creator count.
enum status topic_put_object(struct model *m, const struct members *s, unsigned epoch, struct span name,
                             struct hash *hash, struct error *e);
// A store that was made anew from its files has all statements, but nothing says which of them hold.
enum status topic_recover_statements(struct model *m, struct error *e);
// Grants a member's channel to whom it is for; of others nothing happens.
enum status topic_grant_channel(struct model *m, const struct hash *id_hash, struct span id, const struct hash *owner,
                                struct error *e);
