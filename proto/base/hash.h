// A hash names everything in the data model: 32 bytes of SHA-256, 64 lower-case hex digits as text (DATA-MODEL.md 5).
// Computing one is crypto/sha256.h; here are its text form, comparison, and sets and maps keyed by it.
#pragma once

#include "base/bytes.h"

enum { HASH_SIZE = 32, HASH_HEX = 64 };

struct hash {
    uint8_t b[HASH_SIZE];
};

struct hash_text {
    char s[HASH_HEX + 1];
};

// Strict: exactly 64 digits, lower case only. false leaves *out untouched.
bool hash_parse(struct span text, struct hash *out);
struct hash_text hash_text(const struct hash *h); // by value: hash_text(&h).s lives to the end of the full expression
bool hash_eq(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);
int hash_compare(const struct hash *a, const struct hash *b); // the order of the hex texts

// Lower-case hex of any bytes; decoding accepts both cases and needs exactly 2 × out_len digits.
void hex_encode(const void *bytes, size_t len, char *out); // writes 2 × len digits and a zero
bool hex_decode(struct span text, void *out, size_t out_len);

// A set of hashes with an optional pointer per entry. Grows with its content, iterates in no particular order, which is
// another one in every process. Whatever the keys, finding one takes a few steps (siphash.h).
struct hash_map;

struct hash_map *hash_map_create(void);
void hash_map_destroy(struct hash_map *m);                     // does not touch the values
bool hash_map_add(struct hash_map *m, const struct hash *key); // true if it was new
bool hash_map_has(const struct hash_map *m, const struct hash *key);
void hash_map_set(struct hash_map *m, const struct hash *key, void *value); // value must not be NULL
void *hash_map_get(const struct hash_map *m, const struct hash *key);       // NULL if absent
bool hash_map_remove(struct hash_map *m, const struct hash *key);
size_t hash_map_count(const struct hash_map *m);
size_t hash_map_longest_way(const struct hash_map *m); // slots looked at to find the key that lies farthest from home
void hash_map_clear(struct hash_map *m);
void hash_map_free_values(struct hash_map *m); // clears a map whose values came from mem_alloc and its kin
// Start with *cursor = 0; returns false at the end. Do not change the map meanwhile.
bool hash_map_next(const struct hash_map *m, size_t *cursor, struct hash *key, void **value);

// A growable list of hashes; zero-initialised = empty.
struct hash_list {
    struct hash *items;
    size_t count;
    size_t cap;
};

void hash_list_add(struct hash_list *l, const struct hash *h);
// Those of count that are not there yet; true if any was.
bool hash_list_add_missing(struct hash_list *l, const struct hash *items, size_t count);
bool hash_list_has(const struct hash_list *l, const struct hash *h);
void hash_list_free(struct hash_list *l);
