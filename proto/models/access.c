// A grant is a versioned object of its own, one for each target, whose id is made of the target alone: so adding is a
// merge of lists, and two nodes that grant the same thing make one grant. A new person takes in the whole history at
// once, and merges are in no list of versions: that is why an addition to an id ends with version_confirm, and taking
// away does not.
#include "models/access.h"

#include <string.h>

#include "models/kinds.h"

struct grant {
    struct hash_list persons;
    struct hash_list groups;
};

static void grant_free(struct grant *g)
{
    hash_list_free(&g->persons);
    hash_list_free(&g->groups);
}

static const char *type_of(enum access_kind kind)
{
    return kind == ACCESS_ID ? "IdAccess" : "Access";
}

static struct value *make_id(struct model *m, struct access_target target)
{
    struct value *object = model_object(m, type_of(target.kind));
    model_set_hash(m, object, target.kind == ACCESS_ID ? "id" : "object", &target.hash);
    return object;
}

// A merge keeps what both sides have, so somebody may be named twice.
static void read_names(const struct value *object, const char *property, struct hash_list *out)
{
    struct hash_list all = {0};
    model_read_hashes(value_get(object, span_of(property)), &all);
    hash_list_add_missing(out, all.items, all.count);
    hash_list_free(&all);
}

static void read_grant(const struct value *object, struct grant *g)
{
    read_names(object, "person", &g->persons);
    read_names(object, "group", &g->groups);
}

// A target without a grant gives empty lists.
static enum status load(struct model *m, struct access_target target, struct grant *g, struct error *e)
{
    struct value *object;
    *g = (struct grant){0};
    enum status status = model_latest(m, make_id(m, target), type_of(target.kind), &object, e);
    if (object != NULL)
        read_grant(object, g);
    return status;
}

static enum status save(struct model *m, struct access_target target, const struct grant *g, struct error *e)
{
    struct value *object = make_id(m, target);
    value_set_member(m->arena, object, SPAN("person"), model_hashes(m, g->persons.items, g->persons.count, false));
    value_set_member(m->arena, object, SPAN("group"), model_hashes(m, g->groups.items, g->groups.count, false));
    return model_change(m, object, NULL, e);
}

// Only what can be offered may be granted (MODELS.md 8.7).
static enum status check_target(struct model *m, struct access_target target, struct error *e)
{
    struct store_info info;
    enum status status = store_info(m->store, &target.hash, &info, e);
    if (status != STATUS_OK)
        return status;
    if ((target.kind == ACCESS_ID) != (info.kind == STORE_ID_OBJECT) || info.type[0] == '\0')
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "%s is not an %s", hash_text(&target.hash).s,
                         target.kind == ACCESS_ID ? "id object" : "object");
    if (policy_is_private(m, span_of(info.type), &info.id_hash))
        return error_set(e, STATUS_REFUSED, "REFUSED", "a %s is never shared", info.type);
    return STATUS_OK;
}

// ---- Changing -------------------------------------------------------------------------------------------------------

// Whoever is new to an id takes in its history at once; what merges have brought together must be part of it.
static enum status save_addition(struct model *m, struct access_target target, const struct grant *g, struct error *e)
{
    struct version_result ignored;
    enum status status = save(m, target, g, e);
    if (status == STATUS_OK && target.kind == ACCESS_ID)
        status = version_confirm(store_versions(m->store), &target.hash, (double)m->now_ms, &ignored, e);
    return status;
}

enum status access_add(struct model *m, struct access_target target, const struct hash *persons, size_t person_count,
                       const struct hash *groups, size_t group_count, struct error *e)
{
    struct grant g = {0};
    enum status status = check_target(m, target, e);
    if (status == STATUS_OK)
        status = load(m, target, &g, e);
    if (status == STATUS_OK) {
        bool more_persons = hash_list_add_missing(&g.persons, persons, person_count);
        bool more_groups = hash_list_add_missing(&g.groups, groups, group_count);
        if (more_persons || more_groups)
            status = save_addition(m, target, &g, e);
    }
    grant_free(&g);
    return status;
}

static bool is_subset(const struct hash_list *some, const struct hash_list *all)
{
    for (size_t i = 0; i < some->count; i++)
        if (!hash_list_has(all, &some->items[i]))
            return false;
    return true;
}

enum status access_set(struct model *m, struct access_target target, const struct hash_list *persons, struct error *e)
{
    struct grant g = {0};
    struct grant wanted = {0};
    if (check_target(m, target, NULL) != STATUS_OK)
        return STATUS_OK;
    enum status status = load(m, target, &g, e);
    bool fewer = !is_subset(&g.persons, persons) || g.groups.count != 0;
    bool more = !is_subset(persons, &g.persons);
    hash_list_add_missing(&wanted.persons, persons->items, persons->count);
    if (status == STATUS_OK && more)
        status = save_addition(m, target, &wanted, e);
    else if (status == STATUS_OK && fewer)
        status = save(m, target, &wanted, e);
    grant_free(&wanted);
    grant_free(&g);
    return status;
}

enum status access_grant(struct model *m, struct access_target target, const struct hash *person, struct error *e)
{
    return access_add(m, target, person, 1, NULL, 0, e);
}

enum status access_grant_group(struct model *m, struct access_target target, const struct hash *group, struct error *e)
{
    return access_add(m, target, NULL, 0, group, 1, e);
}

static bool take_out(struct hash_list *list, const struct hash *item)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!hash_eq(&list->items[i], item))
            list->items[kept++] = list->items[i];
    bool changed = kept != list->count;
    list->count = kept;
    return changed;
}

static enum status revoke(struct model *m, struct access_target target, const struct hash *person,
                          const struct hash *group, struct error *e)
{
    struct grant g;
    enum status status = load(m, target, &g, e);
    bool changed = person != NULL ? take_out(&g.persons, person) : take_out(&g.groups, group);
    if (status == STATUS_OK && changed)
        status = save(m, target, &g, e);
    grant_free(&g);
    return status;
}

enum status access_revoke(struct model *m, struct access_target target, const struct hash *person, struct error *e)
{
    return revoke(m, target, person, NULL, e);
}

enum status access_revoke_group(struct model *m, struct access_target target, const struct hash *group, struct error *e)
{
    return revoke(m, target, NULL, group, e);
}

// ---- Listing --------------------------------------------------------------------------------------------------------

static bool read_target(const struct value *object, enum access_kind kind, struct access_target *target)
{
    target->kind = kind;
    return value_get_hash(object, kind == ACCESS_ID ? "id" : "object", &target->hash);
}

// The current Access or IdAccess objects, or only those that name the person.
static enum status find_versions(struct model *m, enum access_kind kind, const struct hash *person,
                                 struct hash_list *versions, struct error *e)
{
    struct hash_list ids = {0};
    if (person != NULL)
        return store_current_referrers(m->store, person, span_of(type_of(kind)), versions, e);
    enum status status = store_ids_of_type(m->store, span_of(type_of(kind)), &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        struct value *ignored;
        struct hash hash;
        status = model_current(m, &ids.items[i], type_of(kind), &ignored, &hash, e);
        if (status == STATUS_OK)
            hash_list_add(versions, &hash);
    }
    hash_list_free(&ids);
    return status;
}

static void describe(struct model *m, const struct value *object, enum access_kind kind, struct access_grants *out)
{
    struct grant g = {0};
    struct store_info info = {0};
    struct access_grant *row = &out->items[out->count];
    read_grant(object, &g);
    if (read_target(object, kind, &row->target) && g.persons.count + g.groups.count != 0) {
        if (store_info(m->store, &row->target.hash, &info, NULL) == STATUS_OK)
            memcpy(row->type, info.type, sizeof row->type);
        row->persons = model_keep_hashes(m, &g.persons);
        row->person_count = g.persons.count;
        row->groups = model_keep_hashes(m, &g.groups);
        row->group_count = g.groups.count;
        out->count++;
    }
    grant_free(&g);
}

enum status access_list(struct model *m, const struct hash *person, struct access_grants *out, struct error *e)
{
    struct hash_list versions[2] = {{0}, {0}};
    static const enum access_kind kinds[] = {ACCESS_ID, ACCESS_OBJECT};
    *out = (struct access_grants){0};
    enum status status = find_versions(m, ACCESS_ID, person, &versions[0], e);
    if (status == STATUS_OK)
        status = find_versions(m, ACCESS_OBJECT, person, &versions[1], e);
    out->items = arena_alloc(m->arena, (versions[0].count + versions[1].count + 1) * sizeof *out->items);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; status == STATUS_OK && i < versions[k].count; i++) {
            struct value *object;
            status = model_read(m, &versions[k].items[i], type_of(kinds[k]), &object, e);
            if (status == STATUS_OK)
                describe(m, object, kinds[k], out);
        }
        hash_list_free(&versions[k]);
    }
    return status;
}

enum status access_revoke_all(struct model *m, const struct hash *person, struct error *e)
{
    struct access_grants grants;
    enum status status = access_list(m, person, &grants, e);
    for (size_t i = 0; status == STATUS_OK && i < grants.count; i++)
        status = access_revoke(m, grants.items[i].target, person, e);
    return status;
}

enum status access_get(struct model *m, struct access_target target, struct access_grant *out, struct error *e)
{
    struct grant g;
    enum status status = load(m, target, &g, e);
    *out = (struct access_grant){
        .target = target,
        .persons = model_keep_hashes(m, &g.persons),
        .person_count = g.persons.count,
        .groups = model_keep_hashes(m, &g.groups),
        .group_count = g.groups.count,
    };
    grant_free(&g);
    return status;
}

bool access_exists(struct model *m, struct access_target target)
{
    struct value *object;
    return model_latest(m, make_id(m, target), type_of(target.kind), &object, NULL) == STATUS_OK && object != NULL;
}

static bool group_contains(struct model *m, const struct hash *group, const struct hash *person)
{
    struct value *object;
    struct hash_list members = {0};
    if (model_current(m, group, "Group", &object, NULL, NULL) != STATUS_OK)
        return false;
    model_read_hashes(value_get(object, SPAN("person")), &members);
    bool found = hash_list_has(&members, person);
    hash_list_free(&members);
    return found;
}

bool access_has(struct model *m, struct access_target target, const struct hash *person)
{
    struct grant g;
    if (load(m, target, &g, NULL) != STATUS_OK)
        return false;
    bool found = hash_list_has(&g.persons, person);
    for (size_t i = 0; i < g.groups.count && !found; i++)
        found = group_contains(m, &g.groups.items[i], person);
    grant_free(&g);
    return found;
}
