// Inheritance is followed here, at most INHERIT_MAX steps from one recipe to the next. Within an itemtype that was
// itself inherited it is not followed any more (mode.resolve).
#include "data/microdata_tags.h"
#include "data/recipe_internal.h"

#include <string.h>

enum { INHERIT_MAX = 32 }; // rules in one chain of inheritance

#define TAG(text)                                                                                                      \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
#define SCALAR                                                                                                         \
    {                                                                                                                  \
        "span", "", TAG("</span>"), TAG(""), TAG("")                                                                   \
    }
#define REFERENCE(kind)                                                                                                \
    {                                                                                                                  \
        "a", " data-type=\"" kind "\"", TAG("</a>"), TAG("<a data-type=\"" kind "\">"), TAG("</a>")                    \
    }
#define CONTAINER(name)                                                                                                \
    {                                                                                                                  \
        name, "", TAG("</" name ">"), TAG("<" name ">"), TAG("</" name ">")                                            \
    }

const struct microdata_tag microdata_tags[TYPE_OBJECT + 1] = {
    [TYPE_STRING] = SCALAR,
    [TYPE_INTEGER] = SCALAR,
    [TYPE_NUMBER] = SCALAR,
    [TYPE_BOOLEAN] = SCALAR,
    [TYPE_STRINGIFIABLE] = SCALAR,
    [TYPE_REF_OBJ] = REFERENCE("obj"),
    [TYPE_REF_ID] = REFERENCE("id"),
    [TYPE_REF_CLOB] = REFERENCE("clob"),
    [TYPE_REF_BLOB] = REFERENCE("blob"),
    [TYPE_MAP] = CONTAINER("dl"),
    [TYPE_BAG] = CONTAINER("ul"),
    [TYPE_ARRAY] = CONTAINER("ol"),
    [TYPE_SET] = CONTAINER("ul"),
    [TYPE_OBJECT] = CONTAINER("div"),
};

// resolve: whether nested inheritFrom members count. In an itemtype that was itself inherited they do not: such
// properties are strings, which is how peers write them (DATA-MODEL.md 2.4).
struct mode {
    bool resolve;
    size_t chain;
};

static bool is_true(const struct value *v)
{
    return v != NULL && v->kind == VALUE_BOOL && v->boolean;
}

static struct span get_text(const struct value *object, const char *name)
{
    struct span s = {0};
    value_get_string(object, name, &s);
    return s;
}

static const struct value *present(const struct value *object, const char *name)
{
    const struct value *v = value_get(object, span_of(name));
    return v != NULL && v->kind != VALUE_UNDEFINED ? v : NULL;
}

static struct span make_open_tag(struct arena *a, struct span itemprop, enum type_kind kind)
{
    const struct microdata_tag *tag = &microdata_tags[kind];
    struct buf text = {0};
    buf_printf(&text, "<%s itemprop=\"", tag->element);
    buf_add_span(&text, itemprop);
    buf_printf(&text, "\"%s>", tag->attribute);
    struct span copy = arena_copy(a, buf_span(&text));
    buf_free(&text);
    return copy;
}

static enum status build_rule(const struct recipe_builder *b, const struct value *rule, struct mode mode,
                              struct rule *out, struct error *e);

static enum status build_rules(const struct recipe_builder *b, const struct value *list, struct mode mode,
                               const struct rule **out, size_t *count, struct error *e)
{
    struct rule *rules = arena_alloc(b->arena, list->list.count * sizeof *rules);
    for (size_t i = 0; i < list->list.count; i++) {
        enum status s = build_rule(b, list->list.items[i], mode, &rules[i], e);
        if (s != STATUS_OK)
            return s;
    }
    *out = rules;
    *count = list->list.count;
    return STATUS_OK;
}

static enum status build_type(const struct recipe_builder *b, const struct value *type, struct mode mode,
                              struct value_type *out, struct error *e);

static enum status build_part(const struct recipe_builder *b, const struct value *type, const char *part,
                              struct mode mode, const struct value_type **out, struct error *e)
{
    struct value_type *t = arena_alloc(b->arena, sizeof *t);
    *out = t;
    return build_type(b, present(type, part), mode, t, e);
}

static void build_allowed(const struct recipe_builder *b, const struct value *names, struct value_type *out)
{
    struct span *list = arena_alloc(b->arena, names->list.count * sizeof *list);
    for (size_t i = 0; i < names->list.count; i++)
        list[i] = names->list.items[i]->string;
    out->allowed_types = list;
    out->allowed_count = names->list.count;
}

static const struct regexp *build_regexp(const struct recipe_builder *b, const struct value *regexp)
{
    if (regexp == NULL || (regexp->kind != VALUE_STRING && regexp->kind != VALUE_REGEXP))
        return NULL;
    return regexp_create(regexp->string, b->regexps);
}

static bool find_links(const struct value_type *type)
{
    bool found = type->kind >= TYPE_REF_OBJ && type->kind <= TYPE_REF_BLOB;
    found = found || (type->key != NULL && type->key->has_links) || (type->item != NULL && type->item->has_links);
    for (size_t i = 0; i < type->rule_count && !found; i++)
        found = type->rules[i].type.has_links;
    return found;
}

static enum status build_type(const struct recipe_builder *b, const struct value *type, struct mode mode,
                              struct value_type *out, struct error *e)
{
    enum status s = STATUS_OK;
    type_kind_parse(get_text(type, "type"), &out->kind);
    switch (out->kind) {
    case TYPE_STRING:
        out->regexp = build_regexp(b, present(type, "regexp"));
        break;
    case TYPE_REF_OBJ:
    case TYPE_REF_ID:
        build_allowed(b, present(type, "allowedTypes"), out);
        break;
    case TYPE_MAP:
        s = build_part(b, type, "key", mode, &out->key, e);
        if (s == STATUS_OK)
            s = build_part(b, type, "value", mode, &out->item, e);
        break;
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        s = build_part(b, type, "item", mode, &out->item, e);
        break;
    case TYPE_OBJECT:
        s = build_rules(b, present(type, "rules"), mode, &out->rules, &out->rule_count, e);
        break;
    default:
        break;
    }
    out->has_links = find_links(out);
    return s;
}

// Splits "Type.itemprop.ignored".
static void split_target(struct span target, struct span *type, struct span *itemprop)
{
    const char *dot = memchr(target.ptr, '.', target.len);
    *type = (struct span){target.ptr, (size_t)(dot - target.ptr)};
    *itemprop = span_from(target, type->len + 1);
    const char *second = memchr(itemprop->ptr, '.', itemprop->len);
    if (second != NULL)
        itemprop->len = (size_t)(second - itemprop->ptr);
}

static const struct value *find_rule(const struct value *recipe, struct span itemprop)
{
    const struct value *rules = value_get(recipe, SPAN("rule"));
    for (size_t i = 0; i < rules->list.count; i++) {
        if (span_eq(get_text(rules->list.items[i], "itemprop"), itemprop))
            return rules->list.items[i];
    }
    return NULL;
}

static enum status inherit(const struct recipe_builder *b, struct span target, struct mode mode, struct rule *out,
                           struct error *e)
{
    struct span type;
    struct span itemprop;
    split_target(target, &type, &itemprop);
    const struct value *recipe = recipes_object(b->recipes, type);
    if (recipe == NULL)
        return error_set(e, STATUS_NOT_FOUND, "OR-GR1", "a recipe inherits from the unknown type " SPAN_FMT,
                         SPAN_ARG(type));
    const struct value *rule = find_rule(recipe, itemprop);
    if (rule == NULL || mode.chain >= INHERIT_MAX)
        return error_set(e, STATUS_INVALID, "OR-GR01", "a recipe inherits from " SPAN_FMT ", which cannot be resolved",
                         SPAN_ARG(target));
    struct value_type own = {.kind = TYPE_STRING};
    const struct value *from = present(rule, "inheritFrom");
    if (from != NULL)
        return build_rule(b, rule, (struct mode){true, mode.chain + 1}, out, e);
    const struct value *itemtype = present(rule, "itemtype");
    out->type = own;
    out->optional = is_true(present(rule, "optional"));
    if (itemtype == NULL)
        return STATUS_OK;
    return build_type(b, itemtype, (struct mode){false, mode.chain + 1}, &out->type, e);
}

static enum status extract(const struct value *from, struct value_type *type, struct error *e)
{
    bool is_list = type->kind == TYPE_BAG || type->kind == TYPE_ARRAY || type->kind == TYPE_SET;
    if (from->kind != VALUE_OBJECT || !is_list)
        return STATUS_OK;
    if (span_eq_text(get_text(from, "extract"), "MapItemType"))
        return error_set(e, STATUS_INVALID, "OR-RSRI2", "a recipe takes the map item type of something that is no map");
    struct value_type item = *type->item;
    *type = item;
    return STATUS_OK;
}

static enum status build_rule(const struct recipe_builder *b, const struct value *rule, struct mode mode,
                              struct rule *out, struct error *e)
{
    enum status s = STATUS_OK;
    const struct value *from = mode.resolve ? present(rule, "inheritFrom") : NULL;
    const struct value *itemtype = present(rule, "itemtype");
    const struct value *optional = present(rule, "optional");
    if (from != NULL) {
        s = inherit(b, from->kind == VALUE_STRING ? from->string : get_text(from, "rule"), mode, out, e);
        mode.resolve = false;
    }
    if (s == STATUS_OK && itemtype != NULL) {
        out->type = (struct value_type){.kind = TYPE_STRING};
        s = build_type(b, itemtype, mode, &out->type, e);
    }
    if (s == STATUS_OK && from != NULL)
        s = extract(from, &out->type, e);
    if (s != STATUS_OK)
        return s;
    if (optional != NULL)
        out->optional = is_true(optional);
    out->is_id = is_true(present(rule, "isId"));
    out->inherited = from != NULL && itemtype == NULL;
    out->itemprop = get_text(rule, "itemprop");
    out->open_tag = make_open_tag(b->arena, out->itemprop, out->type.kind);
    return STATUS_OK;
}

static void build_crdt(const struct recipe_builder *b, const struct value *config, struct recipe *out)
{
    if (config == NULL || config->kind != VALUE_MAP)
        return;
    struct crdt_entry *entries = arena_alloc(b->arena, config->map.count * sizeof *entries);
    for (size_t i = 0; i < config->map.count; i++) {
        const struct value_pair *p = &config->map.pairs[i];
        if (p->key->kind == VALUE_STRING && p->value->kind == VALUE_STRING)
            entries[out->crdt_count++] = (struct crdt_entry){p->key->string, p->value->string};
    }
    out->crdt = entries;
}

enum status recipe_build(const struct recipe_builder *b, const struct value *object, struct recipe *out,
                         struct error *e)
{
    struct recipe recipe = {.name = get_text(object, "name")};
    enum status s =
        build_rules(b, value_get(object, SPAN("rule")), (struct mode){true, 0}, &recipe.rules, &recipe.rule_count, e);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < recipe.rule_count; i++)
        recipe.versioned = recipe.versioned || recipe.rules[i].is_id;
    build_crdt(b, present(object, "crdtConfig"), &recipe);
    recipe.envelope =
        arena_printf(b->arena, "<div itemscope itemtype=\"//refin.io/" SPAN_FMT "\">", SPAN_ARG(recipe.name));
    recipe.id_envelope =
        arena_printf(b->arena, "<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/" SPAN_FMT "\">",
                     SPAN_ARG(recipe.name));
    *out = recipe;
    return STATUS_OK;
}
