// What tests of conversations do with the two nodes of a model_pair.
#pragma once

#include "by_topic.h"
#include "model_node.h"
#include "models/chat.h"

int conversation_begin(void **state); // as model_pair_begin, and they know each other
struct chat_sent say(struct model_node *from, const struct model_node *to, const char *text);
void sync_both(struct model_pair *p); // until nothing is left to be told
struct chat_messages read_all(struct model_node *n, const struct model_node *with);
