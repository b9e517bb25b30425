// Grants: who may see which object (DATA-MODEL.md 10.1, MODELS.md 8.1).
#pragma once

#include "models/model.h"

enum access_kind { ACCESS_ID, ACCESS_OBJECT }; // all versions of an id; one object

struct access_target {
    enum access_kind kind;
    struct hash hash;
};

// Adds persons and groups to a grant (both lists may be empty). Nothing is written if nothing changes. The target's id
// object or object must exist. Codes: NOT-FOUND, REFUSED (Access, IdAccess, Group, Someone "me", Leute and the like are
// never granted, MODELS.md 8.7).
enum status access_add(struct model *m, struct access_target target, const struct hash *persons, size_t person_count,
                       const struct hash *groups, size_t group_count, struct error *e);
// Exactly these persons, and no group; nothing is written if it is so already. A target that is not here is left out.
enum status access_set(struct model *m, struct access_target target, const struct hash_list *persons, struct error *e);
// Single persons and groups, for the command line. Revoking what was not granted is fine.
enum status access_grant(struct model *m, struct access_target target, const struct hash *person, struct error *e);
enum status access_revoke(struct model *m, struct access_target target, const struct hash *person, struct error *e);
enum status access_grant_group(struct model *m, struct access_target target, const struct hash *group, struct error *e);
enum status access_revoke_group(struct model *m, struct access_target target, const struct hash *group,
                                struct error *e);
// Takes the person out of every grant.
enum status access_revoke_all(struct model *m, const struct hash *person, struct error *e);

struct access_grant {
    struct access_target target;
    char type[80]; // of what is granted
    struct hash *persons;
    size_t person_count;
    struct hash *groups;
    size_t group_count;
};

struct access_grants {
    struct access_grant *items;
    size_t count;
};

// Grants that name somebody; with a person only those that name this person directly.
enum status access_list(struct model *m, const struct hash *person, struct access_grants *out, struct error *e);
bool access_exists(struct model *m, struct access_target target);                         // a grant was made once
bool access_has(struct model *m, struct access_target target, const struct hash *person); // directly or by group
// One grant; nobody if there is none.
enum status access_get(struct model *m, struct access_target target, struct access_grant *out, struct error *e);
