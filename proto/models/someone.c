// The identities are a map from persons to profiles, kept in the order in which it was read: writing it back must not
// change what nobody touched. The lists of profiles lie outside the arena, so whoever loads a Someone frees it.
#include "models/someone.h"

#include <string.h>

static void set_id(struct model *m, struct value *someone, struct span someone_id)
{
    model_set_text(m, someone, "someoneId", someone_id);
}

enum status someone_id_hash(struct model *m, struct span someone_id, struct hash *out, struct error *e)
{
    struct value *someone = model_object(m, "Someone");
    set_id(m, someone, someone_id);
    return model_id(m, someone, out, e);
}

static void read_identities(struct model *m, const struct value *map, struct someone *out)
{
    if (map == NULL || map->kind != VALUE_MAP)
        return;
    out->identities = arena_alloc(m->arena, map->map.count * sizeof *out->identities);
    for (size_t i = 0; i < map->map.count; i++) {
        struct someone_identity *identity = &out->identities[out->count];
        if (!value_as_hash(map->map.pairs[i].key, &identity->person))
            continue;
        model_read_hashes(map->map.pairs[i].value, &identity->profiles);
        out->count++;
    }
}

enum status someone_load(struct model *m, const struct hash *id_hash, struct someone *out, struct error *e)
{
    struct value *someone;
    *out = (struct someone){.id_hash = *id_hash};
    enum status status = model_current(m, id_hash, "Someone", &someone, NULL, e);
    if (status != STATUS_OK)
        return status;
    value_get_string(someone, "someoneId", &out->someone_id);
    value_get_hash(someone, "mainProfile", &out->main_profile);
    read_identities(m, value_get(someone, SPAN("identities")), out);
    return STATUS_OK;
}

enum status someone_save(struct model *m, struct someone *s, struct error *e)
{
    struct value *someone = model_object(m, "Someone");
    struct value *identities = value_map(m->arena);
    for (size_t i = 0; i < s->count; i++) {
        const struct hash_list *profiles = &s->identities[i].profiles;
        value_put(m->arena, identities, value_hash(m->arena, &s->identities[i].person),
                  model_hashes(m, profiles->items, profiles->count, true));
    }
    set_id(m, someone, s->someone_id);
    model_set_hash(m, someone, "mainProfile", &s->main_profile);
    value_set_member(m->arena, someone, SPAN("identities"), identities);
    struct version_result stored;
    enum status status = model_change(m, someone, &stored, e);
    if (status == STATUS_OK)
        s->id_hash = stored.id_hash;
    return status;
}

void someone_free(struct someone *s)
{
    for (size_t i = 0; i < s->count; i++)
        hash_list_free(&s->identities[i].profiles);
    s->count = 0;
}

void someone_begin(struct model *m, struct span someone_id, const struct hash *person, const struct hash *profile,
                   struct someone *out)
{
    *out = (struct someone){.someone_id = someone_id, .main_profile = *profile};
    hash_list_add(&someone_add(m, out, person)->profiles, profile);
}

struct someone_identity *someone_find(const struct someone *s, const struct hash *person)
{
    for (size_t i = 0; i < s->count; i++)
        if (hash_eq(&s->identities[i].person, person))
            return &s->identities[i];
    return NULL;
}

struct someone_identity *someone_add(struct model *m, struct someone *s, const struct hash *person)
{
    struct someone_identity *found = someone_find(s, person);
    if (found != NULL)
        return found;
    struct someone_identity *more = arena_alloc(m->arena, (s->count + 1) * sizeof *more);
    if (s->identities != NULL)
        memcpy(more, s->identities, s->count * sizeof *more);
    s->identities = more;
    more[s->count].person = *person;
    return &more[s->count++];
}
