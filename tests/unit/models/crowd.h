// Five nodes of different people, the first of whom knows all others; and what they do in group conversations.
#pragma once

#include "model_node.h"
#include "models/chat.h"

enum { CROWD = 5 }; // ann, ben, cid, dan, eve

struct crowd {
    struct model_node nodes[CROWD];
};

// Around a cmocka test, whose state it is.
int crowd_begin(void **state);
int crowd_end(void **state);
const struct hash *crowd_person(struct crowd *w, size_t i);

// As often as it takes for something to come from any node by way of ann to any other.
void crowd_sync_all(struct crowd *w);
void crowd_sync_two(struct crowd *w, size_t a, size_t b);

// A group of the one who makes it and the count next after ann.
struct topic crowd_create(struct crowd *w, size_t by, const char *name, const char *id, size_t count, bool history);
struct topic crowd_topic(struct crowd *w, size_t i, const char *name);
struct chat_sent crowd_say(struct crowd *w, size_t i, const char *name, const char *text);
// All texts of the conversation, separated by blanks; every message is verified. Valid until the next call.
const char *crowd_heard(struct crowd *w, size_t i, const char *name);
