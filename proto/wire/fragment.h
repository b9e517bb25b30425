// Fragmentation (WIRE.md 3.5): long messages travel as a start text, binary pieces and an end text.
#pragma once

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

enum {
    FRAGMENT_KEPT = 1 << 18,    // bytes of memory that are used again for the next message
    FRAGMENT_CHUNK = 65536,     // bytes of a piece we send, and the biggest binary message sent whole
    FRAGMENT_TEXT_UNITS = 16384 // texts of fewer UTF-16 code units are sent whole
};

// ---- Sending ----
typedef void (*fragment_emit)(void *ctx, bool text, struct span message);
void fragment_send(bool text, struct span message, fragment_emit emit, void *ctx);

// ---- Receiving ----
struct fragment_receiver { // zero-initialise, set limit
    enum { FRAGMENT_NONE, FRAGMENT_STRING, FRAGMENT_BINARY } open;
    bool streams;   // texts that come in fragments are handed on as they come
    bool streaming; // the one that is open is
    size_t came;    // bytes of it
    struct buf bytes;
    size_t limit;          // bytes of one reassembled message
    struct budget *budget; // the account its bytes are taken from (BUDGET_HELD); NULL = none
};

struct fragment_message {
    bool present; // false: the message was a part, more has to come
    bool text;
    bool piece;        // of a text that is handed on as it comes, not repaired; the last one is empty
    bool first, last;  // of its pieces
    struct span bytes; // valid until the next call
};

// On failure the connection is to be closed with e's message.
enum status fragment_receive(struct fragment_receiver *r, bool text, struct span message, struct fragment_message *out,
                             struct error *e);
// The last message is not needed any more: gives back what a long one took.
void fragment_receiver_consumed(struct fragment_receiver *r);
void fragment_receiver_end(struct fragment_receiver *r);
