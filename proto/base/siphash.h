// The keyed hash that decides where things lie in this process's tables: SipHash-1-3 under a random key. Whoever
// chooses what goes into a table cannot choose that it collides. Not for anything that is stored or sent.
#pragma once

#include "base/bytes.h"

enum { SIPHASH_KEY = 16 };

uint64_t siphash(struct span bytes); // under the key of this process, which is drawn before main
uint64_t siphash_with(const uint8_t key[SIPHASH_KEY], struct span bytes);
