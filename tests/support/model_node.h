// A node's model layer in a folder of its own, with a clock set by hand; and what CHUM does between two of them.
#pragma once

#include "models/hooks.h"
#include "models/instance.h"

struct model_node {
    char dir[64];
    struct recipes *recipes;
    struct store *store;
    struct keychain *keys;
    struct secret node_key;
    struct identity *self;
    struct hooks hooks;
    struct model m; // m.now_ms follows model_node_time
};

extern int64_t model_node_time; // the wall clock of every node

// Fails the program with a message if anything goes wrong, as all functions here do.
void model_node_open(struct model_node *n, const struct instance_options *options, const struct model_fixed *fixed);
void model_node_open_plain(struct model_node *n, const char *email, const char *instance_name, const char *url);
void model_node_close(struct model_node *n); // removes the folder

// What is done between begin and end is one transaction, with the hooks run before it is committed.
struct model *model_node_begin(struct model_node *n);
void model_node_end(struct model_node *n);
void model_node_drop(struct model_node *n); // rolls it back

// Both store the other's identity, as pairing does. Inside no transaction.
void model_node_pair(struct model_node *a, struct model_node *b);
// b is the own other node to a from now on.
void model_node_become_own(struct model_node *a, struct model_node *b);
struct model_pair {
    struct model_node a; // ann, who listens
    struct model_node b; // ben
};

// Around a cmocka test, whose state it is: two nodes that do not know each other yet.
int model_pair_begin(void **state);
int model_pair_end(void **state);

// One pass of CHUM: to takes in everything from grants it and the policy permits. Returns how many roots were refused.
size_t model_node_sync(struct model_node *from, struct model_node *to);
struct contact_identity model_node_identity(const struct model_node *n, const char *url);

void model_node_check(enum status status, const struct error *e, const char *what); // aborts unless STATUS_OK

// Runs a call that takes an error e.
#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        struct error e = {0};                                                                                          \
        model_node_check((call), &e, #call);                                                                           \
    } while (0)
