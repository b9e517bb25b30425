// The handshake in clear (WIRE.md 4): two texts, then each side's ephemeral key sealed with the long-term keys.
#pragma once

#include "conn/message.h"
#include "wire/random.h"

struct handshake_request {
    struct public_key source, target;
};

// ---- The two texts ----
void handshake_write_request(const struct handshake_request *r, struct buf *out);
enum status handshake_read_request(bool text, struct span payload, struct handshake_request *r, struct error *e);
// relayed: the acceptor was met at a relay, which the initiator cannot see. A member that the reference does not know,
// and ignores; nothing depends on it but what people are shown.
void handshake_write_ready(bool relayed, struct buf *out);
enum status handshake_read_ready(bool text, struct span payload, bool *relayed, struct error *e);

// ---- The two keys ----
struct handshake_keys { // of one connection; zero-initialised, handshake_keys_end releases
    struct public_key ephemeral_public;
    struct secret ephemeral_secret;
    struct secret long_term; // shared by the two long-term pairs
};

// Prepares with the own long-term secret and the other side's long-term key, and makes the ephemeral pair.
enum status handshake_keys_begin(struct handshake_keys *k, const struct secret *own, const struct public_key *other,
                                 const struct random_source *random, struct error *e);
void handshake_write_key(const struct handshake_keys *k, const struct random_source *random, struct buf *out);
// Opens the other side's message and derives the key of the encrypted phase, which the caller destroys.
enum status handshake_read_key(const struct handshake_keys *k, bool text, struct span payload, struct secret *shared,
                               struct error *e);
void handshake_keys_end(struct handshake_keys *k);

// seal(m) of WIRE.md 4.1 with a nonce from random; box_open opens it.
void handshake_seal(const struct secret *key, const struct random_source *random, struct span message, struct buf *out);
