#include "data/combine.h"

struct place { // one thing as everybody has it; values are NULL where it is missing
    struct combining all;
    struct value *ours;
    struct value *theirs;
};

static bool is_same(const struct value *a, const struct value *b)
{
    return a == b || (a != NULL && b != NULL && value_eq(a, b));
}

static bool is_items(const struct value *v)
{
    return v != NULL && (v->kind == VALUE_LIST || v->kind == VALUE_SET);
}

static bool is_parts(const struct value *v)
{
    return v != NULL && (v->kind == VALUE_MAP || v->kind == VALUE_OBJECT);
}

// ---- Single values --------------------------------------------------------------------------------------------------

static size_t last_set(const struct combine_versions *versions, const struct value *to)
{
    size_t rank = 0;
    for (size_t i = 0; i < versions->count; i++) {
        const struct combine_version *v = &versions->items[i];
        if (v->rank > rank && is_same(v->value, to) && !is_same(v->before, to))
            rank = v->rank;
    }
    return rank;
}

static struct value *choose(const struct place *p)
{
    size_t ours = last_set(&p->all.mine, p->ours);
    size_t theirs = last_set(&p->all.other, p->theirs);
    if (ours == theirs) // nobody set it: of what is known of these histories
        return p->ours != NULL ? p->ours : p->theirs;
    return ours > theirs ? p->ours : p->theirs;
}

// ---- Lists and sets -------------------------------------------------------------------------------------------------

static bool has_item(const struct value *list, const struct value *item)
{
    for (size_t i = 0; is_items(list) && i < list->list.count; i++)
        if (value_eq(list->list.items[i], item))
            return true;
    return false;
}

static size_t last_put(const struct combine_versions *versions, const struct value *item, bool in)
{
    size_t rank = 0;
    for (size_t i = 0; i < versions->count; i++) {
        const struct combine_version *v = &versions->items[i];
        if (v->rank > rank && has_item(v->value, item) == in && has_item(v->before, item) != in)
            rank = v->rank;
    }
    return rank;
}

// Of an item that only one side has.
static bool stays(const struct place *p, const struct value *item, const struct combine_versions *with,
                  const struct combine_versions *without)
{
    size_t put = last_put(with, item, true);
    size_t taken = last_put(without, item, false);
    bool was_common = false;
    for (size_t k = 0; k < p->all.common_count && !was_common; k++)
        was_common = has_item(p->all.common[k], item);
    return put != taken ? put > taken : !was_common;
}

static void add_items(const struct place *p, const struct value *from, const struct value *other, struct value *out)
{
    const struct combine_versions *with = from == p->ours ? &p->all.mine : &p->all.other;
    const struct combine_versions *without = from == p->ours ? &p->all.other : &p->all.mine;
    for (size_t i = 0; is_items(from) && i < from->list.count; i++) {
        struct value *item = from->list.items[i];
        if (!has_item(out, item) && (has_item(other, item) || stays(p, item, with, without)))
            value_add(p->all.arena, out, item);
    }
}

static struct value *join_items(const struct place *p)
{
    const struct value *kind = p->ours != NULL ? p->ours : p->theirs;
    struct value *out = kind->kind == VALUE_SET ? value_set(p->all.arena) : value_list(p->all.arena);
    add_items(p, p->ours, p->theirs, out);
    add_items(p, p->theirs, p->ours, out);
    return out->list.count == 0 && (p->ours == NULL || p->theirs == NULL) ? NULL : out;
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

static struct value *combine(const struct place *p);

static void add_part(const struct place *p, const struct value *names, size_t i, struct value *out)
{
    struct arena *a = p->all.arena;
    const struct value **common = arena_alloc(a, (p->all.common_count + 1) * sizeof *common);
    for (size_t k = 0; k < p->all.common_count; k++)
        common[k] = part_of(p->all.common[k], names, i);
    struct place part = {
        {a, common, p->all.common_count, parts_of(a, &p->all.mine, names, i), parts_of(a, &p->all.other, names, i)},
        part_of(p->ours, names, i),
        part_of(p->theirs, names, i)};
    struct value *value = combine(&part);
    if (value == NULL)
        return;
    if (out->kind == VALUE_MAP)
        value_append_pair(a, out, names->map.pairs[i].key, value);
    else
        value_append_member(a, out, names->object.members[i].name, value);
}

static struct value *join_parts(const struct place *p)
{
    const struct value *kind = p->ours != NULL ? p->ours : p->theirs;
    struct value *out =
        kind->kind == VALUE_MAP ? value_map(p->all.arena) : value_object(p->all.arena, kind->object.type);
    for (size_t i = 0; i < part_count(p->ours); i++)
        add_part(p, p->ours, i, out);
    for (size_t i = 0; i < part_count(p->theirs); i++)
        if (part_of(p->ours, p->theirs, i) == NULL)
            add_part(p, p->theirs, i, out);
    return part_count(out) == 0 && (p->ours == NULL || p->theirs == NULL) ? NULL : out;
}

static bool are(bool (*is)(const struct value *), const struct place *p)
{
    return (p->ours == NULL || is(p->ours)) && (p->theirs == NULL || is(p->theirs));
}

static struct value *combine(const struct place *p)
{
    bool one_kind = p->ours == NULL || p->theirs == NULL || p->ours->kind == p->theirs->kind;
    if ((p->ours == NULL && p->theirs == NULL) || !one_kind)
        return choose(p);
    if (are(is_items, p))
        return join_items(p);
    return are(is_parts, p) ? join_parts(p) : choose(p);
}

struct value *combine_values(const struct combining *c, struct value *ours, struct value *theirs)
{
    return combine(&(struct place){*c, ours, theirs});
}
