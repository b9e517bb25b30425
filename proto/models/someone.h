// Someone: one human being in the contact book, with identities (persons) and the profiles of each (MODELS.md 2.2).
#pragma once

#include "models/model.h"

#define SOMEONE_ME "me"

struct someone_identity {
    struct hash person;
    struct hash_list profiles; // Profile id hashes
};

struct someone {
    struct hash id_hash;
    struct span someone_id;
    struct hash main_profile;
    struct someone_identity *identities; // in the order of the map
    size_t count;
};

enum status someone_id_hash(struct model *m, struct span someone_id, struct hash *out, struct error *e);
enum status someone_load(struct model *m, const struct hash *id_hash, struct someone *out, struct error *e);
enum status someone_save(struct model *m, struct someone *s, struct error *e); // also sets id_hash
void someone_free(struct someone *s);                                          // the lists; texts belong to the arena

// Starts a Someone with one person and one profile, which becomes the main one. Not stored yet.
void someone_begin(struct model *m, struct span someone_id, const struct hash *person, const struct hash *profile,
                   struct someone *out);
struct someone_identity *someone_find(const struct someone *s, const struct hash *person); // NULL if not among them
struct someone_identity *someone_add(struct model *m, struct someone *s, const struct hash *person); // found or new
