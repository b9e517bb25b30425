// Settings "tandem.identities": the id of a further identity → that of the main person of the node that has it.
#include "models/selves.h"

#include <stdlib.h>

#include "models/keys.h"
#include "models/leute.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/settings.h"

#define STORE_ID SPAN("tandem.identities")

enum status selves_note(struct model *m, const struct hash *person, struct error *e)
{
    const struct hash_text key = hash_text(person);
    const struct hash_text value = hash_text(&m->self->person);
    struct span known;
    if (settings_get(m, STORE_ID, span_of(key.s), &known, NULL) == STATUS_OK && span_eq_text(known, value.s))
        return STATUS_OK;
    return settings_set(m, STORE_ID, span_of(key.s), span_of(value.s), e);
}

static bool is_of_other_node(struct model *m, struct span value)
{
    struct hash node;
    return hash_parse(value, &node) && sharing_is_own_node(m, &node);
}

bool selves_is_elsewhere(struct model *m, const struct hash *person)
{
    const struct hash_text key = hash_text(person);
    struct span value;
    return settings_get(m, STORE_ID, span_of(key.s), &value, NULL) == STATUS_OK && is_of_other_node(m, value);
}

bool selves_is_ours(struct model *m, const struct hash *person)
{
    return sharing_is_own_node(m, person) || leute_is_me(m, person) || selves_is_elsewhere(m, person);
}

enum status selves_persons(struct model *m, struct hash_list *persons, struct error *e)
{
    struct settings all;
    enum status status = settings_list(m, STORE_ID, &all, e);
    for (size_t i = 0; status == STATUS_OK && i < all.count; i++) {
        struct hash person;
        if (hash_parse(all.items[i].key, &person) &&
            (leute_is_me(m, &person) || is_of_other_node(m, all.items[i].value)))
            hash_list_add(persons, &person);
    }
    return status;
}

static enum status read_keys(struct model *m, const struct hash *keys, const struct hash *owner,
                             struct identity_keys *out, struct error *e)
{
    out->keys = *keys;
    return keys_read(m, keys, owner, &out->public_key, &out->sign_public)
               ? STATUS_OK
               : error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "the keys of the identity are not here");
}

static enum status read_endpoint(struct model *m, const struct profile *p, struct identity *i, struct error *e)
{
    struct profile_endpoint endpoint;
    struct value *instance;
    struct span name;
    if (p->endpoints.count == 0)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "the profile has no endpoint");
    enum status status = profile_read_endpoint(m, &p->endpoints.items[0], &endpoint, e);
    if (status == STATUS_OK)
        status = model_read(m, &endpoint.instance, "Instance", &instance, e);
    if (status == STATUS_OK)
        status = read_keys(m, &endpoint.person_keys, &i->person, &i->person_keys, e);
    if (status == STATUS_OK)
        status = read_keys(m, &endpoint.instance_keys, &endpoint.instance, &i->instance_keys, e);
    if (status != STATUS_OK)
        return status;
    i->instance = endpoint.instance;
    i->instance_name = mem_text(value_get_string(instance, "name", &name) ? name : (struct span){0});
    return STATUS_OK;
}

static enum status read_identity(struct model *m, const struct hash *person, struct identity **out, struct error *e)
{
    struct hash id;
    struct span email;
    struct profile p = {0};
    struct identity *i = mem_alloc(sizeof *i);
    i->person = *person;
    i->further = i->elsewhere = true;
    enum status status = profile_id_hash(m, SPAN("default"), person, person, &id, e);
    if (status == STATUS_OK)
        status = profile_load(m, &id, &p, e);
    if (status == STATUS_OK)
        status = profile_email_of(m, person, &email, e);
    if (status == STATUS_OK)
        i->email = mem_text(email);
    if (status == STATUS_OK)
        status = read_endpoint(m, &p, i, e);
    profile_free(&p);
    if (status != STATUS_OK) {
        identity_destroy(i);
        i = NULL;
    }
    *out = i;
    return status;
}

enum status selves_elsewhere(struct model *m, struct selves *out, struct error *e)
{
    struct settings all;
    *out = (struct selves){0};
    enum status status = settings_list(m, STORE_ID, &all, e);
    if (status != STATUS_OK)
        return status;
    out->items = mem_array(all.count + 1, sizeof(struct identity *));
    for (size_t i = 0; i < all.count; i++) {
        struct hash person;
        if (hash_parse(all.items[i].key, &person) && is_of_other_node(m, all.items[i].value) &&
            read_identity(m, &person, &out->items[out->count], NULL) == STATUS_OK)
            out->count++;
    }
    return STATUS_OK;
}

void selves_free(struct selves *s)
{
    for (size_t i = 0; i < s->count; i++)
        identity_destroy(s->items[i]);
    free(s->items);
    *s = (struct selves){0};
}
