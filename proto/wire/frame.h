// Encrypted frames (WIRE.md 3.2, 3.3): one application message in one binary WebSocket message.
//
//   frame      16-byte tag ‖ cipher text           nonce = 16 zero bytes ‖ counter, big-endian
//   plaintext  byte 0: flags (high nibble), L (low nibble) ‖ L bytes: P, big-endian ‖ P bytes of filler ‖ message
//
// Flag bit 0 says text. The acceptor's counters are 0, 2, 4 …, the initiator's 1, 3, 5 …; every frame counts.
#pragma once

#include "base/error.h"
#include "crypto/secret.h"
#include "wire/random.h"

enum frame_side { FRAME_INITIATOR, FRAME_ACCEPTOR };

enum { FRAME_OVERHEAD_MAX = 16 + 1 + 255 }; // what frame_seal adds at most

struct frame_codec {
    struct secret key; // owned
    uint64_t send, receive;
    const struct random_source *random;
};

// Takes the 32-byte key over; frame_codec_end destroys it.
void frame_codec_begin(struct frame_codec *f, struct secret *key, enum frame_side side,
                       const struct random_source *random);
void frame_codec_end(struct frame_codec *f);

// Appends the frame to out. The amount of filler is random, so that lengths say less.
void frame_seal(struct frame_codec *f, bool text, struct span message, struct buf *out);

// Replaces the content of out by the message; a text is repaired to valid UTF-8 without a byte order mark. On failure
// the connection is to be closed with e's message.
enum status frame_open(struct frame_codec *f, struct span frame, bool *text, struct buf *out, struct error *e);

// The padding alone, for frame_open and the fuzzer: *message becomes the part of plaintext behind the filler.
enum status frame_strip(struct span plaintext, bool *text, struct span *message, struct error *e);

// Drops start bytes in front and decodes the rest as the reference does: a byte order mark goes, what is not UTF-8
// becomes U+FFFD.
void frame_repair_text(struct buf *b, size_t start);
