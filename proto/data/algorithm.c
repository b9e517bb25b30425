// Of the entries of a crdtConfig an exact path beats every pattern, and one that names the kind of the value beats one
// that does not (rank). An algorithm that is unknown or unfit makes merging fail, as in the reference.
#include "data/algorithm.h"

#include <string.h>

static const struct {
    const char *name; // of the kind, in crdtConfig
    enum algorithm algorithm;
} by_kind[] = {
    [TYPE_STRING] = {"string", ALGORITHM_REGISTER},
    [TYPE_INTEGER] = {"integer", ALGORITHM_REGISTER},
    [TYPE_NUMBER] = {"number", ALGORITHM_REGISTER},
    [TYPE_BOOLEAN] = {"boolean", ALGORITHM_REGISTER},
    [TYPE_STRINGIFIABLE] = {"stringifiable", ALGORITHM_REGISTER},
    [TYPE_REF_OBJ] = {"referenceToObj", ALGORITHM_REFERENCE},
    [TYPE_REF_ID] = {"referenceToId", ALGORITHM_REGISTER},
    [TYPE_REF_CLOB] = {"referenceToClob", ALGORITHM_REGISTER},
    [TYPE_REF_BLOB] = {"referenceToBlob", ALGORITHM_REGISTER},
    [TYPE_MAP] = {"map", ALGORITHM_PARTS},
    [TYPE_BAG] = {"bag", ALGORITHM_SET},
    [TYPE_ARRAY] = {"array", ALGORITHM_SET},
    [TYPE_SET] = {"set", ALGORITHM_SET},
    [TYPE_OBJECT] = {"object", ALGORITHM_PARTS},
};

static const struct {
    const char *name;
    enum algorithm algorithm;
} by_name[] = {
    {"Register", ALGORITHM_REGISTER},
    {"Set", ALGORITHM_SET},
    {"ReferenceToObj", ALGORITHM_REFERENCE},
    {"OptionalValue", ALGORITHM_OPTIONAL},
    {"LinkedListCrdtAlgorithm", ALGORITHM_LIST},
};

static struct span next_part(struct span *rest, bool *last)
{
    const char *dot = rest->len != 0 ? memchr(rest->ptr, '.', rest->len) : NULL;
    struct span part = {rest->ptr, dot != NULL ? (size_t)(dot - rest->ptr) : rest->len};
    *last = dot == NULL;
    *rest = span_from(*rest, *last ? part.len : part.len + 1);
    return part;
}

// text is name "#" kind, or just name where kind is NULL.
static bool is_key(struct span text, struct span name, const char *kind)
{
    if (kind == NULL)
        return span_eq(text, name);
    return text.len == name.len + 1 + strlen(kind) && span_starts_with(text, name) && text.ptr[name.len] == '#' &&
           span_eq_text(span_from(text, name.len + 1), kind);
}

static int rank_last(struct span part, struct span name, const char *kind)
{
    if (is_key(part, name, kind))
        return 4;
    if (is_key(part, SPAN("*"), kind))
        return 3;
    if (is_key(part, name, NULL))
        return 2;
    return is_key(part, SPAN("*"), NULL) ? 1 : 0;
}

static int rank(struct span pattern, struct span path, const char *kind)
{
    for (;;) {
        bool pattern_ends;
        bool path_ends;
        struct span want = next_part(&pattern, &pattern_ends);
        struct span have = next_part(&path, &path_ends);
        if (pattern_ends != path_ends)
            return 0;
        if (path_ends)
            return rank_last(want, have, kind);
        if (!span_eq(want, have) && !span_eq_text(want, "*"))
            return 0;
    }
}

// The configured name, or the empty span. An exact match beats every pattern.
static struct span configured(const struct recipe *r, struct span path, const char *kind)
{
    enum { WITH_KIND = 6, WITHOUT_KIND = 5 };
    struct span best = {0};
    int best_rank = 0;
    for (size_t i = 0; i < r->crdt_count; i++) {
        struct span key = r->crdt[i].path;
        int n = is_key(key, path, kind) ? WITH_KIND : is_key(key, path, NULL) ? WITHOUT_KIND : rank(key, path, kind);
        if (n > best_rank) {
            best_rank = n;
            best = r->crdt[i].algorithm;
        }
    }
    return best;
}

static enum status find(const struct recipe *r, struct span path, const char *kind, enum algorithm normal,
                        enum algorithm *out, struct error *e)
{
    *out = normal;
    struct span name = configured(r, path, kind);
    if (name.len == 0)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof by_name / sizeof *by_name; i++) {
        if (span_eq_text(name, by_name[i].name)) {
            *out = by_name[i].algorithm;
            return STATUS_OK;
        }
    }
    return error_set(e, STATUS_CONFLICT, "MERGE-FAILED",
                     "the recipe " SPAN_FMT " names the unknown algorithm " SPAN_FMT, SPAN_ARG(r->name),
                     SPAN_ARG(name));
}

static enum status wrong_use(const struct recipe *r, struct span path, struct error *e)
{
    return error_set(e, STATUS_CONFLICT, "MERGE-FAILED",
                     "the recipe " SPAN_FMT " names an unfit algorithm for " SPAN_FMT, SPAN_ARG(r->name),
                     SPAN_ARG(path));
}

enum status algorithm_of_value(const struct recipe *recipe, struct span path, enum type_kind kind, enum algorithm *out,
                               struct error *e)
{
    enum status status = find(recipe, path, by_kind[kind].name, by_kind[kind].algorithm, out, e);
    return status == STATUS_OK && *out == ALGORITHM_OPTIONAL ? wrong_use(recipe, path, e) : status;
}

enum status algorithm_check_existence(const struct recipe *recipe, struct span path, bool map_entry, struct error *e)
{
    enum algorithm found;
    enum status status = find(recipe, path, map_entry ? "mapEntry" : "objectProperty", ALGORITHM_OPTIONAL, &found, e);
    return status == STATUS_OK && found != ALGORITHM_OPTIONAL ? wrong_use(recipe, path, e) : status;
}

bool algorithm_only_lists(const struct recipe *recipe)
{
    bool any = false;
    for (size_t i = 0; i < recipe->rule_count; i++) {
        const struct rule *rule = &recipe->rules[i];
        enum algorithm found;
        if (rule->is_id)
            continue;
        if (!rule->optional || rule->type.kind != TYPE_REF_OBJ ||
            algorithm_check_existence(recipe, rule->itemprop, false, NULL) != STATUS_OK ||
            algorithm_of_value(recipe, rule->itemprop, TYPE_REF_OBJ, &found, NULL) != STATUS_OK ||
            found != ALGORITHM_LIST)
            return false;
        any = true;
    }
    return any;
}
