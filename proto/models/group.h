// Groups of persons (MODELS.md 2.1, 3.3).
#pragma once

#include "models/model.h"

#define GROUP_EVERYONE "everyone"
#define GROUP_DISABLED "initiallyDisabled"
#define GROUP_BLACKLIST "blacklist"

struct group {
    struct hash id_hash;
    struct span name;
    struct hash *persons;
    size_t person_count;
};

struct groups {
    struct group *items;
    size_t count;
};

// Creates the group and its GroupProfile if it does not exist; listed: also in Leute.group. Code BAD-INPUT.
enum status group_create(struct model *m, struct span name, bool listed, struct hash *id_hash, struct error *e);
enum status group_id(struct model *m, struct span name, struct hash *id_hash, struct error *e);
enum status group_get(struct model *m, const struct hash *id_hash, struct group *out, struct error *e);
enum status group_list(struct model *m, struct groups *out, struct error *e);
// Membership; no new version if nothing changes. Code NOT-FOUND.
enum status group_add(struct model *m, const struct hash *id_hash, const struct hash *persons, size_t count,
                      struct error *e);
enum status group_remove(struct model *m, const struct hash *id_hash, const struct hash *person, struct error *e);
bool group_has(struct model *m, const char *name, const struct hash *person); // false also without such a group
