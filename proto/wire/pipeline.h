// The chain between an encrypted connection's messages and its WebSocket (WIRE.md 3.1): encryption, keepalive,
// fragmentation as one byte machine. Time comes in with every call.
#pragma once

#include "wire/fragment.h"
#include "wire/frame.h"

// Lifesigns (WIRE.md 3.4): a text of this kind after so long without sending, the end after so long without receiving.
// One is sent up to KEEPALIVE_SLACK_MS earlier, when those of other connections are.
enum { KEEPALIVE_SEND_MS = 20000, KEEPALIVE_SLACK_MS = 4000, KEEPALIVE_RECEIVE_MS = 25000 };

#define KEEPALIVE_TEXT SPAN("keepalive")
#define KEEPALIVE_LOST "Keepalive: No lifesign of the other side" // why the connection is terminated

struct pipeline;

struct pipeline_counts {                         // what each stage has handled
    uint64_t sealed, opened;                     // encrypted messages
    uint64_t lifesigns_sent, lifesigns_received; // keepalives
    uint64_t messages_sent, messages_received;   // whole ones, above fragmentation
};

typedef void (*pipeline_emit)(void *ctx, struct span frame); // one binary WebSocket message; borrowed

// Takes the shared key over. limit: bytes of one received message, fragmented or not. random may not be NULL and
// outlives the pipeline, as does what pipeline_set_budget is given.
struct pipeline *pipeline_create(struct secret *shared_key, enum frame_side side, size_t limit,
                                 const struct random_source *random, pipeline_emit emit, void *ctx, uint64_t now_ms);
void pipeline_destroy(struct pipeline *p); // NULL-safe
void pipeline_set_limit(struct pipeline *p, size_t limit);
void pipeline_set_budget(struct pipeline *p, struct budget *budget); // the account of unfinished messages
void pipeline_stream_texts(struct pipeline *p);                      // fragment_receiver.streams, from the next one on
// While nothing is read from the peer its silence means nothing; when reading goes on its time begins anew.
void pipeline_set_paused(struct pipeline *p, bool paused, uint64_t now_ms);

// One application message out: emits one or more frames.
void pipeline_send(struct pipeline *p, bool text, struct span message, uint64_t now_ms);

// One WebSocket message in. out->present says whether a message for the layer above came of it; its bytes live until
// the next call. On failure the connection is to be closed with exactly e's message.
enum status pipeline_receive(struct pipeline *p, bool text, struct span frame, uint64_t now_ms,
                             struct fragment_message *out, struct error *e);

// What pipeline_receive gave out last is not needed any more: gives back what a long message took.
void pipeline_consumed(struct pipeline *p);

const struct pipeline_counts *pipeline_counts(const struct pipeline *p);

uint64_t pipeline_deadline(const struct pipeline *p); // when pipeline_on_time has to be called next
// Sends what keeps the connection alive. STATUS_TIMEOUT: the peer gave no lifesign, terminate with e's message.
enum status pipeline_on_time(struct pipeline *p, uint64_t now_ms, struct error *e);
