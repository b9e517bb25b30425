// What a message is made of, for chat.c.
#pragma once

#include "models/chat.h"

// The object of a message that is to be posted. Codes BAD-TEXT, BAD-INPUT, TOO-BIG, NOT-FOUND (a BLOB that is not
// stored).
enum status chat_compose(struct model *m, const struct hash *sender, struct span text,
                         const struct chat_attachment *attachments, size_t count, struct value **message,
                         struct error *e);
// Of ours, as another own node wrote it. The same codes, and BLOB-UNAVAILABLE.
enum status chat_compose_written(struct model *m, const struct chat_written *written, struct value **message,
                                 struct error *e);
// What an entry of a channel says. false: no message, or it is lost here.
bool chat_read_message(struct model *m, const struct channel_entry *entry, struct chat_message *out);
