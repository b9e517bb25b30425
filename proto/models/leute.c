// Leute grows with every contact and a version of it repeats them all. So whether somebody is in it is asked of the
// reverse map (is_listed), and only who changes it reads it. Members of `group` are ids of Group, though the recipe
// says GroupProfile.
#include "models/leute.h"

#include "models/someone.h"

struct leute {
    struct hash me;
    struct hash_list other;
    struct hash_list group; // ids of Group objects, though the recipe names GroupProfile (MODELS.md 2.2)
};

static void leute_free(struct leute *l)
{
    hash_list_free(&l->other);
    hash_list_free(&l->group);
}

static struct value *make_id(struct model *m)
{
    struct value *object = model_object(m, "Leute");
    model_set_text(m, object, "appId", SPAN("one.leute"));
    return object;
}

enum status leute_id(struct model *m, struct hash *out, struct error *e)
{
    return model_id(m, make_id(m), out, e);
}

static enum status load(struct model *m, struct leute *l, struct error *e)
{
    struct hash id;
    struct value *object;
    *l = (struct leute){0};
    enum status status = leute_id(m, &id, e);
    if (status == STATUS_OK)
        status = model_current(m, &id, "Leute", &object, NULL, e);
    if (status != STATUS_OK)
        return status;
    value_get_hash(object, "me", &l->me);
    model_read_hashes(value_get(object, SPAN("other")), &l->other);
    model_read_hashes(value_get(object, SPAN("group")), &l->group);
    return STATUS_OK;
}

static enum status save(struct model *m, const struct leute *l, struct error *e)
{
    struct value *object = make_id(m);
    model_set_hash(m, object, "me", &l->me);
    value_set_member(m->arena, object, SPAN("other"), model_hashes(m, l->other.items, l->other.count, false));
    value_set_member(m->arena, object, SPAN("group"), model_hashes(m, l->group.items, l->group.count, false));
    return model_change(m, object, NULL, e);
}

enum status leute_provide(struct model *m, const struct hash *me, struct error *e)
{
    struct hash id;
    enum status status = leute_id(m, &id, e);
    if (status != STATUS_OK)
        return status;
    return model_has_head(m, &id) ? model_keep_id(m, make_id(m), e) : save(m, &(struct leute){.me = *me}, e);
}

// ---- The contact book -----------------------------------------------------------------------------------------------

enum status leute_me(struct model *m, struct hash *someone, struct error *e)
{
    return someone_id_hash(m, SPAN(SOMEONE_ME), someone, e);
}

enum status leute_others(struct model *m, struct hash_list *someones, struct error *e)
{
    struct leute l;
    enum status status = load(m, &l, e);
    for (size_t i = 0; i < l.other.count; i++)
        hash_list_add(someones, &l.other.items[i]);
    leute_free(&l);
    return status;
}

// list is one of *l, which is loaded first.
static enum status load_and_add(struct model *m, struct leute *l, struct hash_list *list, const struct hash *id,
                                struct error *e)
{
    enum status status = load(m, l, e);
    if (status == STATUS_OK && !hash_list_has(list, id)) {
        hash_list_add(list, id);
        status = save(m, l, e);
    }
    leute_free(l);
    return status;
}

enum status leute_add_other(struct model *m, const struct hash *someone, struct error *e)
{
    struct leute l;
    return load_and_add(m, &l, &l.other, someone, e);
}

enum status leute_add_group(struct model *m, const struct hash *group, struct error *e)
{
    struct leute l;
    return load_and_add(m, &l, &l.group, group, e);
}

enum status leute_remove_other(struct model *m, const struct hash *someone, struct error *e)
{
    struct leute l;
    struct hash_list rest = {0};
    enum status status = load(m, &l, e);
    for (size_t i = 0; i < l.other.count; i++)
        if (!hash_eq(&l.other.items[i], someone))
            hash_list_add(&rest, &l.other.items[i]);
    bool changed = rest.count != l.other.count;
    hash_list_free(&l.other);
    l.other = rest;
    if (status == STATUS_OK && changed)
        status = save(m, &l, e);
    leute_free(&l);
    return status;
}

// Does the current Leute name the Someone, as me or among the others? Asks the reverse map: Leute grows with every
// contact.
static bool is_listed(struct model *m, const struct hash *someone)
{
    struct hash_list versions = {0};
    struct hash leute;
    bool listed = false;
    if (leute_id(m, &leute, NULL) == STATUS_OK)
        store_current_referrers(m->store, someone, SPAN("Leute"), &versions, NULL);
    for (size_t i = 0; !listed && i < versions.count; i++) {
        struct store_info info;
        listed = store_info(m->store, &versions.items[i], &info, NULL) == STATUS_OK && hash_eq(&info.id_hash, &leute);
    }
    hash_list_free(&versions);
    return listed;
}

bool leute_listed_once(struct model *m, const struct hash *someone)
{
    struct hash_list versions = {0};
    bool once =
        store_referrers(m->store, someone, SPAN("Leute"), false, &versions, NULL) == STATUS_OK && versions.count != 0;
    hash_list_free(&versions);
    return once;
}

// The id of a Someone version that is current, listed in Leute and has the person among its identities.
static bool is_someone_of(struct model *m, const struct hash *version, const struct hash *person, struct hash *someone)
{
    struct store_info info;
    struct someone s = {0};
    if (store_info(m->store, version, &info, NULL) != STATUS_OK)
        return false;
    *someone = info.id_hash;
    bool found =
        is_listed(m, someone) && someone_load(m, someone, &s, NULL) == STATUS_OK && someone_find(&s, person) != NULL;
    someone_free(&s);
    return found;
}

enum status leute_someone_of(struct model *m, const struct hash *person, struct hash *someone, struct error *e)
{
    struct hash_list versions = {0};
    bool found = false;
    enum status status = store_current_referrers(m->store, person, SPAN("Someone"), &versions, e);
    for (size_t i = 0; status == STATUS_OK && !found && i < versions.count; i++)
        found = is_someone_of(m, &versions.items[i], person, someone);
    if (status == STATUS_OK && !found)
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not in the contact book", hash_text(person).s);
    hash_list_free(&versions);
    return status;
}

bool leute_is_me(struct model *m, const struct hash *person)
{
    struct hash id;
    struct someone me = {0};
    if (hash_eq(person, &m->self->person))
        return true;
    bool found = leute_me(m, &id, NULL) == STATUS_OK && someone_load(m, &id, &me, NULL) == STATUS_OK &&
                 someone_find(&me, person) != NULL;
    someone_free(&me);
    return found;
}
