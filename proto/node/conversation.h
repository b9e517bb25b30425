// A conversation as it is read and shown: what its channels hold, what waits in the outbox to be posted by the archive,
// and how far each own message got. On the face (face.h) both own persons are one.
#pragma once

#include "models/topic.h"
#include "node/job.h"

enum status conversation_page(struct node_job *job, struct model *m, struct error *e); // chat.list
enum status conversation_topic_page(struct node_job *job, struct model *m, const struct topic *topic, struct error *e);
enum status conversation_since(struct node_job *job, struct model *m, struct error *e); // chat.since
enum status conversation_state(struct node_job *job, struct model *m, struct error *e); // chat.state
struct chat_message;
struct store_intent;
// A message of the outbox as its channel will show it; false when it is not here.
bool conversation_row(struct model *m, const struct store_intent *row, struct chat_message *out);
double conversation_time(struct model *m, const struct hash *message); // INFINITY where nobody knows it
json_t *conversation_show(struct model *m, const struct chat_message *message, bool is_face);
// {state, deliveredTo, why} of an own message, added to an object.
enum status conversation_add_state(struct model *m, const struct hash *message, const struct hash *sender, json_t *to,
                                   struct error *e);
