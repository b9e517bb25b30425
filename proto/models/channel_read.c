// Reading channels: pages of entries, and what is new since a cursor.
//
//   cursor  = triple *("," triple) "@" offset      triple = channel ":" from ":" to
//
// Each channel was read up to the list head "from" (zeros: not at all). With an offset, "to" is where the reading
// stands that was cut by its limit after that many entries.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "models/channel.h"
#include "models/deletion.h"
#include "models/topic.h"

struct entries { // grows in the model's arena
    struct channel_entry *items;
    size_t count;
    size_t cap;
};

static struct channel_entry *add_entry(struct model *m, struct entries *list)
{
    if (list->count == list->cap) {
        list->cap = list->cap != 0 ? 2 * list->cap : 64;
        struct channel_entry *more = arena_alloc(m->arena, list->cap * sizeof *more);
        if (list->count != 0)
            memcpy(more, list->items, list->count * sizeof *more);
        list->items = more;
    }
    return &list->items[list->count++];
}

static void take(struct channel_entry *out, const struct hash *channel, const struct list_element *element)
{
    *out = (struct channel_entry){
        .channel = *channel,
        .entry = element->entry,
        .creation_time = element->creation_time,
        .data = element->data,
        .timestamp = time_is_valid(element->timestamp) ? element->timestamp : (double)time_clamp(element->timestamp),
    };
}

// In a group an owner may say which keys the members have.
struct introduced { // the one asked for last
    struct hash channel;
    struct hash author;
    struct sign_public key;
    bool found;
};

static void judge_introduced(struct model *m, struct introduced *last, struct channel_entry *entry,
                             const struct hash_list *metadata)
{
    if (!hash_eq(&last->channel, &entry->channel) || !hash_eq(&last->author, &entry->author)) {
        last->channel = entry->channel;
        last->author = entry->author;
        last->found = topic_introduced_key(m, &entry->channel, &entry->author, &last->key);
    }
    if (!last->found)
        return;
    bool fits = trust_entry_fits(m, &entry->creation_time, metadata, &entry->author, &last->key);
    entry->verification = fits ? VERIFICATION_VERIFIED : VERIFICATION_FORGED;
}

static enum status judge(struct model *m, struct trust_memo *memo, struct introduced *last, struct channel_entry *entry,
                         struct error *e)
{
    struct hash_list metadata = {0};
    enum status status = channel_entry_metadata(m, &entry->entry, &metadata, e);
    if (status == STATUS_CORRUPT ||
        status == STATUS_NOT_FOUND) { // lost: what it says is shown, who says so is not known
        error_clear(e);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = trust_verify_entry(m, memo, &entry->creation_time, &metadata, &entry->author, &entry->has_author,
                                    &entry->verification, e);
    if (status == STATUS_OK && entry->has_author && entry->verification == VERIFICATION_UNSIGNED)
        judge_introduced(m, last, entry, &metadata);
    hash_list_free(&metadata);
    return status;
}

static enum status judge_all(struct model *m, struct channel_entry *items, size_t count, bool unverified,
                             struct error *e)
{
    enum status status = STATUS_OK;
    struct introduced last = {0};
    struct trust_memo *memo = trust_memo_create();
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct store_info info;
        if (store_info(m->store, &items[i].data, &info, NULL) == STATUS_OK)
            memcpy(items[i].type, info.type, sizeof items[i].type);
        if (!unverified)
            status = judge(m, memo, &last, &items[i], e);
    }
    trust_memo_destroy(memo);
    return status;
}

enum status channel_judge(struct model *m, struct channel_entries *entries, struct error *e)
{
    return judge_all(m, entries->items, entries->count, false, e);
}

// ---- Elements of lists ----------------------------------------------------------------------------------------------

struct elements {
    struct list_element *items;
    size_t count;
    size_t cap;
    size_t holes;
};

static bool is_older(const struct list_element *a, const struct list_element *b)
{
    struct list_key x = list_element_key(a);
    struct list_key y = list_element_key(b);
    return list_key_compare(&x, &y) < 0;
}

static int newest_first(const void *a, const void *b)
{
    return is_older(a, b) ? 1 : is_older(b, a) ? -1 : 0;
}

static void add_element(struct elements *all, const struct list_element *element)
{
    if (all->count == all->cap) {
        all->cap = all->cap != 0 ? 2 * all->cap : 64;
        all->items = mem_resize(all->items, all->cap * sizeof *all->items);
    }
    all->items[all->count++] = *element;
}

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
            add_element(all, &element);
    all->holes = list_iterator_holes(it);
    hash_map_destroy(seen);
    list_iterator_destroy(it);
    return status;
}

// ---- Pages ----------------------------------------------------------------------------------------------------------

struct bound {
    bool set;
    struct list_key key;
};

static enum status read_bound(struct model *m, const struct hash *creation_time, struct bound *out, struct error *e)
{
    struct value *object;
    double timestamp = 0;
    *out = (struct bound){0};
    if (creation_time == NULL)
        return STATUS_OK;
    enum status status = model_read(m, creation_time, "CreationTime", &object, e);
    if (status == STATUS_OK) {
        out->set = value_get_number(object, "timestamp", &timestamp);
        out->key = list_key_of(timestamp, creation_time);
    }
    return status;
}

// The end of the timestamps, inclusive, as a bound; an earlier one stays.
static void end_at(struct bound *before, double to)
{
    struct list_key key = {nextafter(to, INFINITY), {{0}}};
    if (!before->set || list_key_compare(&key, &before->key) < 0)
        *before = (struct bound){.set = true, .key = key};
}

// Less than zero: the element is older than the bound.
static int compare(const struct list_element *element, const struct bound *bound)
{
    struct list_key key = list_element_key(element);
    return list_key_compare(&key, &bound->key);
}

enum verdict { SKIP, TAKE, STOP, HOLE };

struct page { // being filled
    const struct channel_query *query;
    const double *until; // of each channel: up to there it is deleted
    struct bound before;
    struct bound after;
    struct entries list;
    bool more;
    size_t holes;
};

static bool is_deleted(struct model *m, const struct page *p, const struct list_element *element)
{
    return !p->query->deleted && ((p->until[element->list] > 0 && element->timestamp <= p->until[element->list]) ||
                                  store_is_hidden(m->store, &element->creation_time));
}

static enum verdict weigh(struct model *m, const struct page *p, const struct list_element *element)
{
    const struct channel_query *q = p->query;
    const struct bound *before = &p->before;
    const struct bound *after = &p->after;
    struct store_info info;
    if ((after->set && compare(element, after) <= 0) || (q->from > 0 && element->timestamp < q->from))
        return STOP;
    if (before->set && compare(element, before) >= 0)
        return SKIP;
    if (q->type != NULL) {
        if (store_info(m->store, &element->data, &info, NULL) != STATUS_OK)
            return store_is_wanted(m->store, &element->data) && !is_deleted(m, p, element) ? HOLE : SKIP;
        if (strcmp(info.type, q->type) != 0)
            return SKIP;
    }
    return is_deleted(m, p, element) ? SKIP : TAKE;
}

static enum status page_begin(struct model *m, const struct channel_query *q, struct page *p, struct error *e)
{
    double *until = arena_alloc(m->arena, (q->channel_count + 1) * sizeof *until);
    for (size_t i = 0; i < q->channel_count; i++)
        until[i] = deletion_until(m, &q->channels[i]);
    *p = (struct page){.query = q, .until = until};
    enum status status = read_bound(m, q->before, &p->before, e);
    if (status == STATUS_OK)
        status = read_bound(m, q->after, &p->after, e);
    if (status == STATUS_OK && q->to > 0)
        end_at(&p->before, q->to);
    return status;
}

static bool page_put(struct model *m, struct page *p, const struct list_element *element) // false when it is complete
{
    const struct channel_query *q = p->query;
    enum verdict verdict = weigh(m, p, element);
    p->holes += verdict == HOLE;
    p->more = verdict == TAKE && p->list.count == (q->limit != 0 ? q->limit : CHANNEL_PAGE);
    if (verdict == TAKE && !p->more)
        take(add_entry(m, &p->list), &q->channels[element->list], element);
    return verdict != STOP && !p->more;
}

static enum status walk_in_order(struct model *m, struct page *p, const struct hash *heads, bool *sorted,
                                 struct error *e)
{
    struct list_iterator *it = list_iterator_create(store_versions(m->store), heads, p->query->channel_count, false);
    struct list_element last = {0};
    bool going = true;
    enum status status = STATUS_OK;
    list_iterator_step_over(it);
    if (p->before.set)
        status = list_iterator_skip(it, &p->before.key, e);
    while (status == STATUS_OK && going && *sorted) {
        struct list_element element;
        bool end;
        status = list_iterator_next(it, &element, &end, e);
        if (status != STATUS_OK || end)
            break;
        *sorted = hash_is_zero(&last.entry) || is_older(&element, &last);
        last = element;
        going = page_put(m, p, &element);
    }
    p->holes += list_iterator_holes(it);
    list_iterator_destroy(it);
    return status;
}

// Whoever posts with a clock that is slow by the age of the conversation puts its lists out of order, and what both
// sides had in common is in them twice (MODELS.md 5.5): then everything is read, each entry once, and sorted.
static enum status walk_out_of_order(struct model *m, struct page *p, const struct hash *heads, struct error *e)
{
    struct elements all = {0};
    enum status status = collect(m, heads, p->query->channel_count, &all, e);
    if (status == STATUS_OK)
        qsort(all.items, all.count, sizeof *all.items, newest_first);
    p->list.count = 0;
    p->holes += all.holes;
    for (size_t i = 0; status == STATUS_OK && i < all.count; i++)
        if (!page_put(m, p, &all.items[i]))
            break;
    free(all.items);
    return status;
}

static enum status walk(struct model *m, struct page *p, const struct hash *heads, struct error *e)
{
    bool sorted = true;
    enum status status = walk_in_order(m, p, heads, &sorted, e);
    return status == STATUS_OK && !sorted ? walk_out_of_order(m, p, heads, e) : status;
}

static void reverse(struct channel_entry *items, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct channel_entry entry = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = entry;
    }
}

// A channel whose own object is lost is a hole among the others.
static enum status read_heads(struct model *m, const struct hash *channels, size_t count, struct hash **heads,
                              size_t *holes, struct error *e)
{
    *heads = arena_alloc(m->arena, (count + 1) * sizeof **heads);
    for (size_t i = 0; i < count; i++) {
        struct channel c = {0};
        struct hash node;
        enum status status = channel_get(m, &channels[i], &c, e);
        bool lost = (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND) &&
                    store_head(m->store, &channels[i], &node, NULL) == STATUS_OK;
        if (status != STATUS_OK && !lost)
            return status;
        *holes += lost;
        (*heads)[i] = lost ? (struct hash){{0}} : c.head;
    }
    error_clear(e);
    return STATUS_OK;
}

enum status channel_read(struct model *m, const struct channel_query *query, struct channel_entries *out,
                         struct error *e)
{
    struct page page;
    struct hash *heads;
    enum status status = page_begin(m, query, &page, e);
    if (status == STATUS_OK)
        status = read_heads(m, query->channels, query->channel_count, &heads, &page.holes, e);
    if (status == STATUS_OK)
        status = walk(m, &page, heads, e);
    if (status == STATUS_OK)
        status = judge_all(m, page.list.items, page.list.count, query->unverified, e);
    if (query->ascending)
        reverse(page.list.items, page.list.count);
    *out = (struct channel_entries){
        .items = page.list.items, .count = page.list.count, .more = page.more, .holes = page.holes};
    return status;
}

// ---- What is new ----------------------------------------------------------------------------------------------------

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
    r->disorder = r->disorder || (!r->end && !hash_is_zero(&last.entry) && !is_older(&r->element, &last));
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
        if (!old->end && !is_older(&old->element, &now->element)) {
            hash_map_add(seen, &old->element.entry);
            hash_map_add(seen, &old->element.creation_time);
            status = step(old, e);
            continue;
        }
        if (!hash_map_has(seen, &now->element.creation_time))
            take(add_entry(m, list), channel, &now->element);
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
            take(add_entry(m, list), &s->channel, &now.items[i]);
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
            *add_entry(m, late) = *one;
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
    enum status status = read_heads(m, channels, count, &heads, &holes, e);
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
    return judge_all(m, out->items, out->count, unverified, e);
}
