// Who takes part in a group conversation, and as what: a chain of statements, each signed by an owner of the one
// before.
//
// A statement is a ChatMessage that lies in no channel: a type that the reference knows, because an object of a type it
// does not know would be asked for again in every pass. Its sender is who signed it, its only attachment the statement
// before, and its text is, byte for byte,
//
//   tandem-topic 1
//   id ID                 of the topic, and of the channels of its first epoch
//   name NAME
//   creator PERSON        owner of the channel that the Topic names; signs the first statement
//   number N              1 for the first
//   previous HASH         zeros for the first
//   epoch N               a new one begins when somebody joins who is not to see what was said before
//   history yes|no        do those who join see it?
//   member PERSON ROLE SINCE WROTE KEY       ROLE is owner, writer, reader or gone; SINCE the first epoch it may see;
//   …                                        WROTE 1 who ever might write; KEY its sign key, zeros for none
//   signed SIGNATURE      over the 64 digits of the hash of all lines above
//
// Members keep their place for good, so the histories of two statements can be compared. An owner may say anything;
// everybody else may only leave.
#pragma once

#include "models/trust.h"

enum member_role { MEMBER_GONE, MEMBER_READER, MEMBER_WRITER, MEMBER_OWNER };
enum { MEMBERS_MAX = 256, MEMBERS_EPOCHS = 64, MEMBERS_CHAIN = 1000 };

struct member {
    struct hash person;
    enum member_role role;
    unsigned since;
    bool wrote;
    struct sign_public key; // zeros = none
};

struct members { // a statement
    struct hash hash;
    struct hash channel; // of the topic: what it is told apart by
    struct span id;
    struct span name;
    struct hash creator;
    struct hash signer;
    struct hash previous; // zero = the first
    unsigned number;
    unsigned epoch;
    bool history;
    struct member *items;
    size_t count;
};

const char *member_role_name(enum member_role role);
bool member_role_parse(struct span text, enum member_role *out);

// ---- The list (members_list.c) --------------------------------------------------------------------------------------

struct member *members_find(const struct members *members, const struct hash *person); // NULL: never was one
// Somebody whose part is ours: who we are here, or the other own node and its further identities. What is said to a
// further identity is for that one alone (actor.h); the main one hears for the other own node, too.
bool members_is_ours(struct model *m, const struct hash *person);
bool members_has(const struct members *members, const struct hash *person); // and is not gone
bool members_may_write(const struct members *members, const struct hash *person);
void members_add(struct model *m, struct members *members, const struct member *one);
struct members members_copy(struct model *m, const struct members *members);

// ---- The statements -------------------------------------------------------------------------------------------------

// The statement that holds for the topic of this channel. STATUS_NOT_FOUND: a topic without one.
enum status members_current(struct model *m, const struct hash *channel, struct members *out, struct error *e);
enum status members_read(struct model *m, const struct hash *hash, struct members *out, struct error *e);
// Signs and stores what we say next; next->previous, number, signer and hash are set. It holds at once. Codes:
// BAD-INPUT, TOO-BIG.
enum status members_publish(struct model *m, struct members *next, struct error *e);
// A ChatMessage came that lies in no channel. *taken: it is a statement that holds from now on. Of two that go on from
// the same one, the one holds whose signer the other does not send away; else the longer chain; else the greater hash.
// *lost: what held until now, if it is not among the statements before.
enum status members_take(struct model *m, const struct hash *hash, const struct hash *from, struct members *out,
                         bool *taken, struct members *lost, struct error *e);
// What two statements have in common: the last one both go on from.
enum status members_fork(struct model *m, const struct members *a, const struct members *b, struct members *out,
                         struct error *e);
// The key that an owner whom we trust gives for a member. Only for members whose keys are not known here.
bool members_introduced_key(struct model *m, const struct members *members, const struct hash *person,
                            struct sign_public *key);
