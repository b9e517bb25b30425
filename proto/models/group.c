// A merge keeps what both sides have, so a list of members may name somebody twice: it is read with
// hash_list_add_missing everywhere. A change that changes nothing writes no version: the next merge would have one more
// to take in.
#include "models/group.h"

#include "base/text.h"
#include "models/leute.h"

enum { MAX_NAME = 1024 };

static struct value *make_id(struct model *m, struct span name)
{
    struct value *group = model_object(m, "Group");
    model_set_text(m, group, "name", name);
    return group;
}

enum status group_id(struct model *m, struct span name, struct hash *id_hash, struct error *e)
{
    return model_id(m, make_id(m, name), id_hash, e);
}

static enum status write_members(struct model *m, struct span name, const struct hash *persons, size_t count,
                                 struct error *e)
{
    struct value *group = make_id(m, name);
    value_set_member(m->arena, group, SPAN("person"), model_hashes(m, persons, count, false));
    return model_change(m, group, NULL, e);
}

// The reference puts a picture of 64 zeros into every new GroupProfile (MODELS.md 2.4).
static enum status write_profile(struct model *m, struct span name, const struct hash *group, struct error *e)
{
    const struct hash no_picture = {{0}};
    struct value *profile = model_object(m, "GroupProfile");
    model_set_hash(m, profile, "group", group);
    model_set_text(m, profile, "name", name);
    model_set_hash(m, profile, "picture", &no_picture);
    return model_change(m, profile, NULL, e);
}

enum status group_create(struct model *m, struct span name, bool listed, struct hash *id_hash, struct error *e)
{
    if (name.len == 0 || name.len > MAX_NAME || !utf8_valid(name))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a group's name is 1 to %d bytes of UTF-8", MAX_NAME);
    enum status status = group_id(m, name, id_hash, e);
    bool known = status == STATUS_OK && model_has_head(m, id_hash);
    if (known)
        status = model_keep_id(m, make_id(m, name), e);
    if (status == STATUS_OK && !known)
        status = write_members(m, name, NULL, 0, e);
    if (status == STATUS_OK && !known)
        status = write_profile(m, name, id_hash, e);
    if (status == STATUS_OK && listed)
        status = leute_add_group(m, id_hash, e);
    return status;
}

static enum status load(struct model *m, const struct hash *id_hash, struct span *name, struct hash_list *persons,
                        struct error *e)
{
    struct value *group;
    enum status status = model_current(m, id_hash, "Group", &group, NULL, e);
    if (status != STATUS_OK)
        return status;
    struct hash_list all = {0}; // a merge may name somebody twice
    value_get_string(group, "name", name);
    model_read_hashes(value_get(group, SPAN("person")), &all);
    hash_list_add_missing(persons, all.items, all.count);
    hash_list_free(&all);
    return STATUS_OK;
}

enum status group_get(struct model *m, const struct hash *id_hash, struct group *out, struct error *e)
{
    struct hash_list persons = {0};
    *out = (struct group){.id_hash = *id_hash};
    enum status status = load(m, id_hash, &out->name, &persons, e);
    if (status == STATUS_OK) {
        out->persons = model_keep_hashes(m, &persons);
        out->person_count = persons.count;
    }
    hash_list_free(&persons);
    return status;
}

enum status group_list(struct model *m, struct groups *out, struct error *e)
{
    struct hash_list ids = {0};
    *out = (struct groups){0};
    enum status status = store_ids_of_type(m->store, SPAN("Group"), &ids, e);
    if (status == STATUS_OK)
        out->items = arena_alloc(m->arena, ids.count * sizeof *out->items);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++)
        status = group_get(m, &ids.items[i], &out->items[out->count++], e);
    hash_list_free(&ids);
    return status;
}

enum status group_add(struct model *m, const struct hash *id_hash, const struct hash *persons, size_t count,
                      struct error *e)
{
    struct hash_list members = {0};
    struct span name;
    enum status status = load(m, id_hash, &name, &members, e);
    if (status == STATUS_OK && hash_list_add_missing(&members, persons, count))
        status = write_members(m, name, members.items, members.count, e);
    hash_list_free(&members);
    return status;
}

enum status group_remove(struct model *m, const struct hash *id_hash, const struct hash *person, struct error *e)
{
    struct hash_list members = {0};
    struct hash_list rest = {0};
    struct span name;
    enum status status = load(m, id_hash, &name, &members, e);
    for (size_t i = 0; i < members.count; i++)
        if (!hash_eq(&members.items[i], person))
            hash_list_add(&rest, &members.items[i]);
    if (status == STATUS_OK && rest.count != members.count)
        status = write_members(m, name, rest.items, rest.count, e);
    hash_list_free(&members);
    hash_list_free(&rest);
    return status;
}

bool group_has(struct model *m, const char *name, const struct hash *person)
{
    struct hash id;
    struct hash_list members = {0};
    struct span ignored;
    bool found = group_id(m, span_of(name), &id, NULL) == STATUS_OK &&
                 load(m, &id, &ignored, &members, NULL) == STATUS_OK && hash_list_has(&members, person);
    hash_list_free(&members);
    return found;
}
