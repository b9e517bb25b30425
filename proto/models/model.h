// The model layer gives the objects their meaning (MODELS.md): who we are, whom we know, what they may see, what was
// said. Everything in proto/models runs on the store thread inside a transaction and is plain synchronous code.
//
// Every function takes a struct model: the store, the identity that acts, the time, and the arena its results live in.
// Jobs build one on the stack:
//
//   struct model m = {.store = s, .self = identity, .arena = arena, .now_ms = clock_wall_ms()};
//
// On failure the caller's savepoint undoes what was written; results are then not valid.
#pragma once

#include "models/identity.h"
#include "store/store.h"

struct model_fixed {                            // what recorded vectors fix; NULL in a node
    const struct hash *licences;                // hashes instead of those of our own licence objects, by enum licence
    void (*random_text)(char *out, size_t len); // as random_text of crypto/secret.h
};

struct model {
    struct store *store;
    const struct identity *self; // the main identity, unless a function says otherwise
    struct arena *arena;
    int64_t now_ms;
    const struct model_fixed *fixed;
};

// ---- Objects, as the modules of this layer read and write them ------------------------------------------------------

// Stores an object of an unversioned type.
enum status model_put(struct model *m, const struct value *object, struct hash *hash, struct error *e);
// Stores only the id object of a versioned type.
enum status model_put_id(struct model *m, const struct value *object, struct hash *id_hash, struct error *e);
// Stores it only if it was lost, or was never here.
enum status model_keep_id(struct model *m, const struct value *object, struct error *e);
// Stores a version as the current one (DATA-MODEL.md 8.3 "change"). Equal content changes nothing. out may be NULL.
enum status model_change(struct model *m, const struct value *object, struct version_result *out, struct error *e);
// Reads an object, which must be of the type given. Codes: NOT-FOUND, BAD-OBJECT (another type).
enum status model_read(struct model *m, const struct hash *hash, const char *type, struct value **out, struct error *e);
// The current version of an id; hash may be NULL. STATUS_NOT_FOUND if there is none.
enum status model_current(struct model *m, const struct hash *id_hash, const char *type, struct value **out,
                          struct hash *hash, struct error *e);
bool model_has_head(struct model *m, const struct hash *id_hash); // is any version of the id here?
// The current version of what has the id properties of object; NULL in *out, and no error, if there is none yet.
enum status model_latest(struct model *m, const struct value *object, const char *type, struct value **out,
                         struct error *e);
// The id hash of a value whose id properties are set.
enum status model_id(struct model *m, const struct value *object, struct hash *out, struct error *e);

struct value *model_object(struct model *m, const char *type);
void model_set_text(struct model *m, struct value *object, const char *name, struct span text);
void model_set_hash(struct model *m, struct value *object, const char *name, const struct hash *hash);
void model_set_number(struct model *m, struct value *object, const char *name, double number);
// A list of hashes as a list or set value, and back. Reading skips what is no hash.
struct value *model_hashes(struct model *m, const struct hash *items, size_t count, bool as_set);
void model_read_hashes(const struct value *list, struct hash_list *out); // the caller frees out

// Copies a list into the arena.
struct hash *model_keep_hashes(struct model *m, const struct hash_list *list);

// A text of len random characters in the arena (someone ids, topic ids).
struct span model_random_text(struct model *m, size_t len);
