// What is new in channels since a cursor.
//
//   cursor  = triple *("," triple) "@" offset      triple = channel ":" from ":" to
//
// Each channel was read up to the list head "from" (zeros: not at all). With an offset, "to" is where the reading
// stands that was cut by its limit after that many entries.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/channel_read.h"
#include "models/deletion.h"

// All elements of lists in any order, each once. The caller frees the items.
static enum status collect(struct model *m, const struct hash *heads, size_t count, struct elements *all,
                           struct error *e)
{
    struct list_iterator *it = list_iterator_create(store_versions(m->store), heads, count, false);
    list_iterator_step_over(it);
    struct hash_map *seen = hash_map_create();
    struct list_element element;
    bool end;
    enum status status;
    while ((status = list_iterator_next(it, &element, &end, e)) == STATUS_OK && !end)
        if (hash_map_add(seen, &element.creation_time))
            elements_add(all, &element);
    hash_map_destroy(seen);
    list_iterator_destroy(it);
    return status;
}

struct stretch { // of one channel
    struct hash channel;
    struct hash from;
    struct hash to;
};

struct reading { // of one list
    struct list_iterator *it;
    struct list_element element;
    bool end;
    bool disorder; // the list is not sorted
};

static enum status step(struct reading *r, struct error *e)
{
    struct list_element last = r->element;
    enum status status = list_iterator_next(r->it, &r->element, &r->end, e);
    r->disorder = r->disorder || (!r->end && !hash_is_zero(&last.entry) && !element_is_older(&r->element, &last));
    return status;
}

// Emits the elements of one list that another does not have. Both are walked only down to where they are the same; seen
// holds what the old one had above. It stops when either turns out not to be sorted.
static enum status subtract(struct model *m, const struct hash *channel, struct reading *now, struct reading *old,
                            struct entries *list, struct error *e)
{
    enum status status = step(now, e);
    if (status == STATUS_OK)
        status = step(old, e);
    struct hash_map *seen = hash_map_create();
    while (status == STATUS_OK && !now->end && !now->disorder && !old->disorder) {
        bool same_entry = !old->end && hash_eq(&now->element.entry, &old->element.entry);
        if (same_entry || hash_map_has(seen, &now->element.entry))
            break;
        if (!old->end && !element_is_older(&old->element, &now->element)) {
            hash_map_add(seen, &old->element.entry);
            hash_map_add(seen, &old->element.creation_time);
            status = step(old, e);
            continue;
        }
        if (!hash_map_has(seen, &now->element.creation_time))
            entry_take(entries_add(m, list), channel, &now->element);
        status = step(now, e);
    }
    hash_map_destroy(seen);
    return status;
}

static enum status subtract_out_of_order(struct model *m, const struct stretch *s, struct entries *list,
                                         struct error *e)
{
    struct elements now = {0};
    struct elements old = {0};
    struct hash_map *known = hash_map_create();
    enum status status = collect(m, &s->to, 1, &now, e);
    if (status == STATUS_OK)
        status = collect(m, &s->from, 1, &old, e);
    for (size_t i = 0; status == STATUS_OK && i < old.count; i++)
        hash_map_add(known, &old.items[i].creation_time);
    for (size_t i = 0; status == STATUS_OK && i < now.count; i++)
        if (!hash_map_has(known, &now.items[i].creation_time))
            entry_take(entries_add(m, list), &s->channel, &now.items[i]);
    hash_map_destroy(known);
    free(now.items);
    free(old.items);
    return status;
}

static void drop_deleted(struct model *m, struct entries *list, size_t from, struct entries *late)
{
    size_t kept = from;
    for (size_t i = from; i < list->count; i++) {
        const struct channel_entry *one = &list->items[i];
        if (!deletion_hides(m, &one->channel, &one->creation_time, one->timestamp))
            list->items[kept++] = *one;
        else if (!store_is_hidden(m->store, &one->creation_time))
            *entries_add(m, late) = *one;
    }
    list->count = kept;
}

static enum status find_new(struct model *m, const struct stretch *s, struct entries *list, struct entries *late,
                            struct error *e)
{
    const struct version_source *source = store_versions(m->store);
    struct reading now = {.it = list_iterator_create(source, &s->to, 1, false)};
    struct reading old = {.it = list_iterator_create(source, &s->from, 1, false)};
    size_t before = list->count;
    list_iterator_step_over(now.it);
    list_iterator_step_over(old.it);
    enum status status = subtract(m, &s->channel, &now, &old, list, e);
    list_iterator_destroy(now.it);
    list_iterator_destroy(old.it);
    if (status == STATUS_OK && (now.disorder || old.disorder)) {
        list->count = before;
        status = subtract_out_of_order(m, s, list, e);
    }
    drop_deleted(m, list, before, late);
    return status;
}

static int by_age(const void *a, const void *b)
{
    const struct channel_entry *x = a;
    const struct channel_entry *y = b;
    struct list_key key_x = {x->timestamp, x->creation_time};
    struct list_key key_y = {y->timestamp, y->creation_time};
    return list_key_compare(&key_x, &key_y);
}

static bool read_digits(struct span *text, struct hash *out, char end)
{
    if (text->len <= HASH_HEX || text->ptr[HASH_HEX] != end || !hash_parse((struct span){text->ptr, HASH_HEX}, out))
        return false;
    *text = span_from(*text, HASH_HEX + 1);
    return true;
}

// Fills in from and, when the last reading was cut, to; channels the cursor does not know stay as they are.
static bool read_cursor(struct span text, struct stretch *stretches, size_t count, size_t *offset)
{
    const char *at = text.len != 0 ? memrchr(text.ptr, '@', text.len) : NULL;
    if (at == NULL)
        return false;
    struct span number = span_from(text, (size_t)(at - text.ptr) + 1);
    *offset = 0;
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9' || number.len > 9)
            return false;
        *offset = 10 * *offset + (size_t)(number.ptr[i] - '0');
    }
    text.len = (size_t)(at - text.ptr);
    while (text.len != 0) {
        struct stretch s;
        char end = text.len == 3 * HASH_HEX + 2 ? '@' : ','; // the '@' stands behind the text
        text.len += end == '@';
        if (!read_digits(&text, &s.channel, ':') || !read_digits(&text, &s.from, ':') ||
            !read_digits(&text, &s.to, end))
            return false;
        for (size_t i = 0; i < count; i++)
            if (hash_eq(&stretches[i].channel, &s.channel)) {
                stretches[i].from = s.from;
                stretches[i].to = *offset != 0 ? s.to : stretches[i].to;
            }
    }
    return true;
}

static struct span write_cursor(struct model *m, const struct stretch *stretches, size_t count, size_t offset)
{
    struct buf b = {0};
    for (size_t i = 0; i < count; i++) {
        const struct hash *from = offset != 0 ? &stretches[i].from : &stretches[i].to;
        buf_printf(&b, "%s%s:%s:", i != 0 ? "," : "", hash_text(&stretches[i].channel).s, hash_text(from).s);
        buf_add_text(&b, hash_text(&stretches[i].to).s);
    }
    buf_printf(&b, "@%zu", offset);
    struct span kept = arena_copy(m->arena, buf_span(&b));
    buf_free(&b);
    return kept;
}

static enum status begin_stretches(struct model *m, const struct hash *channels, size_t count,
                                   struct stretch **stretches, struct error *e)
{
    struct hash *heads;
    size_t holes = 0;
    enum status status = channel_heads(m, channels, count, &heads, &holes, e);
    if (status == STATUS_OK && holes != 0) // a cursor before its entries would tell them all again
        status = error_set(e, STATUS_CORRUPT, "OBJECT-DAMAGED", "a channel is lost here");
    *stretches = arena_alloc(m->arena, (count + 1) * sizeof **stretches);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        (*stretches)[i] = (struct stretch){.channel = channels[i], .to = heads[i]};
    return status;
}

enum status channel_cursor(struct model *m, const struct hash *channels, size_t channel_count, struct span *cursor,
                           struct error *e)
{
    struct stretch *stretches;
    enum status status = begin_stretches(m, channels, channel_count, &stretches, e);
    if (status == STATUS_OK)
        *cursor = write_cursor(m, stretches, channel_count, 0);
    return status;
}

enum status channel_since(struct model *m, const struct hash *channels, size_t channel_count, struct span cursor,
                          size_t limit, bool unverified, struct channel_entries *out, struct span *next,
                          struct error *e)
{
    struct stretch *stretches;
    struct entries list = {0};
    struct entries late = {0};
    size_t offset = 0;
    *out = (struct channel_entries){0};
    enum status status = begin_stretches(m, channels, channel_count, &stretches, e);
    if (status == STATUS_OK && cursor.len != 0 && !read_cursor(cursor, stretches, channel_count, &offset))
        status = error_set(e, STATUS_INVALID, "BAD-INPUT", "this is not a cursor of a channel");
    for (size_t i = 0; status == STATUS_OK && i < channel_count; i++)
        status = find_new(m, &stretches[i], &list, &late, e);
    if (status != STATUS_OK)
        return status;
    if (list.count != 0)
        qsort(list.items, list.count, sizeof *list.items, by_age);
    offset = offset < list.count ? offset : list.count;
    size_t rest = list.count - offset;
    limit = limit != 0 ? limit : CHANNEL_PAGE;
    out->more = rest > limit;
    out->count = out->more ? limit : rest;
    out->items = list.items != NULL ? list.items + offset : NULL;
    out->late = late.items;
    out->late_count = late.count;
    *next = write_cursor(m, stretches, channel_count, out->more ? offset + limit : 0);
    return entries_judge(m, out->items, out->count, unverified, e);
}
