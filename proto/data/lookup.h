// Objects and the values inside them, read once each while versions are compared and merged (DATA-MODEL.md 8.7.1).
#pragma once

#include "data/version.h"

struct lookup;

// Both borrowed; everything found lives in the arena.
struct lookup *lookup_create(const struct version_source *s, struct arena *a);
void lookup_destroy(struct lookup *l); // NULL-safe
void lookup_forget(struct lookup *l);  // before the arena is reset

size_t lookup_bytes(const struct lookup *l); // of text read so far

enum status lookup_object(struct lookup *l, const struct hash *hash, struct value **out, struct error *e);

// The value at a path (property names and map keys joined by dots, "" = the object itself) of the object, entering
// objects linked by referenceToObj where the path goes on. *out is NULL where a part is missing or cannot be looked
// into.
enum status lookup_path(struct lookup *l, const struct hash *object, struct span path, struct value **out,
                        struct error *e);

// The member, or NULL if it is missing or undefined.
struct value *lookup_member(const struct value *object, struct span name);

// path "." name in the arena; just a copy of name at the top.
struct span lookup_join(struct arena *a, struct span path, struct span name);
