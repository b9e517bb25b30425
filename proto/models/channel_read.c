// Pages of channels: the newest entries below a bound, of all channels together in one stream. As long as the lists are
// in order, reading stops where the page is full. Where one is not, something newer may lie further down, and all of
// them are read for each page; which it is is kept for long lists.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/listorder.h"
#include "models/channel_read.h"
#include "models/deletion.h"
#include "models/topic.h"

struct channel_entry *entries_add(struct model *m, struct entries *list)
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

void entry_take(struct channel_entry *out, const struct hash *channel, const struct list_element *element)
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

enum status entries_judge(struct model *m, struct channel_entry *items, size_t count, bool unverified, struct error *e)
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
    return entries_judge(m, entries->items, entries->count, false, e);
}

// A channel whose own object is lost is a hole among the others.
enum status channel_heads(struct model *m, const struct hash *channels, size_t count, struct hash **heads,
                          size_t *holes, struct error *e)
{
    *heads = arena_alloc(m->arena, (count + 1) * sizeof **heads);
    for (size_t i = 0; i < count; i++) {
        struct channel c = {0};
        enum status status = channel_get(m, &channels[i], &c, e);
        bool lost = (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND) && model_has_head(m, &channels[i]);
        if (status != STATUS_OK && !lost)
            return status;
        *holes += lost;
        (*heads)[i] = lost ? (struct hash){{0}} : c.head;
    }
    error_clear(e);
    return STATUS_OK;
}

bool element_is_older(const struct list_element *a, const struct list_element *b)
{
    struct list_key x = list_element_key(a);
    struct list_key y = list_element_key(b);
    return list_key_compare(&x, &y) < 0;
}

void elements_add(struct elements *all, const struct list_element *element)
{
    if (all->count == all->cap) {
        all->cap = all->cap != 0 ? 2 * all->cap : 64;
        all->items = mem_resize(all->items, all->cap * sizeof *all->items);
    }
    all->items[all->count++] = *element;
}

// ---- Pages ----------------------------------------------------------------------------------------------------------

enum { ORDER_KEPT_FROM = 256 }; // elements that had to be read for it

struct kept_order { // of a list
    struct hash head;
    char in_order;
};

static int newest_first(const void *a, const void *b)
{
    return element_is_older(a, b) ? 1 : element_is_older(b, a) ? -1 : 0;
}

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

static size_t page_room(const struct page *p)
{
    return p->query->limit != 0 ? p->query->limit : CHANNEL_PAGE;
}

static bool page_put(struct model *m, struct page *p, const struct list_element *element) // false when it is complete
{
    const struct channel_query *q = p->query;
    enum verdict verdict = weigh(m, p, element);
    p->holes += verdict == HOLE;
    p->more = verdict == TAKE && p->list.count == page_room(p);
    if (verdict == TAKE && !p->more)
        entry_take(entries_add(m, &p->list), &q->channels[element->list], element);
    return verdict != STOP && !p->more;
}

static enum status walk_in_order(struct model *m, struct page *p, const struct hash *heads, struct error *e)
{
    struct list_iterator *it = list_iterator_create(store_versions(m->store), heads, p->query->channel_count, false);
    bool going = true;
    enum status status = STATUS_OK;
    list_iterator_step_over(it);
    if (p->before.set)
        status = list_iterator_skip(it, &p->before.key, e);
    while (status == STATUS_OK && going) {
        struct list_element element;
        bool end;
        status = list_iterator_next(it, &element, &end, e);
        if (status != STATUS_OK || end)
            break;
        going = page_put(m, p, &element);
    }
    p->holes += list_iterator_holes(it);
    list_iterator_destroy(it);
    return status;
}

// The newest ones, each once, in their order.
static void keep_newest(struct elements *all, size_t count)
{
    size_t kept = 0;
    if (all->count != 0)
        qsort(all->items, all->count, sizeof *all->items, newest_first);
    for (size_t i = 0; i < all->count && kept < count; i++)
        if (kept == 0 || newest_first(&all->items[kept - 1], &all->items[i]) != 0)
            all->items[kept++] = all->items[i];
    all->count = kept;
}

// What may be of the page, one more than it has room for; never more than twice as many are held at a time.
static enum status choose_newest(struct model *m, struct page *p, const struct hash *heads, struct elements *newest,
                                 struct error *e)
{
    size_t room = page_room(p) + 1;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), heads, p->query->channel_count, false);
    struct list_element element;
    bool end;
    enum status status;
    list_iterator_step_over(it);
    while ((status = list_iterator_next(it, &element, &end, e)) == STATUS_OK && !end) {
        enum verdict verdict = weigh(m, p, &element);
        p->holes += verdict == HOLE;
        if (verdict == TAKE)
            elements_add(newest, &element);
        if (newest->count / 2 >= room)
            keep_newest(newest, room);
    }
    keep_newest(newest, room);
    p->holes += list_iterator_holes(it);
    list_iterator_destroy(it);
    return status;
}

// Whoever posts with a clock that is slow by the age of the conversation puts its lists out of order, and what both
// sides had in common is in them twice (MODELS.md 5.5): then everything is read, for each page.
static enum status walk_out_of_order(struct model *m, struct page *p, const struct hash *heads, struct error *e)
{
    struct elements newest = {0};
    enum status status = choose_newest(m, p, heads, &newest, e);
    for (size_t i = 0; status == STATUS_OK && i < newest.count; i++)
        if (!page_put(m, p, &newest.items[i]))
            break;
    free(newest.items);
    return status;
}

// The verdict about a long list is kept in the store, too: the next process need not read all of it again.
static enum status judge_order(struct model *m, const struct hash *channel, const struct hash *head, bool *in_order,
                               struct error *e)
{
    const struct version_source *source = store_versions(m->store);
    const struct store_setting_name name = store_setting_about("order", channel);
    struct span kept;
    size_t looked;
    if (list_marks_order(source->marks, head) == LIST_ORDER_UNKNOWN &&
        store_setting_get(m->store, name.s, m->arena, &kept, NULL) == STATUS_OK &&
        kept.len == sizeof(struct kept_order))
        list_marks_set_order(source->marks, (const struct hash *)kept.ptr,
                             kept.ptr[HASH_SIZE] == 1 ? LIST_IN_ORDER : LIST_OUT_OF_ORDER);
    enum status status = list_is_in_order(source, head, in_order, &looked, e);
    if (status == STATUS_OK && looked >= ORDER_KEPT_FROM &&
        list_marks_order(source->marks, head) != LIST_ORDER_UNKNOWN) {
        struct kept_order now = {*head, *in_order};
        store_setting_note(m->store, &name, (struct span){(const char *)&now, sizeof now});
    }
    return status;
}

// A page of the newest is right only if nothing newer lies below it, in no list.
static enum status walk(struct model *m, struct page *p, const struct hash *heads, struct error *e)
{
    bool in_order = true;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && in_order && i < p->query->channel_count; i++)
        status = judge_order(m, &p->query->channels[i], &heads[i], &in_order, e);
    if (status != STATUS_OK)
        return status;
    return in_order ? walk_in_order(m, p, heads, e) : walk_out_of_order(m, p, heads, e);
}

static void reverse(struct channel_entry *items, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct channel_entry entry = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = entry;
    }
}

enum status channel_read(struct model *m, const struct channel_query *query, struct channel_entries *out,
                         struct error *e)
{
    struct page page;
    struct hash *heads;
    enum status status = page_begin(m, query, &page, e);
    if (status == STATUS_OK)
        status = channel_heads(m, query->channels, query->channel_count, &heads, &page.holes, e);
    if (status == STATUS_OK)
        status = walk(m, &page, heads, e);
    if (status == STATUS_OK)
        status = entries_judge(m, page.list.items, page.list.count, query->unverified, e);
    if (query->ascending)
        reverse(page.list.items, page.list.count);
    *out = (struct channel_entries){
        .items = page.list.items, .count = page.list.count, .more = page.more, .holes = page.holes};
    return status;
}
