// The groups of control methods a node answers from its store, one file each: methods_<group>.c. Names, parameters and
// results are those of ipc/methods.h.
#pragma once

#include "node/job.h"

extern const struct node_method NODE_METHODS_OBJECTS[];       // object.*, recipe.*
extern const struct node_method NODE_METHODS_BLOBS[];         // blob.*
extern const struct node_method NODE_METHODS_CHAT[];          // chat.*, topic.send, topic.read
extern const struct node_method NODE_METHODS_CHANNELS[];      // channel.*
extern const struct node_method NODE_METHODS_CONTACTS[];      // contacts.*, contact.*
extern const struct node_method NODE_METHODS_DELETION[];      // chat.delete, object.delete
extern const struct node_method NODE_METHODS_IDENTITIES[];    // identity.*
extern const struct node_method NODE_METHODS_PEOPLE[];        // profile.*, group.*
extern const struct node_method NODE_METHODS_ROOM[];          // rule.*
extern const struct node_method NODE_METHODS_SETTINGS[];      // settings.*
extern const struct node_method NODE_METHODS_SHARE[];         // share.*, roots.*
extern const struct node_method NODE_METHODS_TOPICS[];        // topic.list, topic.members, topic.read-up-to
extern const struct node_method NODE_METHODS_TOPICS_CHANGE[]; // topic.create, .add, .remove, .rename, .leave
extern const struct node_method NODE_METHODS_TRUST[];         // trust.*

// The parameter "group": the name or id of a group that exists. Code NOT-FOUND.
enum status node_job_group(struct node_job *job, struct model *m, struct hash *id_hash, struct error *e);

// The parameter "topic": what a user calls one (topic_named).
struct topic;
struct topics;
enum status node_job_topic(struct node_job *job, struct model *m, struct topic *topic, struct error *e);
// The same, or a person: where no topic is called so, and at the face for what either own node says with somebody. Then
// the parameter named is the person's id. Where both are called so, AMBIGUOUS-ID; but a whole id is what it is the id
// of, unless somebody else made it look like a person's or gave it a person's name, and "me" is ourselves.
enum status node_job_topic_or_person(struct node_job *job, struct model *m, struct topic *topic, enum ipc_name param,
                                     struct error *e);
// The conversation that is meant so, also where it is one of two. Codes as above, and NOT-FOUND where nothing was said.
enum status node_job_conversation(struct node_job *job, struct model *m, struct topic *topic, struct error *e);
// The same where only a group will do. REFUSED.
enum status node_job_group_topic(struct node_job *job, struct model *m, struct topic *topic, struct error *e);
// All topics; with "as" those of that identity only.
enum status node_job_topics(struct node_job *job, struct model *m, struct topics *out, struct error *e);
// What users read: of a conversation of two what the other one is called.
json_t *node_topic_name(struct model *m, const struct topic *topic);
json_t *node_topic_show(struct model *m, const struct topic *topic); // as topic.list does
