// Topics name conversations and say which channel carries them (MODELS.md 6.1 – 6.3). A topic is told apart by that
// channel: others may use the same id for a conversation of their own.
//
// In a group everybody writes into an own channel of the topic's id. Who takes part is said by statements (members.h);
// every member shows the others' channels to all of them, so that members who do not know each other, and peers that
// know no statements, see everything. Topics that came without statements have as members who is granted them here.
#pragma once

#include "models/channel.h"
#include "models/members.h"

#define TOPIC_EVERYONE "EveryoneTopic"
#define TOPIC_GLUE "GlueOneTopic"

enum topic_kind { TOPIC_ONE_TO_ONE, TOPIC_FOR_EVERYONE, TOPIC_GROUP };

struct topic {
    struct hash hash; // Topic object
    struct span id;   // also the channel id
    struct span name; // may be empty
    struct hash channel;
    enum topic_kind kind;
    struct hash peer;        // one-to-one: the other participant, zero if we are none of them
    struct members *members; // what is said of a group's; NULL: nothing
};

struct topics {
    struct topic *items;
    size_t count;
};

// "A<->B", the lesser id first.
struct span topic_one_to_one_id(struct arena *a, const struct hash *one, const struct hash *two);
bool topic_is_one_to_one(struct span id, struct hash *one, struct hash *two);
enum topic_kind topic_kind_of(struct span id);
enum status topic_load(struct model *m, const struct hash *hash, struct topic *out, struct error *e);
bool topic_is_shared(struct model *m, const struct topic *topic); // its channel has no owner
// What tells a topic apart, as a text that topic_named understands.
struct span topic_key(struct model *m, const struct topic *topic);
// Is it a Topic we may act on (6.3)? Its channel must be the channel of its id, and a one-to-one topic must be ours.
// Code NOT-TRUSTED.
enum status topic_validate(struct model *m, const struct value *topic, struct error *e);

// ---- The registry (topic_registry.c) --------------------------------------------------------------------------------

enum status topic_add_to_registry(struct model *m, const struct topic *t, bool at_once, struct error *e);
// The topics of an id, first come first; STATUS_NOT_FOUND if there is none.
enum status topic_with_id(struct model *m, struct span id, struct topics *out, struct error *e);
enum status topic_find(struct model *m, struct span id, struct topic *out, struct error *e); // the first of them

// ---- Whose channels they are (topic_claims.c) -----------------------------------------------------------------------

// The statements that count a channel among those of their conversation: of its id and owner, up to TOPIC_CLAIMS.
enum { TOPIC_CLAIMS = 8 };
struct topic_claims {
    struct members items[TOPIC_CLAIMS];
    unsigned epochs[TOPIC_CLAIMS];
    size_t count;
};
void topic_claims_of(struct model *m, struct span channel_id, const struct hash *owner, struct topic_claims *out);
// The key that an owner gives for the owner of a channel whose keys are not known here.
bool topic_introduced_key(struct model *m, const struct hash *channel, const struct hash *person,
                          struct sign_public *key);

// ---- What a user sees (topic_list.c) --------------------------------------------------------------------------------

enum status topic_list(struct model *m, struct topics *out, struct error *e);
// What a user calls a topic: its id, the id of its channel, the beginning of either, or its name, whichever is unique.
// Of several with one id it is the one that we made. Codes: NOT-FOUND, AMBIGUOUS-ID.
enum status topic_named(struct model *m, struct span text, struct topic *out, struct error *e);
bool topic_is_with(const struct topic *topic, const struct hash *person); // a conversation of two
// The same of those that are no conversation of two with that person.
enum status topic_named_besides(struct model *m, struct span text, const struct hash *person, struct topic *out,
                                struct error *e);

// ---- Who takes part (topic_members.c) -------------------------------------------------------------------------------

// Who takes part, as far as is known here; the caller frees the list.
enum status topic_persons_of(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e);
// The channels whose entries make up the conversation.
enum status topic_channels(struct model *m, const struct topic *topic, struct hash_list *channels, struct error *e);
// Whom a message of ours in it is for, besides ourselves and our other node; of a topic for everyone nobody in
// particular. The caller frees the list.
enum status topic_recipients(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e);

// ---- Beginning (topic_open.c) ---------------------------------------------------------------------------------------

// Both create the channel, the Topic, its registry entry and the grants of 6.3; existing ones are returned. Opening the
// conversation of everyone shows what we write there to everyone, in a channel of our own; what others wrote is theirs
// to show.
enum status topic_open_one_to_one(struct model *m, const struct hash *person, struct topic *out, struct error *e);
enum status topic_open_everyone(struct model *m, struct topic *out, struct error *e);
enum status topic_open_glue(struct model *m, struct topic *out, struct error *e);
// Channel, Topic and registry entry of a conversation that is not there yet. owner NULL: a channel without owner.
enum status topic_make(struct model *m, struct span id, struct span name, const struct hash *owner, struct topic *out,
                       struct error *e);
enum status topic_add_persons(struct model *m, const struct topic *topic, const struct hash *persons, size_t count,
                              struct error *e);
// The reaction to every new Topic, own or imported: registry (at once, or with others: lag.h) and grants. Invalid ones
// are ignored and logged.
enum status topic_notice(struct model *m, const struct hash *topic, bool at_once, struct error *e);

// ---- Who sees what (topic_grants.c) ---------------------------------------------------------------------------------

// Grants what belongs to the topic to exactly its members. old: what was said of them before, or NULL.
enum status topic_reconcile(struct model *m, const struct members *now, const struct members *old, struct error *e);
// The reaction to a new channel: it may be a member's.
enum status topic_notice_channel(struct model *m, const struct hash *channel, struct error *e);

// The reaction to a channel of ours that is here since a member brought it back: it is for the only conversation that
// claims it.
enum status topic_notice_returned(struct model *m, const struct hash *channel, const struct hash *from,
                                  struct error *e);

// ---- Where we write (topic_outlet.c) --------------------------------------------------------------------------------

// Code REFUSED: the person takes no part, or only reads.
enum status topic_may_write(const struct topic *topic, const struct hash *person, struct error *e);
// The channel we write to, made at the first time. Code REFUSED. And where another own person would most likely.
enum status topic_outlet(struct model *m, const struct topic *topic, struct hash *channel, struct error *e);
enum status topic_outlet_of(struct model *m, const struct topic *topic, const struct hash *person, struct hash *channel,
                            struct error *e);

// ---- Groups (topic_change.c) ----------------------------------------------------------------------------------------

struct topic_plan {
    struct span name; // may be empty
    struct span id;   // empty: made from the name, with random characters
    const struct hash *persons;
    size_t count;
    bool history; // who joins later sees what was said before
};

// The id of one that is about to be made.
struct span topic_make_id(struct model *m, struct span name);
// Codes: BAD-INPUT, EXISTS (a channel of ours has this id).
enum status topic_create_group(struct model *m, const struct topic_plan *plan, struct topic *out, struct error *e);
// The Topic of a group that another own person will make under this id: it can be written to before that.
enum status topic_expect(struct model *m, struct span id, struct span name, const struct hash *creator,
                         struct topic *out, struct error *e);
// All for owners; a topic of ours without statements gets its first one. role: of somebody who joins, or from now on.
// Codes: REFUSED, NOT-FOUND, TOO-BIG, NOT-TRUSTED (no contact).
enum status topic_set_role(struct model *m, struct topic *topic, const struct hash *person, enum member_role role,
                           bool history, struct error *e);
enum status topic_remove(struct model *m, struct topic *topic, const struct hash *person, struct error *e);
enum status topic_rename(struct model *m, struct topic *topic, struct span name, struct error *e);
enum status topic_leave(struct model *m, struct topic *topic, struct error *e);
// The reaction to a ChatMessage that lies in no channel: a statement about members may hold from now on.
enum status topic_notice_statement(struct model *m, const struct hash *message, const struct hash *from,
                                   struct error *e);
// What waits to be added to the registry is; and statements are found that a store knows no more to hold.
enum status topic_catch_up(struct model *m, struct error *e);
