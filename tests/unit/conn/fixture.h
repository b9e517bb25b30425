// Two nodes on a pipe: identities, a conn_host that remembers what happened, and the table of known peers each has.
#pragma once

#include "conn/conn.h"
#include "conn/debug.h"
#include "conn/exchange.h"
#include "conn/pairing.h"
#include "pipe_transport.h"

enum { FIXTURE_KNOWN = 4 };

struct node {
    struct conn_identity identity;
    struct conn_host host;
    struct exchange_challenges challenges;
    struct pairing_host pairing_host;
    struct debug_host debug_host;
    struct pairing_identity own; // texts borrowed
    struct pipe_world *world;
    struct tokens *tokens;
    const char *token; // what an initiator shows

    struct known_peer {
        struct public_key instance_key, person_key;
        struct hash person, instance;
    } known[FIXTURE_KNOWN];
    size_t known_count;

    struct conn *conn; // the living connection, or NULL
    struct conn *held; // an unknown chum that waits for a pairing
    unsigned ready_count, closed_count, store_count, finished_count;
    struct error closed_why, finished_why;
    enum conn_state last_state;
    unsigned states;          // a bit for each it was in
    bool authenticated;       // ready was asked
    bool not_admitted;        // answers of the host, set by tests
    const char *assigned;     // likewise
    bool refuse_unknown;      // refuse chum from unknown peers
    uint64_t hold_ms;         // hold unknown chum so long
    bool store_later;         // keep the pairing in storing
    bool serve_debug;         // answer the group debug,
    struct span debug_answer; // with this; empty: nothing is accessible
    struct pairing *storing;
    char *stored_email;      // of the peer that was stored
    struct buf received;     // texts of a serving chum or debug connection, each followed by a newline
    struct span last_binary; // length only
};

void node_begin(struct node *n, struct pipe_world *w, const struct recipes *recipes, const char *email,
                const char *name);
void node_end(struct node *n);
void node_learn(struct node *n, const struct node *peer); // peer's instance becomes known
void node_store_now(struct node *n);                      // completes what store_later kept

// A new pipe with client as initiator and server as acceptor, nothing delivered yet.
void nodes_connect(struct node *client, struct node *server, enum conn_group group, const struct pipe_line *line,
                   struct transport *ends[2]);
