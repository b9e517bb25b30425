// Further identities of a node, which need no Instance with recipes: what they are is said in Someone "me". Their
// instances have no versions that would tell ours from those of others; ours is the one whose keys are kept
// (find_own_instance). By them those are found again, too, that "me" names no longer after a loss.
#include <string.h>

#include "models/instance_internal.h"
#include "models/profile.h"
#include "models/someone.h"
#include "models/trust.h"

// ---- Adding ---------------------------------------------------------------------------------------------------------

// The reference lists the person first without and then with its profile.
static enum status add_to_me(struct model *m, const struct hash *person, const struct hash *profile, struct error *e)
{
    struct hash id;
    struct someone me = {0};
    enum status status = someone_id_hash(m, SPAN(SOMEONE_ME), &id, e);
    if (status == STATUS_OK)
        status = someone_load(m, &id, &me, e);
    if (status == STATUS_OK) {
        someone_add(m, &me, person);
        status = someone_save(m, &me, e);
    }
    if (status == STATUS_OK) {
        hash_list_add(&someone_add(m, &me, person)->profiles, profile);
        status = someone_save(m, &me, e);
    }
    someone_free(&me);
    return status;
}

static enum status create_identity(struct model *m, struct keychain *k, const struct instance_options *options,
                                   struct span url, struct identity *i, struct error *e)
{
    struct hash id;
    struct hash signature;
    struct profile p = {0};
    enum status status = model_put_id(m, instance_person(m->arena, options->email), &id, e);
    if (status == STATUS_OK)
        status = model_put_id(m, instance_object(m->arena, options->instance_name, &i->person), &id, e);
    if (status == STATUS_OK)
        status = keys_provide(m, k, &i->person, options->person_keys, &i->person_keys, e);
    if (status == STATUS_OK)
        status = keys_provide(m, k, &i->instance, options->instance_keys, &i->instance_keys, e);
    if (status == STATUS_OK)
        status = profile_put_default(m, i, url, &p, e);
    if (status == STATUS_OK)
        status = add_to_me(m, &i->person, &p.id_hash, e);
    if (status == STATUS_OK)
        status = trust_affirm(m, i, &p.hash, &signature, e);
    if (status == STATUS_OK)
        status = trust_certify_profile(m, &p.hash, e);
    profile_free(&p);
    return status;
}

static bool is_in_me(struct model *m, const struct hash *person)
{
    struct hash id;
    struct someone me = {0};
    bool found = someone_id_hash(m, SPAN(SOMEONE_ME), &id, NULL) == STATUS_OK &&
                 someone_load(m, &id, &me, NULL) == STATUS_OK && someone_find(&me, person) != NULL;
    someone_free(&me);
    return found;
}

enum status instance_add_identity(struct model *m, struct keychain *k, const struct instance_options *options,
                                  struct span url, struct identity **out, struct error *e)
{
    struct identity *i = mem_alloc(sizeof *i);
    enum status status = instance_begin(m, options, i, e);
    if (status == STATUS_OK)
        i->further = true;
    if (status == STATUS_OK)
        status = is_in_me(m, &i->person) ? instance_open_keys(m, k, i, e) : create_identity(m, k, options, url, i, e);
    if (status != STATUS_OK) {
        identity_destroy(i);
        i = NULL;
    }
    *out = i;
    return status;
}

// ---- Opening --------------------------------------------------------------------------------------------------------

static bool holds_keys(struct model *m, struct keychain *k, const struct hash *owner)
{
    struct hash_list keys = {0};
    bool found = false;
    if (store_referrers(m->store, owner, SPAN("Keys"), false, &keys, NULL) == STATUS_OK)
        for (size_t i = 0; i < keys.count && !found; i++)
            found = keychain_has(k, &keys.items[i]);
    hash_list_free(&keys);
    return found;
}

// The instance of a further identity: the one of that owner whose keys we hold.
static enum status find_own_instance(struct model *m, struct keychain *k, const struct hash *person, struct hash *id,
                                     struct span *name, struct error *e)
{
    struct hash_list instances = {0};
    struct value *instance;
    enum status status = store_referrers(m->store, person, SPAN("Instance"), true, &instances, e);
    size_t i = 0;
    while (i < instances.count && !holds_keys(m, k, &instances.items[i]))
        i++;
    if (status == STATUS_OK && i == instances.count)
        status = error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "the instance of %s is gone", hash_text(person).s);
    if (status == STATUS_OK) {
        *id = instances.items[i];
        status = model_read(m, id, "Instance", &instance, e);
    }
    if (status == STATUS_OK)
        value_get_string(instance, "name", name);
    hash_list_free(&instances);
    return status;
}

static enum status open_identity(struct model *m, struct keychain *k, const struct hash *person, struct identity **out,
                                 struct error *e)
{
    struct span email;
    struct span name = {0};
    struct identity *i = mem_alloc(sizeof *i);
    i->person = *person;
    i->further = true;
    enum status status = profile_email_of(m, person, &email, e);
    if (status == STATUS_OK)
        status = find_own_instance(m, k, person, &i->instance, &name, e);
    if (status == STATUS_OK) {
        i->email = mem_text(email);
        i->instance_name = mem_text(name);
        status = instance_open_keys(m, k, i, e);
    }
    if (status != STATUS_OK) {
        identity_destroy(i);
        i = NULL;
    }
    *out = i;
    return status;
}

enum status instance_identities(struct model *m, struct keychain *k, struct identity ***out, size_t *count,
                                struct error *e)
{
    struct hash id;
    struct someone me = {0};
    *out = NULL;
    *count = 0;
    enum status status = someone_id_hash(m, SPAN(SOMEONE_ME), &id, e);
    if (status == STATUS_OK)
        status = someone_load(m, &id, &me, e);
    if (status == STATUS_OK)
        *out = mem_array(me.count + 1, sizeof(struct identity *));
    for (size_t i = 0; status == STATUS_OK && i < me.count; i++) {
        if (hash_eq(&me.identities[i].person, &m->self->person))
            continue;
        status = open_identity(m, k, &me.identities[i].person, &(*out)[*count], e);
        *count += status == STATUS_OK;
    }
    someone_free(&me);
    return status;
}

// ---- After a loss ---------------------------------------------------------------------------------------------------

static enum status find_identity(struct model *m, const struct hash *keys, struct error *e)
{
    struct value *object;
    struct hash owner;
    struct hash profile;
    struct store_info info;
    bool person = model_read(m, keys, "Keys", &object, NULL) == STATUS_OK && value_get_hash(object, "owner", &owner) &&
                  store_info(m->store, &owner, &info, NULL) == STATUS_OK && strcmp(info.type, "Person") == 0;
    if (!person || is_in_me(m, &owner) ||
        profile_id_hash(m, SPAN("default"), &owner, &owner, &profile, NULL) != STATUS_OK ||
        !model_has_head(m, &profile))
        return STATUS_OK;
    return add_to_me(m, &owner, &profile, e);
}

enum status instance_find_identities(struct model *m, struct keychain *k, struct error *e)
{
    struct hash_list names = {0};
    enum status status = keychain_list(k, &names, e);
    for (size_t i = 0; status == STATUS_OK && i < names.count; i++)
        status = find_identity(m, &names.items[i], e);
    hash_list_free(&names);
    return status;
}
