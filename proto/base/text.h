// Text: UTF-8 checks, the UTF-16 order the data model sorts by, base64, and safe display of foreign text.
#pragma once

#include "base/bytes.h"

bool utf8_valid(struct span s); // strict: no overlong forms, no surrogates, nothing above U+10FFFF

// Appends s to out with every invalid sequence replaced by U+FFFD, as a lenient decoder does (WHATWG rules).
void utf8_repair(struct span s, struct buf *out);

// At most max bytes of s, not cut within a character.
struct span utf8_beginning(struct span s, size_t max);
// Of a text whose rest is not known: s without its last character, unless that is ASCII. It may not be all there.
struct span utf8_certain(struct span s);

// Compares as sequences of UTF-16 code units, the way JavaScript compares strings (DATA-MODEL.md 17).
int utf16_compare(struct span a, struct span b);
size_t utf16_length(struct span s); // number of UTF-16 code units of valid UTF-8

// Appends one code point as UTF-8 (surrogates give WTF-8).
void utf8_add(struct buf *out, uint32_t code_point);

// UTF-8 without controls: nothing of it hides, turns or breaks the line that it stands in.
bool text_is_plain(struct span s);
// Appends s for a terminal: C0, C1 and bidirectional controls become \xNN or \u{NNNN}; newline and tab too.
void text_escape_controls(struct span s, struct buf *out);
// The same in a compact JSON text, of which it leaves the value as it is: \uNNNN.
void text_escape_in_json(struct span json, struct buf *out);

// Appends s as a JSON string with its quotes, as JSON.stringify writes it; unpaired surrogates (WTF-8) become \uXXXX.
void text_add_json(struct span s, struct buf *out);
void text_add_json_part(struct span s, struct buf *out); // of a string, without the quotes
size_t text_plain_in_json(struct span s);                // how many bytes of its beginning stay as they are

// Standard alphabet with padding. Decoding also takes '-' and '_', refuses everything else; false leaves out as it was.
void base64_encode(const void *bytes, size_t len, struct buf *out);
bool base64_decode(struct span text, struct buf *out);
