// The members that a statement lists. Whoever left stays in the list as MEMBER_GONE, since what was written before
// still counts: so members_find finds more persons than members_has. There is room for one more than MEMBERS_MAX, for a
// reader to notice that there are too many.
#include <string.h>

#include "models/members.h"

struct member *members_find(const struct members *members, const struct hash *person)
{
    for (size_t i = 0; i < members->count; i++)
        if (hash_eq(&members->items[i].person, person))
            return &members->items[i];
    return NULL;
}

bool members_has(const struct members *members, const struct hash *person)
{
    const struct member *found = members_find(members, person);
    return found != NULL && found->role != MEMBER_GONE;
}

bool members_may_write(const struct members *members, const struct hash *person)
{
    const struct member *found = members_find(members, person);
    return found != NULL && found->role >= MEMBER_WRITER;
}

struct members members_copy(struct model *m, const struct members *members)
{
    struct members copy = *members;
    copy.items = arena_alloc(m->arena, (MEMBERS_MAX + 1) * sizeof *copy.items);
    if (copy.count != 0)
        memcpy(copy.items, members->items, copy.count * sizeof *copy.items);
    return copy;
}

void members_add(struct model *m, struct members *members, const struct member *one)
{
    if (members->items == NULL)
        members->items = arena_alloc(m->arena, (MEMBERS_MAX + 1) * sizeof *members->items);
    if (members->count <= MEMBERS_MAX)
        members->items[members->count++] = *one;
}
