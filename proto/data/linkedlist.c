// Lists are walked side by side, a cursor in each; the later element is emitted first (takes_over), whatever order a
// list has in itself. Two cursors at one entry have the same rest, so one of them ends there. Entries that are lost are
// stepped over by their links, if who reads says so.
#include "data/linkedlist.h"

#include <math.h>
#include <stdlib.h>

struct cursor {        // a place in one list
    struct hash entry; // zero: the list has ended, or the element is not yet in a list
    bool ended;
    bool loaded; // everything below is known
    struct arena *arena;
    struct list_element element;
    const struct value *metadata; // of the entry; NULL if it has none
    struct hash previous;
    bool has_mark;
    struct hash mark;       // the last one passed
    struct list_key oldest; // since then
};

struct list_iterator {
    const struct version_source *source;
    struct cursor *cursors;
    size_t count;
    bool stop_at_common;
    bool steps_over;
    size_t holes;
    bool ended;
    bool has_last;
    struct list_element last;          // emitted or skipped
    const struct value *last_metadata; // lives until the next step
};

struct collected { // elements that need a new entry, newest first
    struct list_element *items;
    const struct value **metadata;
    size_t count;
    size_t cap;
    struct arena *arena; // holds the metadata
};

static enum status read_typed(const struct version_source *s, struct arena *a, const struct hash *hash,
                              struct span type, struct value **out, struct error *e)
{
    struct span text;
    enum status status = s->read(s->ctx, hash, a, &text, e);
    return status == STATUS_OK ? microdata_read(s->recipes, a, text, MICRODATA_OBJECT, type, out, e) : status;
}

static enum status read_creation_time(const struct version_source *s, struct arena *a, struct list_element *element,
                                      struct error *e)
{
    struct value *object;
    enum status status = read_typed(s, a, &element->creation_time, SPAN("CreationTime"), &object, e);
    if (status == STATUS_OK && (!value_get_number(object, "timestamp", &element->timestamp) ||
                                !value_get_hash(object, "data", &element->data)))
        return error_set(e, STATUS_CORRUPT, "BAD-LIST", "CreationTime %s is incomplete",
                         hash_text(&element->creation_time).s);
    return status;
}

struct list_key list_key_of(double timestamp, const struct hash *creation_time)
{
    return (struct list_key){isnan(timestamp) ? (double)INFINITY : timestamp, *creation_time};
}

struct list_key list_element_key(const struct list_element *element)
{
    return list_key_of(element->timestamp, &element->creation_time);
}

static void note_mark(struct list_marks *marks, struct cursor *c)
{
    struct list_key key = list_element_key(&c->element);
    if (marks == NULL)
        return;
    if (list_is_mark(&c->entry)) {
        if (c->has_mark)
            list_marks_add(marks, &c->mark, &c->entry, &c->oldest);
        c->has_mark = true;
        c->mark = c->entry;
        c->oldest = key;
    } else if (list_key_compare(&key, &c->oldest) < 0) {
        c->oldest = key;
    }
}

static void advance(struct cursor *c)
{
    c->entry = c->previous;
    c->ended = hash_is_zero(&c->entry);
    c->loaded = false;
}

static bool is_lost(enum status status)
{
    return status == STATUS_CORRUPT || status == STATUS_NOT_FOUND;
}

// The first link is the element, and one to another entry leads to what is behind it.
static bool know_links(const struct list_iterator *it, struct cursor *c)
{
    struct hash_list targets = {0};
    bool known = it->steps_over && it->source->links != NULL &&
                 it->source->links(it->source->ctx, &c->entry, &targets, &c->previous) && targets.count != 0;
    if (known)
        c->element.creation_time = targets.items[0];
    c->metadata = NULL;
    hash_list_free(&targets);
    return known;
}

static enum status read_entry(const struct list_iterator *it, struct cursor *c, struct error *e)
{
    struct value *object;
    struct error why = {0};
    if (c->arena == NULL)
        c->arena = arena_create();
    arena_reset(c->arena);
    enum status status = read_typed(it->source, c->arena, &c->entry, SPAN("LinkedListEntry"), &object, &why);
    c->element.entry = c->entry;
    if (is_lost(status) && know_links(it, c))
        return STATUS_OK;
    if (status != STATUS_OK)
        return error_set(e, status, why.code, "%s", why.message);
    if (!value_get_hash(object, "data", &c->element.creation_time))
        return error_set(e, STATUS_CORRUPT, "BAD-LIST", "LinkedListEntry %s is incomplete", hash_text(&c->entry).s);
    c->metadata = value_get(object, SPAN("metadata"));
    c->previous = (struct hash){{0}};
    value_get_hash(object, "previous", &c->previous);
    return STATUS_OK;
}

// Behind holes the list may have ended.
static enum status load(struct list_iterator *it, struct cursor *c, struct error *e)
{
    struct error why = {0};
    while (!c->ended) {
        enum status status = read_entry(it, c, e);
        if (status != STATUS_OK)
            return status;
        status = read_creation_time(it->source, c->arena, &c->element, &why);
        c->loaded = status == STATUS_OK;
        if (c->loaded) {
            note_mark(it->source->marks, c);
            return STATUS_OK;
        }
        if (!it->steps_over || !is_lost(status))
            return error_set(e, status, why.code, "%s", why.message);
        it->holes++;
        c->has_mark = false;
        advance(c);
    }
    return STATUS_OK;
}

static bool is_same_entry(const struct cursor *a, const struct cursor *b)
{
    return !hash_is_zero(&a->element.entry) && hash_eq(&a->element.entry, &b->element.entry);
}

static bool is_same_element(const struct list_element *a, const struct list_element *b)
{
    return !(a->timestamp < b->timestamp) && !(a->timestamp > b->timestamp) &&
           hash_eq(&a->creation_time, &b->creation_time);
}

// Whether a later list takes over from the candidate.
static bool takes_over(const struct list_element *later, const struct list_element *candidate)
{
    if (later->timestamp > candidate->timestamp)
        return true;
    return !(later->timestamp < candidate->timestamp) &&
           hash_compare(&later->creation_time, &candidate->creation_time) >= 0;
}

static enum status choose(struct list_iterator *it, struct cursor **candidate, size_t *active, struct error *e)
{
    *candidate = NULL;
    *active = 0;
    for (size_t i = 0; i < it->count; i++) {
        struct cursor *c = &it->cursors[i];
        if (c->ended)
            continue;
        enum status status = c->loaded ? STATUS_OK : load(it, c, e);
        if (status != STATUS_OK)
            return status;
        if (c->ended)
            continue;
        if (*candidate != NULL && is_same_entry(c, *candidate)) {
            c->ended = true; // the same entry has the same history
            continue;
        }
        (*active)++;
        if (*candidate == NULL || takes_over(&c->element, &(*candidate)->element))
            *candidate = c;
    }
    return STATUS_OK;
}

enum status list_iterator_next(struct list_iterator *it, struct list_element *out, bool *end, struct error *e)
{
    *end = it->ended;
    while (!*end) {
        struct cursor *c;
        size_t active;
        enum status status = choose(it, &c, &active, e);
        if (status != STATUS_OK)
            return status;
        *end = it->ended = c == NULL;
        if (c == NULL)
            break;
        bool repeated = it->has_last && is_same_element(&c->element, &it->last);
        it->last = c->element;
        it->last_metadata = c->metadata;
        it->has_last = true;
        advance(c);
        if (repeated)
            continue;
        it->ended = it->stop_at_common && active == 1;
        *out = it->last;
        return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status skip(struct list_iterator *it, struct cursor *c, const struct list_key *bound, struct error *e)
{
    while (!c->ended) {
        if (it->source->marks != NULL && list_marks_follow(it->source->marks, &c->entry, bound))
            c->has_mark = false;
        enum status status = load(it, c, e);
        if (status != STATUS_OK || c->ended)
            return status;
        struct list_key key = list_element_key(&c->element);
        if (list_key_compare(&key, bound) < 0)
            break;
        advance(c);
    }
    return STATUS_OK;
}

// The first element older than the bound is emitted when every list stands at its first one, sorted or not.
enum status list_iterator_skip(struct list_iterator *it, const struct list_key *bound, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < it->count; i++)
        status = skip(it, &it->cursors[i], bound, e);
    return status;
}

struct list_iterator *list_iterator_create(const struct version_source *s, const struct hash *heads, size_t count,
                                           bool stop_at_common)
{
    struct list_iterator *it = mem_alloc(sizeof *it);
    it->source = s;
    it->cursors = mem_array(count, sizeof *it->cursors);
    it->count = count;
    it->stop_at_common = stop_at_common;
    for (size_t i = 0; i < count; i++) {
        it->cursors[i].entry = heads[i];
        it->cursors[i].ended = hash_is_zero(&heads[i]);
        it->cursors[i].element.list = i;
    }
    return it;
}

void list_iterator_step_over(struct list_iterator *it)
{
    it->steps_over = true;
}

size_t list_iterator_holes(const struct list_iterator *it)
{
    return it->holes;
}

void list_iterator_destroy(struct list_iterator *it)
{
    if (it == NULL)
        return;
    for (size_t i = 0; i < it->count; i++)
        arena_destroy(it->cursors[i].arena);
    free(it->cursors);
    free(it);
}

static void collect(struct collected *l, const struct list_element *element, const struct value *metadata)
{
    if (l->count == l->cap) {
        l->cap = l->cap != 0 ? 2 * l->cap : 16;
        l->items = mem_resize(l->items, l->cap * sizeof *l->items);
        l->metadata = mem_resize(l->metadata, l->cap * sizeof(struct value *));
    }
    l->items[l->count] = *element;
    l->metadata[l->count++] = metadata != NULL ? value_copy(l->arena, metadata) : NULL;
}

static enum status collect_all(struct list_iterator *it, struct collected *l, struct error *e)
{
    for (;;) {
        struct list_element element;
        bool end;
        enum status status = list_iterator_next(it, &element, &end, e);
        if (status != STATUS_OK || end)
            return status;
        collect(l, &element, it->last_metadata);
    }
}

// Stores an entry on top of *head and makes it the head. One that lies there in its own list already is not stored
// again: a store takes that for news of it.
static enum status put_on_top(const struct version_source *s, struct arena *a, const struct list_element *element,
                              const struct value *metadata, struct hash *head, struct error *e)
{
    struct object o;
    struct value *entry = value_object(a, SPAN("LinkedListEntry"));
    value_set_member(a, entry, SPAN("data"), value_hash(a, &element->creation_time));
    if (metadata != NULL)
        value_set_member(a, entry, SPAN("metadata"), value_copy(a, metadata));
    if (!hash_is_zero(head))
        value_set_member(a, entry, SPAN("previous"), value_hash(a, head));
    enum status status = object_make(s->recipes, a, entry, MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK && !hash_eq(&o.hash, &element->entry))
        status = s->write(s->ctx, &o, e);
    if (status == STATUS_OK)
        *head = o.hash;
    return status;
}

// Puts all but the last collected element on the last one, which is what the lists have in common. An element that is
// not in a list yet cannot be that: it goes on top of the others, as in the reference.
static enum status rebuild(const struct version_source *s, const struct collected *l, struct hash *new_head,
                           struct error *e)
{
    *new_head = (struct hash){{0}};
    if (l->count == 0)
        return STATUS_OK;
    size_t last = l->count - 1;
    struct arena *a = arena_create();
    enum status status = STATUS_OK;
    *new_head = l->items[last].entry;
    for (size_t i = last; i-- > 0 && status == STATUS_OK;) {
        arena_reset(a);
        status = put_on_top(s, a, &l->items[i], l->metadata[i], new_head, e);
    }
    if (status == STATUS_OK && hash_is_zero(&l->items[last].entry))
        status = put_on_top(s, a, &l->items[last], l->metadata[last], new_head, e);
    arena_destroy(a);
    return status;
}

static enum status join(struct list_iterator *it, struct hash *new_head, struct error *e)
{
    struct collected l = {.arena = arena_create()};
    enum status status = collect_all(it, &l, e);
    if (status == STATUS_OK)
        status = rebuild(it->source, &l, new_head, e);
    free(l.items);
    free(l.metadata);
    arena_destroy(l.arena);
    return status;
}

static struct value *metadata_of(struct arena *a, const struct hash_list *hashes)
{
    if (hashes == NULL || hashes->count == 0)
        return NULL;
    struct value *bag = value_list(a);
    for (size_t i = 0; i < hashes->count; i++)
        value_add(a, bag, value_hash(a, &hashes->items[i]));
    return bag;
}

enum status list_insert(const struct version_source *s, const struct hash *head, const struct hash *creation_time,
                        const struct hash_list *metadata, struct hash *new_head, struct error *e)
{
    struct list_iterator *it = list_iterator_create(s, (struct hash[]){*head, {{0}}}, 2, true);
    struct cursor *added = &it->cursors[1];
    added->arena = arena_create();
    added->element.creation_time = *creation_time;
    added->metadata = metadata_of(added->arena, metadata);
    added->ended = false;
    added->loaded = true;
    enum status status = read_creation_time(s, added->arena, &added->element, e);
    if (status == STATUS_OK)
        status = join(it, new_head, e);
    list_iterator_destroy(it);
    return status;
}

enum status list_merge(const struct version_source *s, const struct hash *current, const struct hash *other,
                       struct hash *new_head, struct error *e)
{
    struct list_iterator *it = list_iterator_create(s, (struct hash[]){*current, *other}, 2, true);
    enum status status = join(it, new_head, e);
    list_iterator_destroy(it);
    return status;
}
