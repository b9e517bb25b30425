// Topics name conversations and say which channel carries them (MODELS.md 6.1 – 6.3).
#pragma once

#include "models/channel.h"

#define TOPIC_EVERYONE "EveryoneTopic"
#define TOPIC_GLUE "GlueOneTopic"

enum topic_kind { TOPIC_ONE_TO_ONE, TOPIC_FOR_EVERYONE, TOPIC_GROUP };

struct topic {
    struct hash hash; // Topic object
    struct span id;   // also the channel id
    struct span name; // may be empty
    struct hash channel;
    enum topic_kind kind;
    struct hash peer; // one-to-one: the other participant, zero if we are none of them
};

struct topics {
    struct topic *items;
    size_t count;
};

// "A<->B", the lesser id first.
struct span topic_one_to_one_id(struct arena *a, const struct hash *one, const struct hash *two);
bool topic_is_one_to_one(struct span id, struct hash *one, struct hash *two);

// All create the channel, the Topic, its registry entry and the grants of 6.3; existing ones are returned.
enum status topic_open_one_to_one(struct model *m, const struct hash *person, struct topic *out, struct error *e);
enum status topic_open_everyone(struct model *m, struct topic *out, struct error *e);
enum status topic_open_glue(struct model *m, struct topic *out, struct error *e);
// A group conversation: every member writes into an own channel of the same id. An empty id is made from the name
// (6.5). The Topic and our channel are granted to the persons.
enum status topic_create_group(struct model *m, struct span name, struct span id, const struct hash *persons,
                               size_t count, struct topic *out, struct error *e);
enum status topic_add_persons(struct model *m, const struct topic *topic, const struct hash *persons, size_t count,
                              struct error *e);
enum status topic_add_group(struct model *m, const struct topic *topic, const struct hash *group, struct error *e);

enum status topic_find(struct model *m, struct span id, struct topic *out, struct error *e); // STATUS_NOT_FOUND
enum status topic_list(struct model *m, struct topics *out, struct error *e);
// The channels whose entries make up the conversation: without owner, ours, and those of its members.
enum status topic_channels(struct model *m, const struct topic *topic, struct hash_list *channels, struct error *e);
// Whom a message of ours in it is for, besides ourselves and our other node; of a topic for everyone nobody in
// particular. The caller frees the list.
enum status topic_recipients(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e);

// Is it a Topic we may act on (6.3)? Its channel must be the channel of its id, and a one-to-one topic must be ours.
// Code NOT-TRUSTED.
enum status topic_validate(struct model *m, const struct value *topic, struct error *e);
// The reaction to every new Topic, own or imported: registry (at once, or with others: lag.h) and grants. Invalid ones
// are ignored and logged.
enum status topic_notice(struct model *m, const struct hash *topic, bool at_once, struct error *e);
enum status topic_catch_up(struct model *m, struct error *e); // what waits to be added to the registry is
