// Keepalive (WIRE.md 3.4): a text "keepalive" after 20 s without sending, the end after 25 s without receiving.
#pragma once

#include "base/bytes.h"

enum { KEEPALIVE_SEND_MS = 20000, KEEPALIVE_RECEIVE_MS = 25000 };

#define KEEPALIVE_TEXT SPAN("keepalive")
#define KEEPALIVE_LOST "Keepalive: No lifesign of the other side" // why the connection is terminated

struct keepalive {
    uint64_t send_at, lost_at; // monotonic ms
};

void keepalive_begin(struct keepalive *k, uint64_t now_ms);
void keepalive_sent(struct keepalive *k, uint64_t now_ms);
void keepalive_received(struct keepalive *k, uint64_t now_ms);
uint64_t keepalive_deadline(const struct keepalive *k);

// Texts that begin like a keepalive carry one more character on the wire.
void keepalive_escape(struct span text, struct buf *out);
bool keepalive_unescape(struct span *text); // false: it was a keepalive, nothing for the layers above
