// A set belongs to a person and not to a connection: what one of its connections was shown, any other of them may
// fetch. It only grows until the last session with the person ends; what was shown and is not granted any more may be
// fetched until then.
#include "chum/access_set.h"

#include <stdlib.h>

struct chum_access_set {
    struct chum_access *owner;
    struct hash person;
    size_t users;
    struct hash_map *shown;
};

struct chum_access {
    struct hash_map *sets; // by person
};

struct chum_access *chum_access_create(void)
{
    struct chum_access *a = mem_alloc(sizeof *a);
    a->sets = hash_map_create();
    return a;
}

void chum_access_destroy(struct chum_access *a)
{
    if (a == NULL)
        return;
    hash_map_destroy(a->sets);
    free(a);
}

struct chum_access_set *chum_access_use(struct chum_access *a, const struct hash *person)
{
    struct chum_access_set *s = hash_map_get(a->sets, person);
    if (s == NULL) {
        s = mem_alloc(sizeof *s);
        *s = (struct chum_access_set){.owner = a, .person = *person, .shown = hash_map_create()};
        hash_map_set(a->sets, person, s);
    }
    s->users++;
    return s;
}

void chum_access_leave(struct chum_access_set *s)
{
    if (--s->users != 0)
        return;
    hash_map_remove(s->owner->sets, &s->person);
    hash_map_destroy(s->shown);
    free(s);
}

void chum_access_show(struct chum_access_set *s, const struct hash *hash)
{
    hash_map_add(s->shown, hash);
}

bool chum_access_allows(const struct chum_access_set *s, const struct hash *hash)
{
    return hash_map_has(s->shown, hash);
}

bool chum_access_shown_to(const struct chum_access *a, const struct hash *person, const struct hash *hash)
{
    const struct chum_access_set *s = hash_map_get(a->sets, person);
    return s != NULL && chum_access_allows(s, hash);
}
