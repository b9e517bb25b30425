// What the nodes of others cannot take over, and everything above it: not among their roots.
//
// A peer buys this with a line of text, and it costs a walk through everything above a type. So each thing counts once
// and few of a person at all, and what was found serves until the store has changed; and even then for a multiple of
// the time that finding it took: meanwhile something new may be offered that should not.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/state.h"
#include "store/statements.h"
#include "store/withheld.h"

enum { ITEMS_MAX = 8, REST = 20 }; // of one person, above, the oldest gives way; times what finding took

struct item {
    struct hash object;
    char type[sizeof((struct store_info *)NULL)->type]; // empty: the object
};

struct list { // of one person
    size_t count;
    struct item items[ITEMS_MAX];
    struct hash_map *found; // NULL: not looked for yet
    int64_t found_seq;      // the store's next number then
    uint64_t rest_until;
};

static void forget_found(struct list *l)
{
    hash_map_destroy(l->found);
    l->found = NULL;
}

static bool is_listed(const struct list *l, const struct item *item)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].type, item->type) == 0 && hash_eq(&l->items[i].object, &item->object))
            return true;
    return false;
}

void store_withhold(struct store *s, const struct hash *person, struct span type, const struct hash *object)
{
    struct list *l = hash_map_get(s->withheld, person);
    struct item item = {0};
    snprintf(item.type, sizeof item.type, SPAN_FMT, SPAN_ARG(type));
    if (type.len == 0)
        item.object = *object;
    if (l == NULL) {
        l = mem_alloc(sizeof *l);
        hash_map_set(s->withheld, person, l);
    }
    if (is_listed(l, &item))
        return;
    if (l->count == ITEMS_MAX)
        memmove(l->items, l->items + 1, --l->count * sizeof *l->items);
    l->items[l->count++] = item;
    forget_found(l);
}

void store_withhold_nothing(struct store *s, const struct hash *person)
{
    struct list *l = hash_map_get(s->withheld, person);
    hash_map_remove(s->withheld, person);
    if (l != NULL)
        forget_found(l);
    free(l);
}

void withheld_destroy(struct store *s)
{
    size_t cursor = 0;
    struct hash person;
    void *list;
    while (hash_map_next(s->withheld, &cursor, &person, &list))
        forget_found(list);
    hash_map_free_values(s->withheld);
    hash_map_destroy(s->withheld);
}

static enum status add_above(struct store *s, const struct item *item, struct hash_list *out, struct error *e)
{
    bool by_type = item->type[0] != '\0';
    sqlite3_stmt *st = statement(s, by_type ? SQL_ABOVE_TYPE : SQL_ABOVE_OBJECT);
    if (by_type)
        bind_span(st, 1, span_of(item->type));
    else
        bind_hash(st, 1, &item->object);
    return statement_hashes(s, st, out, e);
}

static enum status find(struct store *s, struct list *l, struct error *e)
{
    uint64_t begun = clock_monotonic_ms();
    struct hash_list found = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < l->count && status == STATUS_OK; i++)
        status = add_above(s, &l->items[i], &found, e);
    if (status == STATUS_OK) {
        forget_found(l);
        l->found = hash_map_create();
        for (size_t i = 0; i < found.count; i++)
            hash_map_add(l->found, &found.items[i]);
        l->found_seq = s->in_transaction ? 0 : s->next_seq; // 0: what the transaction adds may not be in it
        l->rest_until = clock_monotonic_ms() + REST * (clock_monotonic_ms() - begun);
    }
    hash_list_free(&found);
    return status;
}

enum status withheld_find(struct store *s, const struct hash *person, const struct hash_map **out, struct error *e)
{
    struct list *l = hash_map_get(s->withheld, person);
    enum status status = STATUS_OK;
    *out = NULL;
    if (l == NULL)
        return STATUS_OK;
    if (l->found == NULL || (l->found_seq != s->next_seq && clock_monotonic_ms() >= l->rest_until))
        status = find(s, l, e);
    *out = l->found;
    return status;
}
