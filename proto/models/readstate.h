// How far conversations were read, shared between own nodes.
#pragma once

#include "models/topic.h"

enum { READSTATE_MANY = 100 }; // more unread messages are not counted

struct readstate {
    unsigned unread; // READSTATE_MANY: so many or more
    bool has_last;
    int64_t last_ms; // time of the newest message
};

// Everything up to this message is read, NULL = up to the newest. Nothing becomes unread by it. Code NOT-FOUND.
enum status readstate_set(struct model *m, const struct topic *topic, const struct hash *message, struct error *e);
// Of topics that are shown as one conversation.
enum status readstate_get(struct model *m, const struct topic *topics, size_t count, struct readstate *out,
                          struct error *e);
