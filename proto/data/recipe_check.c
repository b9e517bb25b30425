// The shape alone: whether what a recipe inherits from is there shows when it is built. Names stand in tags and paths
// without being escaped, so those that would need it are refused.
#include <math.h>

#include "data/recipe_internal.h"

static const struct {
    const char *name;
    enum type_kind kind;
} kinds[] = {
    {"string", TYPE_STRING},
    {"integer", TYPE_INTEGER},
    {"number", TYPE_NUMBER},
    {"boolean", TYPE_BOOLEAN},
    {"stringifiable", TYPE_STRINGIFIABLE},
    {"referenceToObj", TYPE_REF_OBJ},
    {"referenceToId", TYPE_REF_ID},
    {"referenceToClob", TYPE_REF_CLOB},
    {"referenceToBlob", TYPE_REF_BLOB},
    {"map", TYPE_MAP},
    {"bag", TYPE_BAG},
    {"array", TYPE_ARRAY},
    {"set", TYPE_SET},
    {"object", TYPE_OBJECT},
};

bool type_kind_parse(struct span name, enum type_kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (span_eq_text(name, kinds[i].name)) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static enum status refuse(struct error *e, const char *code, const char *what)
{
    return error_set(e, STATUS_INVALID, code, "the recipe is not usable: %s", what);
}

// The length of the JavaScript white space at the start of s, 0 if there is none.
static size_t white_space(struct span s)
{
    static const char *const wide[] = {
        "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84",
        "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
        "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF",
    };
    if (s.ptr[0] == ' ' || (s.ptr[0] >= '\t' && s.ptr[0] <= '\r'))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        struct span w = span_of(wide[i]);
        if (span_starts_with(s, w))
            return w.len;
    }
    return 0;
}

// Names stand unescaped in tags and in dotted paths.
static bool name_is_plain(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '<' || c == '>' || c == '.' || white_space(span_from(name, i)) != 0)
            return false;
    }
    return true;
}

static bool json_escapes(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool surrogate = c == 0xED && i + 1 < name.len && (unsigned char)name.ptr[i + 1] >= 0xA0;
        if (c == '"' || c == '\\' || c < 0x20 || surrogate)
            return true;
    }
    return false;
}

static const struct value *present(const struct value *object, const char *name)
{
    const struct value *v = value_get(object, span_of(name));
    return v != NULL && v->kind != VALUE_UNDEFINED ? v : NULL;
}

static bool is_type_name_list(const struct value *v)
{
    if (v == NULL || (v->kind != VALUE_SET && v->kind != VALUE_LIST))
        return false;
    for (size_t i = 0; i < v->list.count; i++) {
        if (v->list.items[i]->kind != VALUE_STRING)
            return false;
    }
    return true;
}

static bool is_bound(const struct value *v, bool integer)
{
    return v == NULL || (v->kind == VALUE_NUMBER && (!integer || v->number == floor(v->number)));
}

static enum status check_bounds(const struct value *type, bool integer, struct error *e)
{
    const struct value *min = present(type, "min");
    const struct value *max = present(type, "max");
    if (!is_bound(min, integer) || !is_bound(max, integer))
        return refuse(e, integer ? "URC-ERECI30-B" : "URC-ERECI30-D", "min or max is not a number of the type");
    if (min != NULL && max != NULL && max->number <= min->number)
        return refuse(e, integer ? "URC-ERECI30-A" : "URC-ERECI30-C", "max is not greater than min");
    return STATUS_OK;
}

static enum status check_rule(const struct value *rule, size_t depth, struct error *e);

static enum status check_rules(const struct value *rules, size_t depth, struct error *e)
{
    if (rules == NULL || rules->kind != VALUE_LIST || rules->list.count == 0)
        return refuse(e, "URC-ERECI23", "a nested object needs a list of rules");
    for (size_t i = 0; i < rules->list.count; i++) {
        enum status s = check_rule(rules->list.items[i], depth, e);
        if (s != STATUS_OK)
            return s;
        struct span name = {0};
        value_get_string(rules->list.items[i], "itemprop", &name);
        for (size_t k = 0; k < i; k++) {
            struct span other = {0};
            if (value_get_string(rules->list.items[k], "itemprop", &other) && span_eq(name, other))
                return refuse(e, "URC-CIT1", "a nested object has a property twice");
        }
    }
    return STATUS_OK;
}

static enum status check_type(const struct value *type, size_t depth, struct error *e);

static enum status check_part(const struct value *type, const char *part, size_t depth, struct error *e)
{
    const struct value *v = present(type, part);
    if (v == NULL)
        return refuse(e, "URC-ERECI31", "a map needs key and value, a list needs item");
    return check_type(v, depth, e);
}

static enum status check_map(const struct value *type, size_t depth, struct error *e)
{
    struct span name;
    enum type_kind kind;
    enum status s = check_part(type, "key", depth, e);
    if (s == STATUS_OK)
        s = check_part(type, "value", depth, e);
    if (s != STATUS_OK)
        return s;
    value_get_string(present(type, "key"), "type", &name);
    if (!type_kind_parse(name, &kind) || kind >= TYPE_MAP || kind == TYPE_STRINGIFIABLE)
        return refuse(e, "URC-ERECI31", "this type cannot be the key of a map");
    return STATUS_OK;
}

static enum status check_type(const struct value *type, size_t depth, struct error *e)
{
    struct span name = {0};
    enum type_kind kind;
    if (depth >= RECIPE_MAX_DEPTH)
        return error_set(e, STATUS_TOO_BIG, "RECIPE-TOO-DEEP", "the types of the recipe are nested too deeply");
    if (!value_get_string(type, "type", &name) || !type_kind_parse(name, &kind))
        return refuse(e, "URC-ERECI19", "an itemtype is unknown");
    switch (kind) {
    case TYPE_STRING:
        return STATUS_OK;
    case TYPE_INTEGER:
    case TYPE_NUMBER:
        return check_bounds(type, kind == TYPE_INTEGER, e);
    case TYPE_BOOLEAN:
    case TYPE_STRINGIFIABLE:
    case TYPE_REF_CLOB:
    case TYPE_REF_BLOB:
        return type->object.count == 1 ? STATUS_OK : refuse(e, "URC-ERECI33", "a simple type has further members");
    case TYPE_REF_OBJ:
    case TYPE_REF_ID:
        if (!is_type_name_list(present(type, "allowedTypes")))
            return refuse(e, "URC-ERECI14", "allowedTypes is not a set of type names");
        return STATUS_OK;
    case TYPE_MAP:
        return check_map(type, depth + 1, e);
    case TYPE_BAG:
    case TYPE_ARRAY:
    case TYPE_SET:
        return check_part(type, "item", depth + 1, e);
    case TYPE_OBJECT:
        return check_rules(present(type, "rules"), depth + 1, e);
    }
    return STATUS_INTERNAL;
}

static bool has_dot(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.')
            return true;
    }
    return false;
}

static enum status check_inherit(const struct value *from, struct error *e)
{
    struct span target;
    struct span extract;
    if (from->kind == VALUE_STRING)
        return has_dot(from->string) ? STATUS_OK : refuse(e, "URC-ERECI27", "inheritFrom names no property");
    if (!value_get_string(from, "rule", &target) || !has_dot(target) || !value_get_string(from, "extract", &extract) ||
        (!span_eq_text(extract, "CollectionItemType") && !span_eq_text(extract, "MapItemType")))
        return refuse(e, "URC-ERECI28", "inheritFrom has no usable rule and extract");
    return STATUS_OK;
}

static bool is_rule_member(struct span name)
{
    static const char *const members[] = {"itemprop", "itemtype", "optional", "isId", "inheritFrom"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (span_eq_text(name, members[i]))
            return true;
    }
    return false;
}

static enum status check_rule(const struct value *rule, size_t depth, struct error *e)
{
    struct span name;
    if (rule->kind != VALUE_OBJECT)
        return refuse(e, "URC-ERECI1", "a rule is not an object");
    if (depth != 0 && value_get(rule, SPAN("isId")) != NULL)
        return refuse(e, "URC-ERECI2", "a nested rule cannot have isId");
    for (size_t i = 0; i < rule->object.count; i++) {
        if (!is_rule_member(rule->object.members[i].name))
            return refuse(e, "URC-ERECI3", "a rule has an unknown member");
    }
    if (!value_get_string(rule, "itemprop", &name))
        return refuse(e, "URC-ERECI4", "a rule has no itemprop");
    if (!name_is_plain(name))
        return refuse(e, "URC-ERECI8", "an itemprop holds a character that is not allowed");
    const struct value *type = present(rule, "itemtype");
    const struct value *from = present(rule, "inheritFrom");
    enum status s = type != NULL ? check_type(type, depth, e) : STATUS_OK;
    if (s == STATUS_OK && from != NULL)
        s = check_inherit(from, e);
    return s;
}

enum status recipe_check(const struct value *object, struct error *e)
{
    struct span name;
    if (object->kind != VALUE_OBJECT)
        return refuse(e, "URC-ERCP1", "it is not an object");
    if (!span_eq_text(object->object.type, "Recipe"))
        return refuse(e, "URC-ERCP2", "it is no Recipe object");
    if (!value_get_string(object, "name", &name) || name.len == 0 || !name_is_plain(name) || json_escapes(name))
        return refuse(e, "URC-ERCP3", "the name is missing or holds a character that is not allowed");
    const struct value *rules = present(object, "rule");
    if (rules == NULL || rules->kind != VALUE_LIST)
        return refuse(e, "URC-ERCP4", "rule is not a list");
    for (size_t i = 0; i < rules->list.count; i++) {
        enum status s = check_rule(rules->list.items[i], 0, e);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}
