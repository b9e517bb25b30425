// Maps, sets and objects are put together part by part. For a single value what decides is who set it last, by the
// order of versions that only one side has; clocks come after that.
#include "data/combine.h"

#include "data/combine_internal.h"
#include "data/lookup.h"
#include "data/number.h"

static bool is_parts(const struct value *v)
{
    return v != NULL && (v->kind == VALUE_MAP || v->kind == VALUE_OBJECT);
}

// ---- Single values --------------------------------------------------------------------------------------------------

// The later of the versions that only one side has and that made it so; 0 = none.
static size_t last_set(const struct combine_versions *versions, const struct value *to)
{
    size_t rank = 0;
    for (size_t i = 0; i < versions->count; i++) {
        const struct combine_version *v = &versions->items[i];
        if (v->rank > rank && combine_is_same(v->value, to) && !combine_is_same(v->before, to))
            rank = v->rank;
    }
    return rank;
}

static bool is_in_base(const struct place *p, const struct value *v)
{
    for (size_t i = 0; i < p->all.base_count; i++)
        if (combine_is_same(p->all.bases[i], v))
            return true;
    return false;
}

// Where none of the versions that were looked at set either: who is not as it was before; then, of versions that both
// have, the later; then what is there.
static bool first_counts(const struct place *p)
{
    bool first_is_old = is_in_base(p, p->first);
    bool second_is_old = is_in_base(p, p->second);
    if (first_is_old != second_is_old)
        return second_is_old;
    size_t first = last_set(&p->all.common, p->first);
    size_t second = last_set(&p->all.common, p->second);
    return first != second ? first > second : p->first != NULL;
}

// Something that is neither of the two, nor what it was, has grown of both.
static bool is_lost(const struct place *p, const struct value *v, const struct value *other)
{
    return !combine_is_same(p->made, v) && (combine_is_same(p->made, other) || is_in_base(p, p->made));
}

static struct value *choose(const struct place *p)
{
    size_t first = last_set(&p->all.first, p->first);
    size_t second = last_set(&p->all.second, p->second);
    bool first_wins = first != second ? first > second : first_counts(p);
    bool first_lost = first != 0 && (p->judging ? is_lost(p, p->first, p->second) : !first_wins);
    bool second_lost = second != 0 && (p->judging ? is_lost(p, p->second, p->first) : first_wins);
    if (first_lost)
        combine_tell(p, p->first, true);
    if (second_lost)
        combine_tell(p, p->second, false);
    return first_wins ? p->first : p->second;
}

// ---- Maps and objects -----------------------------------------------------------------------------------------------

static size_t part_count(const struct value *v)
{
    if (!is_parts(v))
        return 0;
    return v->kind == VALUE_MAP ? v->map.count : v->object.count;
}

// The value of the part that is called as the i-th of names.
static struct value *part_of(const struct value *v, const struct value *names, size_t i)
{
    if (!is_parts(v) || v->kind != names->kind)
        return NULL;
    if (v->kind == VALUE_OBJECT)
        return value_get(v, names->object.members[i].name);
    for (size_t k = 0; k < v->map.count; k++)
        if (value_eq(v->map.pairs[k].key, names->map.pairs[i].key))
            return v->map.pairs[k].value;
    return NULL;
}

static const struct value **parts_of_all(struct arena *a, const struct value *const *values, size_t count,
                                         const struct value *names, size_t i)
{
    const struct value **parts = arena_alloc(a, (count + 1) * sizeof *parts);
    for (size_t k = 0; k < count; k++)
        parts[k] = part_of(values[k], names, i);
    return parts;
}

static struct combine_versions parts_of(struct arena *a, const struct combine_versions *versions,
                                        const struct value *names, size_t i)
{
    struct combine_version *items = arena_alloc(a, (versions->count + 1) * sizeof *items);
    for (size_t k = 0; k < versions->count; k++) {
        items[k] = versions->items[k];
        items[k].value = part_of(items[k].value, names, i);
        items[k].before = part_of(items[k].before, names, i);
    }
    return (struct combine_versions){items, versions->count};
}

static struct span number_name(struct arena *a, double n)
{
    char text[NUMBER_TEXT];
    return arena_copy(a, (struct span){text, number_write(n, text)});
}

static struct span name_of(struct arena *a, const struct value *names, size_t i)
{
    if (names->kind == VALUE_OBJECT)
        return names->object.members[i].name;
    const struct value *key = names->map.pairs[i].key;
    if (key->kind == VALUE_STRING)
        return key->string;
    if (key->kind == VALUE_NUMBER)
        return number_name(a, key->number);
    return key->kind == VALUE_BOOL && key->boolean ? SPAN("true") : SPAN("false");
}

static struct value *combine(const struct place *p);

static struct value *combine_part(const struct place *p, const struct value *names, size_t i)
{
    struct arena *a = p->all.arena;
    struct place part = {.all = p->all,
                         .first = part_of(p->first, names, i),
                         .second = part_of(p->second, names, i),
                         .made = part_of(p->made, names, i),
                         .judging = p->judging};
    if (combine_is_same(part.first, part.second))
        return part.first;
    part.path = lookup_join(a, p->path, name_of(a, names, i));
    part.all.bases = parts_of_all(a, p->all.bases, p->all.base_count, names, i);
    part.all.first = parts_of(a, &p->all.first, names, i);
    part.all.second = parts_of(a, &p->all.second, names, i);
    part.all.common = parts_of(a, &p->all.common, names, i);
    return combine(&part);
}

static void add_part(const struct place *p, const struct value *names, size_t i, struct value *out)
{
    struct value *value = combine_part(p, names, i);
    if (value == NULL)
        return;
    if (out->kind == VALUE_MAP)
        value_append_pair(p->all.arena, out, names->map.pairs[i].key, value);
    else
        value_append_member(p->all.arena, out, names->object.members[i].name, value);
}

static struct value *join_parts(const struct place *p)
{
    const struct value *kind = p->first != NULL ? p->first : p->second;
    struct value *out =
        kind->kind == VALUE_MAP ? value_map(p->all.arena) : value_object(p->all.arena, kind->object.type);
    for (size_t i = 0; i < part_count(p->first); i++)
        add_part(p, p->first, i, out);
    for (size_t i = 0; i < part_count(p->second); i++)
        if (part_of(p->first, p->second, i) == NULL)
            add_part(p, p->second, i, out);
    return part_count(out) == 0 && (p->first == NULL || p->second == NULL) ? NULL : out;
}

// ---- Any value ------------------------------------------------------------------------------------------------------

static bool is_untouched(const struct place *p, const struct value *v, const struct combine_versions *versions)
{
    for (size_t i = 0; i < p->all.base_count; i++)
        if (!combine_is_same(p->all.bases[i], v))
            return false;
    for (size_t i = 0; i < versions->count; i++)
        if (!combine_is_same(versions->items[i].value, versions->items[i].before))
            return false;
    return p->all.base_count != 0;
}

static bool are(bool (*is)(const struct value *), const struct place *p)
{
    return (p->first == NULL || is(p->first)) && (p->second == NULL || is(p->second));
}

// An object is there as a whole or not at all: some of its members must not be missing.
static bool is_whole(const struct place *p)
{
    const struct value *v = p->first != NULL ? p->first : p->second;
    return (p->first == NULL || p->second == NULL) && v->kind == VALUE_OBJECT;
}

static struct value *combine(const struct place *p)
{
    bool one_kind = p->first == NULL || p->second == NULL || p->first->kind == p->second->kind;
    if (combine_is_same(p->first, p->second))
        return p->first;
    if (!one_kind || is_whole(p))
        return choose(p);
    bool is_list = are(combine_is_items, p);
    if (!is_list && !are(is_parts, p))
        return choose(p);
    if (!p->judging && is_untouched(p, p->first, &p->all.first))
        return p->second;
    if (!p->judging && is_untouched(p, p->second, &p->all.second))
        return p->first;
    return is_list ? combine_items(p) : join_parts(p);
}

struct value *combine_values(const struct combining *c, struct value *first, struct value *second)
{
    return combine(&(struct place){.all = *c, .first = first, .second = second});
}

void combine_find_lost(const struct combining *c, struct value *first, struct value *second, struct value *made)
{
    (void)combine(&(struct place){.all = *c, .first = first, .second = second, .made = made, .judging = true});
}
