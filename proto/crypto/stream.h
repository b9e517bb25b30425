// Sealed records of any length: XChaCha20-Poly1305 in pieces (libsodium's secretstream). Each piece proves its place,
// the last one that it is the last, and all of them what the record is about, which its reader has to know.
//
//   record:  24 bytes ‖ piece … ‖ last piece       piece:  cipher text ‖ 17 bytes
#pragma once

#include "base/error.h"
#include "base/hash.h"
#include "crypto/secret.h"

enum { STREAM_KEY = 32, STREAM_HEAD = 24, STREAM_EXTRA = 17, STREAM_PIECE = 64 << 10 };

struct stream;

struct stream *stream_seal(const struct secret *key, struct span about, struct buf *out); // appends the 24 bytes
void stream_add(struct stream *s, struct span piece, bool last, struct buf *out);         // appends a sealed piece

// head has the 24 bytes of a record. Whatever was changed, shortened, swapped or sealed about something else is
// STATUS_CORRUPT "BACKUP-DAMAGED" at its piece, or here.
enum status stream_open(const struct secret *key, struct span about, struct span head, struct stream **out,
                        struct error *e);
enum status stream_take(struct stream *s, struct span sealed, bool last, struct buf *out, struct error *e);
void stream_destroy(struct stream *s); // NULL-safe

uint64_t stream_size(uint64_t size); // of the record for so many bytes, in pieces of STREAM_PIECE

// A name for content that tells nothing about it without the key.
struct hash stream_name(const struct secret *key, struct span content);
