// Who is there (WIRE.md 5): the messages of the identity exchange and the checks on them. The order in which they go
// is conn.c's business.
#pragma once

#include "conn/conn.h"
#include "conn/message.h"

enum { EXCHANGE_CHALLENGE = 64 };

// ---- Group and sync ----
// application: what the host calls CONN_APPLICATION, or NULL.
void exchange_write_group(enum conn_group group, const char *application, struct buf *out);
enum status exchange_read_group(bool text, struct span payload, const char *application, enum conn_group *group,
                                struct error *e);
void exchange_write_sync(struct buf *out);
enum status exchange_read_sync(bool text, struct span payload, struct error *e);

// ---- Person, keys, instance; the read functions fill the peer ----
void exchange_write_person(const struct conn_identity *local, struct buf *out);
enum status exchange_read_person(const struct recipes *recipes, bool text, struct span payload, struct conn_peer *peer,
                                 struct error *e);
void exchange_write_keys(const struct conn_identity *local, struct buf *out);
enum status exchange_read_keys(bool text, struct span payload, struct conn_peer *peer, struct error *e);
// Nobody else is who we are, and no two persons have the same keys.
bool exchange_names_us(const struct conn_identity *local, const struct conn_peer *peer);
// met: the run of the peer that was met last. Our run and that are further members, which the reference ignores.
void exchange_write_instance(const struct conn_identity *local, const char *met, struct buf *out);
// Refuses an instance whose owner is not the peer's person.
enum status exchange_read_instance(const struct recipes *recipes, bool text, struct span payload,
                                   struct conn_peer *peer, struct error *e);

// ---- Challenge and response, with the person keys (WIRE.md 5.4) ----
//
// The key is the same for both persons, so whoever of them is asked gives the answer that the other one waits for. No
// challenge of ours is therefore ever answered by us, whichever connection it comes back on.
struct exchange_proof {
    struct secret key; // shared by the two person pairs; owned
    uint8_t challenge[EXCHANGE_CHALLENGE];
    struct exchange_challenges *all; // set before the challenge is made; NULL = nobody else is told
    struct exchange_proof *next;     // of all
    bool waiting;                    // the challenge is out
};

struct exchange_challenges { // those that wait for an answer, of all connections of one host
    struct exchange_proof *first;
};

enum status exchange_proof_begin(struct exchange_proof *p, const struct conn_identity *local,
                                 const struct conn_peer *peer, struct error *e);
void exchange_proof_end(struct exchange_proof *p);
void exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out);
// Code "CHALLENGE-REFLECTED": it is one of our own, or what we would say gives one away.
enum status exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                             struct span challenge, struct buf *out, struct error *e);
// Code "BAD-RESPONSE" when the content is wrong: the reference closes without a text then.
enum status exchange_verify(const struct exchange_proof *p, bool text, struct span response, struct error *e);

// ---- Id hashes (WIRE.md 5.3) ----
enum status exchange_person_id(const struct recipes *recipes, struct span email, struct hash *out, struct error *e);
enum status exchange_instance_id(const struct recipes *recipes, struct span name, const struct hash *owner,
                                 struct hash *out, struct error *e);
