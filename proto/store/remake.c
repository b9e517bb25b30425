// What is lost is made again from what else is here. Of many types an object is nothing but its id and its links
// (grants, groups, profiles, the contact book, registries, entries of linked lists), and the index has the links in the
// order of the text. Where the index alone leaves several readings, all are tried: the right one has the hash of what
// is lost, so nothing can be made that was not there.
#include "store/remake.h"

#include <stdlib.h>

#include "store/state.h"

enum { TRIES_MAX = 64 };

struct remaking {
    struct store *store;
    const struct hash *hash;
    const struct recipe *recipe;
    enum microdata_form form;
    remake_read read;
    const struct value *id; // NULL where there is none, or it is what is lost
    struct child_rows links;
    struct arena *arena;
    struct value *object; // as far as it is made
    struct object made;
    int tries;
};

// ---- Links ----------------------------------------------------------------------------------------------------------

// The index has each target once, where it is named first. A bag names one several times one after the other, since it
// is sorted; a Someone names its main profile first, and among those of a person.
static void repeat(const struct child_rows *rows, int64_t after_last, bool first, struct child_rows *out)
{
    *out = (struct child_rows){.items = mem_array(rows->count * 2 + 1, sizeof *out->items)};
    for (size_t i = 0; i < rows->count; i++) {
        int64_t next = i + 1 < rows->count ? rows->items[i + 1].ordinal : rows->items[i].ordinal + 1 + after_last;
        int64_t times = next - rows->items[i].ordinal;
        for (int64_t k = 0; k < times && out->count < rows->count * 2; k++)
            out->items[out->count++] = k == 0 || !first ? rows->items[i] : rows->items[0];
    }
}

static bool is_link(const struct value_type *type)
{
    return type->kind >= TYPE_REF_OBJ && type->kind <= TYPE_REF_BLOB;
}

static bool fits(const struct child_row *link, const struct value_type *type)
{
    static const enum link_kind kinds[] = {[TYPE_REF_OBJ] = LINK_OBJECT,
                                           [TYPE_REF_ID] = LINK_ID,
                                           [TYPE_REF_CLOB] = LINK_CLOB,
                                           [TYPE_REF_BLOB] = LINK_BLOB};
    return is_link(type) && link->kind == kinds[type->kind];
}

static bool is_collection(const struct value_type *type)
{
    return type->kind == TYPE_BAG || type->kind == TYPE_ARRAY || type->kind == TYPE_SET;
}

// One list ends where the targets become others, or in a sorted one smaller.
static bool may_end(const struct remaking *r, size_t first, size_t end, bool sorted)
{
    const struct child_row *links = r->links.items;
    return end == first || end == r->links.count || links[end].kind != links[end - 1].kind ||
           links[end].row.type != links[end - 1].row.type ||
           (sorted && hash_compare(&links[end].target, &links[end - 1].target) < 0);
}

// ---- Trying ---------------------------------------------------------------------------------------------------------

static bool try_rules(struct remaking *r, size_t rule, size_t link);

static bool is_it(struct remaking *r)
{
    r->tries++;
    return object_make(r->store->recipes, r->arena, r->object, r->form, &r->made, NULL) == STATUS_OK &&
           hash_eq(&r->made.hash, r->hash);
}

static bool try_without(struct remaking *r, size_t rule, size_t link)
{
    value_remove_member(r->object, r->recipe->rules[rule].itemprop);
    return r->recipe->rules[rule].optional && try_rules(r, rule + 1, link);
}

// What the id object holds; its links are among those of the whole.
static bool try_id(struct remaking *r, size_t rule, size_t link)
{
    const struct rule *property = &r->recipe->rules[rule];
    struct value *v = value_get(r->id, property->itemprop);
    struct hash target;
    if (v == NULL)
        return try_without(r, rule, link);
    value_set_member(r->arena, r->object, property->itemprop, v);
    if (!property->type.has_links)
        return try_rules(r, rule + 1, link);
    return link < r->links.count && fits(&r->links.items[link], &property->type) && value_as_hash(v, &target) &&
           hash_eq(&target, &r->links.items[link].target) && try_rules(r, rule + 1, link + 1);
}

static struct value *list_of(const struct remaking *r, const struct value_type *type, size_t link, size_t end)
{
    struct value *list = type->kind == TYPE_SET ? value_set(r->arena) : value_list(r->arena);
    for (size_t i = link; i < end; i++)
        value_add(r->arena, list, value_hash(r->arena, &r->links.items[i].target));
    return list;
}

static bool try_list(struct remaking *r, size_t rule, size_t link)
{
    const struct rule *property = &r->recipe->rules[rule];
    bool sorted = property->type.kind != TYPE_ARRAY;
    size_t end = link;
    while (end < r->links.count && fits(&r->links.items[end], property->type.item))
        end++;
    for (;; end--) {
        if (may_end(r, link, end, sorted)) {
            value_set_member(r->arena, r->object, property->itemprop, list_of(r, &property->type, link, end));
            if (try_rules(r, rule + 1, end))
                return true;
        }
        if (end == link || r->tries >= TRIES_MAX)
            return try_without(r, rule, link);
    }
}

static bool try_one(struct remaking *r, size_t rule, size_t link)
{
    const struct rule *property = &r->recipe->rules[rule];
    if (link < r->links.count && fits(&r->links.items[link], &property->type)) {
        value_set_member(r->arena, r->object, property->itemprop, value_hash(r->arena, &r->links.items[link].target));
        if (try_rules(r, rule + 1, link + 1))
            return true;
    }
    return try_without(r, rule, link);
}

// A text in an id is one of those that every installation uses.
static bool try_usual(struct remaking *r, size_t rule, size_t link)
{
    static const char *const usual[] = {"default", "me", "one.leute", "ChannelRegistry", "TopicAppRegistry"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        value_set_member(r->arena, r->object, r->recipe->rules[rule].itemprop, value_text(r->arena, usual[i]));
        if (try_rules(r, rule + 1, link))
            return true;
    }
    return try_without(r, rule, link);
}

// ---- Maps -----------------------------------------------------------------------------------------------------------

// What an entry lies under is what its object calls itself, and where that is taken its channel behind it (as
// models/topic_registry.c has it). NULL: it cannot be told.
static struct value *name_of(const struct remaking *r, const struct value *map, const struct hash *target)
{
    struct object o;
    struct span id;
    struct span channel;
    if (r->read(r->store, target, r->arena, &o, NULL) != STATUS_OK || !value_get_string(o.value, "id", &id))
        return NULL;
    if (value_map_get(map, id) == NULL)
        return value_string(r->arena, id);
    return value_get_string(o.value, "channel", &channel)
               ? value_string(r->arena,
                              arena_printf(r->arena, SPAN_FMT "\x1f" SPAN_FMT, SPAN_ARG(id), SPAN_ARG(channel)))
               : NULL;
}

static bool try_named(struct remaking *r, size_t rule, size_t link)
{
    const struct rule *property = &r->recipe->rules[rule];
    struct value *map = value_map(r->arena);
    for (; link < r->links.count && fits(&r->links.items[link], property->type.item); link++) {
        struct value *key = name_of(r, map, &r->links.items[link].target);
        if (key == NULL)
            return false;
        value_append_pair(r->arena, map, key, value_hash(r->arena, &r->links.items[link].target));
    }
    value_set_member(r->arena, r->object, property->itemprop, map);
    return try_rules(r, rule + 1, link);
}

static bool try_entry(struct remaking *r, size_t rule, size_t link, struct value *map);

// The entries from the link on. A list ends where the targets are of another type.
static bool try_entries(struct remaking *r, size_t rule, size_t link, struct value *map)
{
    if (map->map.count < TRIES_MAX && link < r->links.count && try_entry(r, rule, link, map))
        return true;
    value_set_member(r->arena, r->object, r->recipe->rules[rule].itemprop, map);
    return try_rules(r, rule + 1, link);
}

static bool try_entry(struct remaking *r, size_t rule, size_t link, struct value *map)
{
    const struct value_type *type = &r->recipe->rules[rule].type;
    const struct child_row *links = r->links.items;
    size_t first = link + 1;
    size_t end = first;
    if (!fits(&links[link], type->key))
        return false;
    while (end < r->links.count && fits(&links[end], type->item->item) && links[end].row.type == links[first].row.type)
        end++;
    for (;; end--) {
        if (may_end(r, first, end, type->item->kind != TYPE_ARRAY)) {
            size_t before = map->map.count;
            value_append_pair(r->arena, map, value_hash(r->arena, &links[link].target),
                              list_of(r, type->item, first, end));
            if (try_entries(r, rule, end, map))
                return true;
            map->map.count = before;
        }
        if (end == first || r->tries >= TRIES_MAX)
            return false;
    }
}

// ---- Properties -----------------------------------------------------------------------------------------------------

// A map of lists by links, or of links by names.
static bool is_of_links(const struct value_type *type)
{
    if (type->kind == TYPE_MAP && type->key->kind == TYPE_STRING)
        return is_link(type->item);
    if (type->kind == TYPE_MAP)
        return is_link(type->key) && is_collection(type->item) && is_link(type->item->item);
    return is_link(is_collection(type) ? type->item : type);
}

static bool try_map(struct remaking *r, size_t rule, size_t link)
{
    const struct value_type *type = &r->recipe->rules[rule].type;
    if (is_of_links(type) &&
        (type->key->kind == TYPE_STRING ? try_named(r, rule, link) : try_entries(r, rule, link, value_map(r->arena))))
        return true;
    return try_without(r, rule, link);
}

// The properties from the rule on, of the links from the link on.
static bool try_rules(struct remaking *r, size_t rule, size_t link)
{
    bool id = r->form == MICRODATA_ID_OBJECT;
    while (id && rule < r->recipe->rule_count && !r->recipe->rules[rule].is_id)
        rule++;
    if (r->tries >= TRIES_MAX)
        return false;
    if (rule == r->recipe->rule_count)
        return link == r->links.count && is_it(r);
    const struct rule *property = &r->recipe->rules[rule];
    if (property->is_id && !id)
        return try_id(r, rule, link);
    if (id && property->type.kind == TYPE_STRING)
        return try_usual(r, rule, link);
    if (property->type.kind == TYPE_MAP)
        return try_map(r, rule, link);
    if (is_collection(&property->type))
        return try_list(r, rule, link);
    return try_one(r, rule, link);
}

// ---- The whole ------------------------------------------------------------------------------------------------------

static bool has_only_links(const struct recipe *recipe, bool id)
{
    for (size_t i = 0; i < recipe->rule_count; i++) {
        const struct rule *rule = &recipe->rules[i];
        bool needed = id ? rule->is_id : !rule->is_id && !rule->optional;
        if (needed && !is_of_links(&rule->type) && !(id && rule->type.kind == TYPE_STRING))
            return false;
    }
    return true;
}

static bool read_id(struct remaking *r, const struct object_row *row)
{
    struct object id;
    if (!r->recipe->versioned || r->form == MICRODATA_ID_OBJECT)
        return true;
    if (r->read(r->store, &row->id_hash, r->arena, &id, NULL) != STATUS_OK)
        return false;
    r->id = id.value;
    return true;
}

static bool try_links(struct remaking *r, const struct child_rows *rows)
{
    bool made = false;
    for (int64_t way = 0; way < 4 && !made;
         way++) { // is something named again after the last link, and is it the first
        repeat(rows, way % 2, way >= 2, &r->links);
        r->object = value_object(r->arena, r->recipe->name);
        r->tries = 0;
        made = try_rules(r, 0, 0);
        free(r->links.items);
    }
    return made;
}

bool remake_from_links(struct store *s, const struct hash *hash, const struct object_row *row, remake_read read,
                       struct arena *a, struct span *text)
{
    if (row->type == NULL || (row->type->kind != STORE_OBJECT && row->type->kind != STORE_ID_OBJECT))
        return false;
    struct child_rows rows = {0};
    struct remaking r = {.store = s, .hash = hash, .read = read, .arena = arena_create()};
    r.form = row->type->kind == STORE_ID_OBJECT ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT;
    r.recipe = recipes_find(s->recipes, (struct span){row->type->name, row->type->length});
    bool made = r.recipe != NULL && has_only_links(r.recipe, r.form == MICRODATA_ID_OBJECT) && read_id(&r, row) &&
                links_load(s, row->seq, &rows, NULL) == STATUS_OK && try_links(&r, &rows);
    if (made)
        *text = arena_copy(a, r.made.microdata);
    free(rows.items);
    arena_destroy(r.arena);
    return made;
}
