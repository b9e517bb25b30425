// Who meets the node in random sequences: its other own node, contacts, strangers and an impostor, each with real
// connections on which anything may be said; and what has to be true of everything the node says to them.
#pragma once

#include "conn/conn.h"
#include "sayings.h"

enum { TALK_IDS = 64, TALK_PENDING = 8 };

struct actor {
    struct conn_identity identity;
    struct conn_host host;
    char url[40];
    bool known;    // the node may know it: it is a contact, or has paired
    bool believed; // may become known by pairing; an impostor may not
};

struct wanted { // a request of the node
    int64_t id;
    int service;
    char hash[65];
};

struct talk { // one connection, as the actor sees it
    struct talk *next;
    struct actor *actor;
    struct conn *conn;
    struct transport *end;
    enum conn_group group;
    bool ready, node_dialled, synchronised, deaf;
    // What was said, and what has come of it:
    unsigned debug_questions, debug_answers;
    bool token_shown, identity_shown; // right ones
    unsigned identities, tokens;      // of the node
    unsigned requests[TALK_IDS], answers[TALK_IDS];
    struct wanted pending[TALK_PENDING]; // requests of the node, the latest ones
    unsigned pending_count;
};

extern struct tally { // what came of it, over the whole run: a test that meets nobody finds nothing
    unsigned long ready[3], refused, paired, debug_answers, identities, answers, requests;
} tally;

enum { ACTORS = 6 };
extern struct actor
    actors[ACTORS];        // own node, contact, contact that is dialled, two strangers, impostor of the contact
extern struct talk *talks; // the newest first
extern unsigned talk_count;

void actors_begin(const struct recipes *recipes);
void actors_renew_strangers(const struct recipes *recipes, unsigned number);
void actors_end(void);
struct talk *talk_open(struct actor *a, enum conn_group group, const struct public_key *target,
                       struct transport **node_end);
struct talk *talk_accept(struct actor *a, struct transport *end); // the node dialled
void talk_text(struct talk *t, struct span message);
void talk_binary(struct talk *t, struct span message);
void talk_close(struct talk *t);
