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
enum { PART_OBJECTS = 1000, PART_NUMBERS = 20000 }; // looked above, looked through for a type, at once

struct item {
    struct hash object;
    char type[sizeof((struct store_info *)NULL)->type]; // empty: the object
};

struct walk {
    struct hash_map *found;   // NULL: none under way
    struct hash_list waiting; // found, and what is above them not yet
    size_t item;              // whose things are added next
    int64_t after;            // the number behind which they are
    int64_t seq;              // the store's next number when the walk began
    uint64_t ms;              // it took so far
};

struct list { // of one person
    size_t count;
    struct item items[ITEMS_MAX];
    struct walk walk;
    struct hash_map *found; // NULL: not looked for yet
    int64_t found_seq;      // the store's next number then
    uint64_t rest_until;
};

static void end_walk(struct walk *w)
{
    hash_map_destroy(w->found);
    hash_list_free(&w->waiting);
    *w = (struct walk){0};
}

static void forget_found(struct list *l)
{
    end_walk(&l->walk);
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

static void add_found(struct walk *w, const struct hash_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (hash_map_add(w->found, &more->items[i]))
            hash_list_add(&w->waiting, &more->items[i]);
}

// Adds the next things that an item names.
static enum status add_named(struct store *s, struct walk *w, const struct item *item, struct error *e)
{
    struct hash_list named = {0};
    enum status status = STATUS_OK;
    if (item->type[0] == '\0') {
        hash_list_add(&named, &item->object);
        w->after = s->next_seq;
    } else {
        sqlite3_stmt *st = statement(s, SQL_OBJECTS_OF_TYPE);
        bind_span(st, 1, span_of(item->type));
        sqlite3_bind_int64(st, 2, w->after);
        w->after += PART_NUMBERS;
        sqlite3_bind_int64(st, 3, w->after);
        status = statement_hashes(s, st, &named, e);
    }
    if (w->after >= s->next_seq) {
        w->after = 0;
        w->item++;
    }
    add_found(w, &named);
    hash_list_free(&named);
    return status;
}

static enum status add_above(struct store *s, struct walk *w, struct error *e)
{
    struct hash_list above = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < PART_OBJECTS && w->waiting.count != 0 && status == STATUS_OK; i++) {
        sqlite3_stmt *st = statement(s, SQL_ABOVE);
        bind_hash(st, 1, &w->waiting.items[--w->waiting.count]);
        above.count = 0;
        status = statement_hashes(s, st, &above, e);
        add_found(w, &above);
    }
    hash_list_free(&above);
    return status;
}

static void begin_walk(struct store *s, struct walk *w)
{
    end_walk(w);
    w->found = hash_map_create();
    w->seq = s->in_transaction ? 0 : s->next_seq; // 0: what the transaction adds may not be in it
}

static void take_found(struct list *l)
{
    hash_map_destroy(l->found);
    l->found = l->walk.found;
    l->found_seq = l->walk.seq;
    l->rest_until = clock_monotonic_ms() + REST * l->walk.ms;
    l->walk.found = NULL;
    end_walk(&l->walk);
}

static enum status walk_on(struct store *s, struct list *l, struct error *e)
{
    struct walk *w = &l->walk;
    uint64_t begun = clock_monotonic_ms();
    if (w->found == NULL)
        begin_walk(s, w);
    enum status status =
        w->waiting.count == 0 && w->item < l->count ? add_named(s, w, &l->items[w->item], e) : add_above(s, w, e);
    w->ms += clock_monotonic_ms() - begun;
    if (status != STATUS_OK)
        end_walk(w);
    else if (w->waiting.count == 0 && w->item == l->count)
        take_found(l);
    return status;
}

static bool is_ready(const struct store *s, const struct list *l)
{
    return l == NULL || (l->found != NULL && l->walk.found == NULL &&
                         (l->found_seq == s->next_seq || clock_monotonic_ms() < l->rest_until));
}

enum status store_roots_prepare(struct store *s, const struct hash *person, bool *ready, struct error *e)
{
    struct list *l = hash_map_get(s->withheld, person);
    enum status status = is_ready(s, l) ? STATUS_OK : walk_on(s, l, e);
    // What was just found counts, though the store may have gone on during the walk.
    *ready = status == STATUS_OK && (l == NULL || (l->found != NULL && l->walk.found == NULL));
    return status;
}

enum status withheld_find(struct store *s, const struct hash *person, const struct hash_map **out, struct error *e)
{
    const struct list *l = hash_map_get(s->withheld, person);
    enum status status = STATUS_OK;
    bool ready = false;
    while (status == STATUS_OK && !ready)
        status = store_roots_prepare(s, person, &ready, e);
    *out = l == NULL ? NULL : l->found;
    return status;
}
