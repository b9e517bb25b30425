// Conversations by their topic and contacts by their person; the product asks for channels and lists.
#pragma once

#include "models/chat.h"
#include "models/contact.h"

// One contact of the list. STATUS_NOT_FOUND, and e is not set: it is not there.
enum status contact_get(struct model *m, const struct hash *person, struct contact *out, struct error *e);
// Those of chat.h with the channels of one topic.
enum status chat_page(struct model *m, const struct topic *topic, size_t limit, const struct hash *before,
                      struct chat_messages *out, struct error *e);
enum status chat_since(struct model *m, const struct topic *topic, struct span cursor, size_t limit,
                       struct chat_messages *out, struct span *next, struct error *e);
enum status chat_cursor(struct model *m, const struct topic *topic, struct span *cursor, struct error *e);
