// Looks methods up and checks parameters against the table of methods.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/methods_table.h"

static const char *const node_names[] = {[IPC_ARCHIVE] = "archive", [IPC_SPARSE] = "sparse"};

static const char *const kind_names[] = {
    [IPC_TEXT] = "text",
    [IPC_INT] = "integer",
    [IPC_BOOL] = "true or false",
    [IPC_HASH] = "id of 64 hex digits",
    [IPC_PREFIX] = "id or its first 8 or more digits",
    [IPC_PERSON] = "person: id or its first 8 or more digits, e-mail or name",
    [IPC_PERSONS] = "array of persons, each as id or its first 8 or more digits, e-mail or name",
    [IPC_CHOICE] = "word",
    [IPC_OBJECT] = "object",
    [IPC_ARRAY] = "array",
};

#define TEXT_OF(name) #name,
const char *const IPC_NAME_TEXTS[IPC_NAMES] = {IPC_PARAM_NAMES(TEXT_OF)};

static const struct ipc_param op_id_param = {NAMED(opId), IPC_TEXT, IPC_OPTIONAL, 1, IPC_OP_ID_MAX, NULL, ""};
static const struct ipc_param face_param = {NAMED(face), IPC_BOOL, IPC_OPTIONAL, 0, 0, NULL, ""};
static const struct ipc_param alone_param = {NAMED(alone), IPC_BOOL, IPC_OPTIONAL, 0, 0, NULL, ""};
static const struct ipc_param node_param = {NAMED(node), IPC_CHOICE, IPC_OPTIONAL, 0, 0, "archive|sparse", ""};

static const struct ipc_table *const tables[] = {&IPC_TABLE_SUPERVISOR, &IPC_TABLE_NODES, &IPC_TABLE_INTERNAL};

enum { TABLES = sizeof tables / sizeof *tables };

size_t ipc_method_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLES; i++)
        count += tables[i]->count;
    return count;
}

const struct ipc_method *ipc_method_at(size_t number)
{
    for (size_t i = 0; i < TABLES; number -= tables[i++]->count)
        if (number < tables[i]->count)
            return &tables[i]->rows[number];
    return NULL;
}

size_t ipc_method_number(const struct ipc_method *m)
{
    size_t number = 0;
    while (ipc_method_at(number) != m)
        number++;
    return number;
}

const struct ipc_method *ipc_method_find(const char *name)
{
    for (size_t i = 0; i < TABLES; i++)
        for (size_t k = 0; k < tables[i]->count; k++)
            if (strcmp(tables[i]->rows[k].name, name) == 0)
                return &tables[i]->rows[k];
    return NULL;
}

const char *ipc_node_name(enum ipc_node node)
{
    return node_names[node];
}

bool ipc_node_parse(const char *name, enum ipc_node *node)
{
    for (size_t i = 0; i < sizeof node_names / sizeof *node_names; i++) {
        if (strcmp(node_names[i], name) == 0) {
            *node = (enum ipc_node)i;
            return true;
        }
    }
    return false;
}

const char *ipc_kind_name(enum ipc_kind kind)
{
    return kind_names[kind];
}

const struct ipc_param *ipc_method_param(const struct ipc_method *m, struct span name)
{
    for (const struct ipc_param *p = m->params; p < m->params + IPC_PARAMS_MAX && p->name != NULL; p++)
        if (span_eq_text(name, p->name))
            return p;
    if (m->effect == IPC_MUTATES && span_eq_text(name, op_id_param.name))
        return &op_id_param;
    if (m->site != IPC_NODE || m->caller != IPC_CLIENT)
        return NULL;
    static const struct ipc_param *const common[] = {&node_param, &face_param, &alone_param};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (span_eq_text(name, common[i]->name))
            return common[i];
    return NULL;
}

static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") == len;
}

static bool is_prefix(const char *text, size_t len)
{
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        if (!isxdigit((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
            return false;
        digits += isxdigit((unsigned char)text[i]) != 0;
    }
    return digits >= 8 && digits <= 64;
}

static bool is_person(const char *text, size_t len)
{
    return text != NULL && strlen(text) == len && len > 0 && len <= IPC_NAME_MAX;
}

static bool are_persons(const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (!is_person(json_string_value(item), json_string_length(item)))
            return false;
    }
    return true;
}

static bool is_choice(const char *word, const char *choices)
{
    size_t len = strlen(word);
    for (const char *at = choices; at != NULL; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, word, len) == 0 && (at[len] == '|' || at[len] == '\0') && len > 0)
            return true;
    return false;
}

static bool check_type(const struct ipc_param *p, const json_t *value)
{
    switch (p->kind) {
    case IPC_INT:
        return json_is_integer(value);
    case IPC_BOOL:
        return json_is_boolean(value);
    case IPC_OBJECT:
        return json_is_object(value);
    case IPC_ARRAY:
    case IPC_PERSONS:
        return json_is_array(value);
    case IPC_TEXT:
    case IPC_HASH:
    case IPC_PREFIX:
    case IPC_PERSON:
    case IPC_CHOICE:
        return json_is_string(value);
    }
    return false;
}

static enum status bad(const struct ipc_method *m, const struct ipc_param *p, const char *what, struct error *e)
{
    return error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s: parameter '%s' %s", m->name, p->name, what);
}

static enum status bad_id(const struct ipc_method *m, const struct ipc_param *p, struct error *e)
{
    return error_set(e, STATUS_INVALID, "BAD-ID", "%s: parameter '%s' must be %s%s", m->name, p->name,
                     p->kind == IPC_PERSON ? "a " : "an ", kind_names[p->kind]);
}

// Texts are read up to their end mark: with one inside, less than what was written would count.
static enum status bad_text(const struct ipc_method *m, const struct ipc_param *p, struct error *e)
{
    return error_set(e, STATUS_INVALID, "BAD-TEXT", "%s: parameter '%s' contains the character U+0000", m->name,
                     p->name);
}

static bool has_nul(const json_t *value)
{
    size_t i;
    const char *name;
    json_t *item;
    if (json_is_string(value))
        return strlen(json_string_value(value)) != json_string_length(value);
    json_array_foreach(value, i, item)
    {
        if (has_nul(item))
            return true;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, item)
    {
        if (has_nul(item))
            return true;
    }
    return false;
}

// What users give. Own processes hand on what peers called things, and objects hold what they hold.
static bool may_hold_nul(const struct ipc_method *m, const struct ipc_param *p)
{
    return m->caller == IPC_INTERNAL || p->number == P_object || p->number == P_recipe;
}

static enum status check_range(const struct ipc_method *m, const struct ipc_param *p, int64_t n, const char *unit,
                               struct error *e)
{
    char what[100];
    if (n >= p->min && n <= p->max)
        return STATUS_OK;
    snprintf(what, sizeof what, "must be %lld to %lld%s", (long long)p->min, (long long)p->max, unit);
    return bad(m, p, what, e);
}

enum status ipc_param_check(const struct ipc_method *m, const struct ipc_param *p, const json_t *value, struct error *e)
{
    char what[160];
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    snprintf(what, sizeof what, "must be %s%s", p->kind == IPC_CHOICE ? "one of " : "of type ",
             p->kind == IPC_CHOICE ? p->choices : kind_names[p->kind]);
    if (!check_type(p, value))
        return bad(m, p, what, e);
    if (!may_hold_nul(m, p) && has_nul(value))
        return bad_text(m, p, e);
    switch (p->kind) {
    case IPC_TEXT:
        return strlen(text) == len ? check_range(m, p, (int64_t)len, " bytes", e) : bad_text(m, p, e);
    case IPC_INT:
        return check_range(m, p, json_integer_value(value), "", e);
    case IPC_ARRAY:
        return check_range(m, p, (int64_t)json_array_size(value), " members", e);
    case IPC_HASH:
        return len == 64 && is_hex(text, len) ? STATUS_OK : bad_id(m, p, e);
    case IPC_PREFIX:
        return is_prefix(text, len) ? STATUS_OK : bad_id(m, p, e);
    case IPC_PERSON:
        return is_person(text, len) ? STATUS_OK : bad_id(m, p, e);
    case IPC_PERSONS:
        return are_persons(value) ? check_range(m, p, (int64_t)json_array_size(value), " members", e) : bad_id(m, p, e);
    case IPC_CHOICE:
        return is_choice(text, p->choices) ? STATUS_OK : bad(m, p, what, e);
    case IPC_BOOL:
    case IPC_OBJECT:
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status ipc_method_check(const struct ipc_method *m, const json_t *params, json_t **given, struct error *e)
{
    const char *name;
    json_t *value;
    for (const struct ipc_param *p = m->params; p < m->params + IPC_PARAMS_MAX && p->name != NULL; p++)
        if (p->need == IPC_REQUIRED && json_object_get(params, p->name) == NULL)
            return bad(m, p, "is missing", e);
    json_object_foreach((json_t *)params, name, value)
    {
        const struct ipc_param *p = ipc_method_param(m, span_of(name));
        if (p == NULL)
            return error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s: there is no parameter '%.40s'", m->name, name);
        enum status s = ipc_param_check(m, p, value, e);
        if (s != STATUS_OK)
            return s;
        if (given != NULL)
            given[p->number] = value;
    }
    return STATUS_OK;
}
