// What was found out is kept within bounds: when there is too much all of it is forgotten, and found out again. Which
// entries are marks follows from their hashes, about one in MARK_ONE_IN, so no list of them is needed.
#include "data/listmarks.h"

#include <stdlib.h>

enum { MARK_ONE_IN = 64, STRETCHES_MAX = 32768, ORDERS_MAX = 65536 };

struct stretch {
    struct hash to;
    struct list_key oldest;
};

struct list_marks {
    struct hash_map *stretches; // by the mark they start from
    struct hash_map *orders;    // entry → in_order or out_of_order
};

int list_key_compare(const struct list_key *a, const struct list_key *b)
{
    if (a->timestamp < b->timestamp)
        return -1;
    if (a->timestamp > b->timestamp)
        return 1;
    return hash_compare(&a->creation_time, &b->creation_time);
}

struct list_marks *list_marks_create(void)
{
    struct list_marks *m = mem_alloc(sizeof *m);
    m->stretches = hash_map_create();
    m->orders = hash_map_create();
    return m;
}

void list_marks_destroy(struct list_marks *m)
{
    if (m == NULL)
        return;
    hash_map_free_values(m->stretches);
    hash_map_destroy(m->stretches);
    hash_map_destroy(m->orders);
    free(m);
}

bool list_is_mark(const struct hash *entry)
{
    return entry->b[HASH_SIZE - 1] % MARK_ONE_IN == 0;
}

void list_marks_add(struct list_marks *m, const struct hash *from, const struct hash *to, const struct list_key *oldest)
{
    if (hash_map_has(m->stretches, from))
        return;
    if (hash_map_count(m->stretches) >= STRETCHES_MAX)
        hash_map_free_values(m->stretches);
    struct stretch *s = mem_alloc(sizeof *s);
    *s = (struct stretch){*to, *oldest};
    hash_map_set(m->stretches, from, s);
}

bool list_marks_follow(const struct list_marks *m, struct hash *entry, const struct list_key *bound)
{
    bool moved = false;
    const struct stretch *s;
    while ((s = hash_map_get(m->stretches, entry)) != NULL && list_key_compare(&s->oldest, bound) >= 0) {
        *entry = s->to;
        moved = true;
    }
    return moved;
}

static char in_order, out_of_order;

enum list_order list_marks_order(const struct list_marks *m, const struct hash *entry)
{
    const char *known = hash_map_get(m->orders, entry);
    if (known == NULL)
        return LIST_ORDER_UNKNOWN;
    return known == &in_order ? LIST_IN_ORDER : LIST_OUT_OF_ORDER;
}

void list_marks_set_order(struct list_marks *m, const struct hash *entry, enum list_order order)
{
    if (hash_map_count(m->orders) >= ORDERS_MAX)
        hash_map_clear(m->orders);
    hash_map_set(m->orders, entry, order == LIST_IN_ORDER ? &in_order : &out_of_order);
}
