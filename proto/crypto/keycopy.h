// A copy of a keychain's folder as one text, to be kept elsewhere. What is sealed in the folder is sealed in the copy.
//
//   tandem keys 1
//   NAME HEX              one line for each file, the content in hexadecimal
//   sum HASH              SHA-256 of all lines before
#pragma once

#include "base/bytes.h"
#include "base/error.h"

enum { KEYCOPY_MAX = 1 << 20 }; // bytes of a copy; some thousand key pairs

// STATUS_NOT_FOUND "NOT-FOUND": no keychain lies there.
enum status keycopy_make(const char *dir, struct buf *out, struct error *e);
// Puts all files of a copy into a folder that has no keychain, or none. Code BAD-KEY-FILE: the copy is damaged.
enum status keycopy_restore(const char *dir, struct span copy, struct error *e);
enum status keycopy_check(struct span copy, struct error *e); // is it whole? BAD-KEY-FILE

// Its files, one name after the other. false: the copy is damaged; there is no further one.
bool keycopy_files(struct span copy, struct span *files);
bool keycopy_next_name(struct span *files, struct span *name);
