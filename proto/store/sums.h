// What a set of roots comes to (docs/sums.md): each is a number that nobody can tell who does not know the key, and a
// set is how many they are and what these add up to. Equal sums are equal sets.
//
// A root has its place among 65,536 leaves by the first four digits of its name, which is the hash of its object, or of
// its id if it is an id alone. A range is what begins with the same digits: one of none, sixteen of one, …
#pragma once

#include "base/hash.h"

enum { STORE_SUM_DIGITS = 4, STORE_SUM_FAN = 16, STORE_SUM_LEAVES = 1 << 16 };

struct store_sum_key {
    uint8_t b[16];
};

struct store_sum {
    uint64_t count;
    uint64_t low, high; // each modulo 2^62, so that SQL can add them, too
};

struct store_range {
    unsigned digits; // 0 … STORE_SUM_DIGITS
    unsigned first;  // leaf in it
};

// Of a root; hash: of its object or version node, zero for an id alone; id_hash: zero if it has none.
struct store_sum store_sum_of(const struct store_sum_key *key, const struct hash *hash, const struct hash *id_hash);
unsigned store_sum_leaf(const struct hash *hash, const struct hash *id_hash);
void store_sum_add(struct store_sum *to, const struct store_sum *more);
bool store_sum_eq(const struct store_sum *a, const struct store_sum *b);

unsigned store_range_size(unsigned digits);                            // leaves in a range of so many digits
struct store_range store_range_part(struct store_range r, unsigned i); // one of its sixteen
