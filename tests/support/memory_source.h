// Objects and heads in memory: a version_source for tests, which also tells what was written.
#pragma once

#include "data/version.h"

struct memory_source {
    struct version_source source; // its ctx is this
    struct hash_map *texts;       // hash -> struct memory_text
    struct hash_map *heads;       // id hash -> struct hash
    struct arena *arena;          // holds texts and heads
    struct hash_list written;     // objects and id objects that were new, in the order they came
    struct hash_list moved;       // ids whose head was set, in order, repetitions included
    size_t reads;
    size_t writes; // of what was there, too
};

struct memory_source *memory_source_create(const struct recipes *r); // recipes are borrowed
void memory_source_destroy(struct memory_source *m);                 // NULL-safe

struct hash memory_source_put(struct memory_source *m, struct span text); // any text under its hash
// Makes and stores an object without a version; aborts if the value is no valid object.
struct hash memory_source_add(struct memory_source *m, const struct value *object);
void memory_source_lose(struct memory_source *m, const struct hash *hash); // as if it had never been there
bool memory_source_text(const struct memory_source *m, const struct hash *hash, struct span *out);
bool memory_source_head(const struct memory_source *m, const struct hash *id_hash, struct hash *node);
// Copies everything the other one has, heads excepted.
void memory_source_copy(struct memory_source *to, const struct memory_source *from);
