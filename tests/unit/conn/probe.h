// A peer driven by hand: it speaks the handshake and the framing correctly when asked to, and anything else as told.
#pragma once

#include "conn/exchange.h"
#include "conn/handshake.h"
#include "fixture.h"
#include "wire/frame.h"

struct probe {
    struct node *node;         // ours, on the other end
    enum conn_role role;       // the probe's
    struct transport *ends[2]; // the probe's, the node's
    struct public_key person_public, instance_public, source;
    struct secret person_secret, instance_secret, source_secret;
    struct handshake_keys keys;
    struct frame_codec codec;
    bool encrypted;
    bool closed;
    char reason[128]; // of the close
    struct buf last;  // the last message received, decrypted
    bool last_text;
    unsigned received; // messages
    struct buf log;    // texts received, each with a newline
    struct exchange_proof proof;
};

// role: the probe's. As initiator it handshakes with its instance key, or with its person key if person_source.
void probe_begin(struct probe *p, struct node *node, enum conn_role role, bool person_source);
// The node's side of the line opens: as acceptor, or as initiator of a connection of the group.
void probe_open(struct probe *p, enum conn_group group);
void probe_end(struct probe *p);

void probe_send_clear(struct probe *p, bool text, struct span payload);
void probe_send(struct probe *p, bool text, struct span message); // encrypted, with filler; then all is delivered
void probe_send_text(struct probe *p, const char *text);
void probe_send_plaintext(struct probe *p, struct span plaintext); // encrypted as it is, padding and all

void probe_request(struct probe *p);             // initiator: the communication_request
void probe_keys(struct probe *p);                // the key message; as initiator also takes the answer
void probe_handshake(struct probe *p);           // all of it
void probe_proof_begin(struct probe *p);         // the node's keys are those of its identity
void probe_respond(struct probe *p, bool wrong); // to the challenge received last
void probe_challenge(struct probe *p);
