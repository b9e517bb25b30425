// What the nodes of others cannot take over, and everything above it: not among their roots.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

enum { ITEMS_MAX = 64 }; // of one person; above, the oldest gives way

struct item {
    struct hash object;
    char type[sizeof((struct store_info *)NULL)->type]; // empty: the object
};

struct list { // of one person
    size_t count;
    struct item items[ITEMS_MAX];
};

void store_withhold(struct store *s, const struct hash *person, struct span type, const struct hash *object)
{
    struct list *l = hash_map_get(s->withheld, person);
    if (l == NULL) {
        l = mem_alloc(sizeof *l);
        hash_map_set(s->withheld, person, l);
    }
    if (l->count == ITEMS_MAX)
        memmove(l->items, l->items + 1, --l->count * sizeof *l->items);
    struct item *item = &l->items[l->count++];
    *item = (struct item){0};
    snprintf(item->type, sizeof item->type, SPAN_FMT, SPAN_ARG(type));
    if (type.len == 0)
        item->object = *object;
}

void store_withhold_nothing(struct store *s, const struct hash *person)
{
    free(hash_map_get(s->withheld, person));
    hash_map_remove(s->withheld, person);
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

enum status withheld_find(struct store *s, const struct hash *person, struct hash_map **out, struct error *e)
{
    const struct list *l = hash_map_get(s->withheld, person);
    struct hash_list found = {0};
    enum status status = STATUS_OK;
    *out = NULL;
    for (size_t i = 0; l != NULL && i < l->count && status == STATUS_OK; i++)
        status = add_above(s, &l->items[i], &found, e);
    if (status == STATUS_OK && found.count != 0)
        *out = hash_map_create();
    for (size_t i = 0; *out != NULL && i < found.count; i++)
        hash_map_add(*out, &found.items[i]);
    hash_list_free(&found);
    return status;
}
