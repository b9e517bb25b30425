// A recipe passes through states: unread text, checked object, ready for use or unusable. Each is reached when somebody
// first needs it, since most of the 78 built in never are.
#include "data/microdata.h"
#include "data/recipe_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

enum entry_state { ENTRY_UNREAD, ENTRY_CHECKED, ENTRY_READY, ENTRY_UNUSABLE };

// A registered recipe. A built-in one is read from its text when it is first asked for.
struct entry {
    struct span name;
    struct span microdata;
    const struct value *object;
    enum entry_state state;
    struct recipe recipe;
    struct error error; // why it is unusable
};

struct recipes {
    struct arena *arena;
    struct regexp *regexps;
    struct entry **table; // open addressing by name
    size_t size;          // a power of two
    size_t count;
    struct entry *recipe; // the type Recipe, by which all others are read
};

// The type of Recipe objects, needed to read the first one. Its recorded recipe says the same.
static const struct rule rule_rules[] = {
    {.itemprop = {"itemprop", 8}, .open_tag = {"<span itemprop=\"itemprop\">", 26}},
    {.itemprop = {"optional", 8},
     .type = {.kind = TYPE_BOOLEAN},
     .optional = true,
     .open_tag = {"<span itemprop=\"optional\">", 26}},
    {.itemprop = {"isId", 4},
     .type = {.kind = TYPE_BOOLEAN},
     .optional = true,
     .open_tag = {"<span itemprop=\"isId\">", 22}},
    {.itemprop = {"itemtype", 8},
     .type = {.kind = TYPE_STRINGIFIABLE},
     .optional = true,
     .open_tag = {"<span itemprop=\"itemtype\">", 26}},
    {.itemprop = {"inheritFrom", 11},
     .type = {.kind = TYPE_STRINGIFIABLE},
     .optional = true,
     .open_tag = {"<span itemprop=\"inheritFrom\">", 29}},
};
static const struct value_type text_type = {.kind = TYPE_STRING};
static const struct value_type rule_type = {.kind = TYPE_OBJECT, .rules = rule_rules, .rule_count = 5};
static const struct rule recipe_rules[] = {
    {.itemprop = {"name", 4}, .is_id = true, .open_tag = {"<span itemprop=\"name\">", 22}},
    {.itemprop = {"crdtConfig", 10},
     .type = {.kind = TYPE_MAP, .key = &text_type, .item = &text_type},
     .optional = true,
     .open_tag = {"<dl itemprop=\"crdtConfig\">", 26}},
    {.itemprop = {"rule", 4},
     .type = {.kind = TYPE_ARRAY, .item = &rule_type},
     .open_tag = {"<ol itemprop=\"rule\">", 20}},
};
static const struct recipe recipe_of_recipes = {
    .name = {"Recipe", 6},
    .rules = recipe_rules,
    .rule_count = 3,
    .versioned = true,
    .envelope = {"<div itemscope itemtype=\"//refin.io/Recipe\">", 44},
    .id_envelope = {"<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/Recipe\">", 66},
};

static struct entry **find_slot(const struct recipes *r, struct span name)
{
    size_t i = (size_t)siphash(name) & (r->size - 1); // objects name types as they like
    while (r->table[i] != NULL && !span_eq(r->table[i]->name, name))
        i = (i + 1) & (r->size - 1);
    return &r->table[i];
}

static void grow_table(struct recipes *r)
{
    if (r->size != 0 && r->count * 2 < r->size)
        return;
    struct entry **old = r->table;
    size_t old_size = r->size;
    r->size = old_size != 0 ? old_size * 2 : 256;
    r->table = mem_array(r->size, sizeof(struct entry *));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i] != NULL)
            *find_slot(r, old[i]->name) = old[i];
    }
    free(old);
}

static struct entry *add_entry(struct recipes *r, struct span name)
{
    grow_table(r);
    struct entry *entry = arena_alloc(r->arena, sizeof *entry);
    entry->name = name;
    *find_slot(r, name) = entry;
    r->count++;
    return entry;
}

struct recipes *recipes_create(bool with_models)
{
    struct recipes *r = mem_alloc(sizeof *r);
    r->arena = arena_create();
    for (size_t i = 0; i < recipe_record_count; i++) {
        const struct recipe_record *record = &recipe_records[i];
        if (!record->models || with_models)
            add_entry(r, record->name)->microdata = record->microdata;
    }
    r->recipe = *find_slot(r, recipe_of_recipes.name);
    r->recipe->recipe = recipe_of_recipes;
    r->recipe->state = ENTRY_READY;
    return r;
}

void recipes_destroy(struct recipes *r)
{
    if (r == NULL)
        return;
    regexp_destroy_list(r->regexps);
    arena_destroy(r->arena);
    free(r->table);
    free(r);
}

static struct entry *find_entry(const struct recipes *r, struct span name)
{
    return *find_slot(r, name);
}

static void become_unusable(struct entry *entry, const struct error *e)
{
    entry->state = ENTRY_UNUSABLE;
    entry->error = *e;
}

// Reads the recorded text of a built-in recipe, once.
static void load_object(const struct recipes *r, struct entry *entry)
{
    struct error e = {0};
    struct value *object;
    if (entry->object != NULL || entry->state == ENTRY_UNUSABLE)
        return;
    if (microdata_read(r, r->arena, entry->microdata, MICRODATA_OBJECT, recipe_of_recipes.name, &object, &e) !=
        STATUS_OK) {
        become_unusable(entry, &e);
        return;
    }
    entry->object = object;
    if (entry->state == ENTRY_UNREAD)
        entry->state = ENTRY_CHECKED;
}

const struct value *recipes_object(const struct recipes *r, struct span name)
{
    struct entry *entry = find_entry(r, name);
    if (entry == NULL)
        return NULL;
    load_object(r, entry);
    return entry->object;
}

static void make_ready(const struct recipes *r, struct entry *entry)
{
    struct error e = {0};
    load_object(r, entry);
    if (entry->state != ENTRY_CHECKED)
        return;
    struct recipe_builder b = {r, r->arena, (struct regexp **)&r->regexps};
    if (recipe_build(&b, entry->object, &entry->recipe, &e) == STATUS_OK)
        entry->state = ENTRY_READY;
    else
        become_unusable(entry, &e);
}

enum status recipes_get(const struct recipes *r, struct span name, const struct recipe **out, struct error *e)
{
    struct entry *entry = find_entry(r, name);
    if (entry == NULL)
        return error_set(e, STATUS_NOT_FOUND, "OR-GR1",
                         "the type "
                         "%.*s is not known here",
                         (int)(name.len < 100 ? name.len : 100), name.ptr);
    if (entry->state != ENTRY_READY)
        make_ready(r, entry);
    if (entry->state != ENTRY_READY)
        return error_set(e, entry->error.status, entry->error.code, "%s", entry->error.message);
    *out = &entry->recipe;
    return STATUS_OK;
}

const struct recipe *recipes_find(const struct recipes *r, struct span name)
{
    const struct recipe *recipe = NULL;
    recipes_get(r, name, &recipe, NULL);
    return recipe;
}

enum status recipes_check(const struct recipes *r, const struct value *recipe_object, struct error *e)
{
    struct span name = {0};
    enum status s = recipe_check(recipe_object, e);
    if (s != STATUS_OK)
        return s;
    value_get_string(recipe_object, "name", &name);
    if (find_entry(r, name) != NULL)
        return error_set(e, STATUS_EXISTS, "OR-ADDR1", "there is a recipe " SPAN_FMT " already", SPAN_ARG(name));
    return STATUS_OK;
}

enum status recipes_add(struct recipes *r, const struct value *recipe_object, struct error *e)
{
    enum status s = recipes_check(r, recipe_object, e);
    if (s != STATUS_OK)
        return s;
    struct span name = {0};
    const struct value *object = value_copy(r->arena, recipe_object);
    value_get_string(object, "name", &name);
    struct entry *entry = add_entry(r, name);
    entry->object = object;
    entry->state = ENTRY_CHECKED;
    return STATUS_OK;
}

void recipes_each_builtin(bool models, recipes_visit visit, void *arg)
{
    for (size_t i = 0; i < recipe_record_count; i++) {
        if (recipe_records[i].models == models)
            visit(recipe_records[i].name, recipe_records[i].microdata, arg);
    }
}
