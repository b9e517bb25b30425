// What a sparse node takes and keeps, a Settings object that both own nodes have:
//
//   size BYTES   files up to that many bytes come by themselves, the others when they are read
//   type NAME    roots of that type stay away
//   topic ID     only conversations of such rules come; what is no conversation comes anyhow
//   age SECONDS  files that were not used for so long are given up
#pragma once

#include "models/model.h"

enum sparing_kind { SPARING_SIZE, SPARING_TYPE, SPARING_TOPIC, SPARING_AGE };
extern const char *const SPARING_KINDS[]; // their names

struct sparing_rule {
    uint64_t id;
    enum sparing_kind kind;
    int64_t number;   // of size and age
    struct span text; // of type and topic
};

struct sparing {
    bool has_quota;
    uint64_t quota; // bytes of files
    struct sparing_rule *rules;
    size_t count;
};

enum status sparing_load(struct model *m, struct sparing *out, struct error *e); // into the model's arena
enum status sparing_set_quota(struct model *m, uint64_t bytes, struct error *e);
enum status sparing_add(struct model *m, const struct sparing_rule *rule, uint64_t *id, struct error *e); // FULL
enum status sparing_remove(struct model *m, uint64_t id, struct error *e);                                // NOT-FOUND
int64_t sparing_least(const struct sparing *s, enum sparing_kind kind, int64_t otherwise); // of several rules

// The same, read again only when it has changed.
struct sparing_cache;
struct sparing_cache *sparing_cache_create(void);
void sparing_cache_destroy(struct sparing_cache *c); // NULL-safe
// Does a rule keep a root of our other node away?
bool sparing_refuses(struct sparing_cache *c, struct model *m, struct span type, const struct hash *id_hash);
