// What pairing writes about a person (MODELS.md 7.3). It proves that somebody holds keys, and not who that is: anybody
// who has an invitation may say to be a contact of ours. So whoever is known keeps its keys, and gets no other instance
// unless that was expected (check_contact).
#include <string.h>

#include "base/text.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/instance.h"
#include "models/leute.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/trust.h"

enum { MAX_NAME = 1024 };

static bool is_text(struct span s)
{
    return s.len != 0 && s.len <= MAX_NAME && utf8_valid(s);
}

static enum status put_keys(struct model *m, const struct hash *owner, const struct public_key *public_key,
                            const struct sign_public *sign_public, struct hash *out, struct error *e)
{
    char hex[2 * BOX_KEY + 1];
    struct hash signature;
    struct value *keys = model_object(m, "Keys");
    model_set_hash(m, keys, "owner", owner);
    hex_encode(public_key->b, BOX_KEY, hex);
    model_set_text(m, keys, "publicKey", span_of(hex));
    hex_encode(sign_public->b, SIGN_PUBLIC, hex);
    model_set_text(m, keys, "publicSignKey", span_of(hex));
    enum status status = model_put(m, keys, out, e);
    if (status == STATUS_OK)
        status = trust_sign(m, m->self, out, &signature, e);
    return status;
}

static enum status put_ids(struct model *m, const struct contact_identity *identity, struct contact_paired *out,
                           struct error *e)
{
    struct value *person = model_object(m, "Person");
    model_set_text(m, person, "email", identity->email);
    enum status status = model_put_id(m, person, &out->person, e);
    if (status != STATUS_OK)
        return status;
    struct value *instance = model_object(m, "Instance");
    model_set_text(m, instance, "name", identity->instance_name);
    model_set_hash(m, instance, "owner", &out->person);
    return model_put_id(m, instance, &out->instance, e);
}

static bool has_keys(const struct contact_endpoint *row, const struct contact_identity *identity)
{
    return public_key_eq(&row->person_public, &identity->person_public) &&
           memcmp(row->person_sign_public.b, identity->person_sign_public.b, SIGN_PUBLIC) == 0;
}

static bool is_instance(const struct contact_endpoint *row, const struct contact_identity *identity)
{
    return public_key_eq(&row->instance_public, &identity->instance_public) &&
           memcmp(row->instance_sign_public.b, identity->instance_sign_public.b, SIGN_PUBLIC) == 0;
}

// Our own other node is who has the instance key that we were told.
static bool is_own_node(struct model *m, const struct contact_identity *identity, const struct hash *person)
{
    struct public_key own;
    return sharing_is_own_node(m, person) && sharing_own_key(m, &own) &&
           public_key_eq(&own, &identity->instance_public);
}

// A listed contact keeps its keys: other ones are another person with the same name, until it is forgotten. Nor does a
// pairing give it another instance, since anybody who has an invitation might say to be it.
static enum status check_contact(struct model *m, const struct contact_identity *identity, const struct hash *person,
                                 struct error *e)
{
    struct contact_endpoints known;
    bool certified = false, same_keys = false, differs = false;
    bool expected = identity->expected || is_own_node(m, identity, person);
    enum status status = contact_endpoints(m, &known, e);
    for (size_t i = 0; status == STATUS_OK && i < known.count; i++) {
        const struct contact_endpoint *row = &known.items[i];
        if (!hash_eq(&row->person, person) || (certified && !row->certified)) // certified ones come first
            continue;
        certified = row->certified;
        same_keys = same_keys || has_keys(row, identity);
        differs = differs || !has_keys(row, identity);
    }
    if (status == STATUS_OK && (certified ? differs : differs && !same_keys))
        return error_set(e, STATUS_REFUSED, "EP-KEYMISSMATCH", "Key does not match your previous visit");
    for (size_t i = 0; status == STATUS_OK && i < known.count; i++)
        expected = expected || (hash_eq(&known.items[i].person, person) && is_instance(&known.items[i], identity));
    if (status == STATUS_OK && !expected)
        return error_set(e, STATUS_REFUSED, "UNKNOWN-INSTANCE",
                         "The person is known here, but not with this instance key");
    return status;
}

// What nobody else may say to be or to have.
static enum status check_own(struct model *m, const struct contact_identity *identity, const struct hash *person,
                             struct error *e)
{
    if (leute_is_me(m, person) || public_key_eq(&identity->instance_public, &m->self->instance_keys.public_key))
        return error_set(e, STATUS_REFUSED, "OWN-PERSON", "the identity is our own");
    if (sharing_is_own_node(m, person) && !is_own_node(m, identity, person))
        return error_set(e, STATUS_REFUSED, "UNKNOWN-INSTANCE", "the identity is not that of our other node");
    return STATUS_OK;
}

static enum status put_endpoint(struct model *m, const struct contact_identity *identity,
                                const struct contact_paired *who, struct profile *p, struct error *e)
{
    struct profile_endpoint endpoint = {.person = who->person, .instance = who->instance, .url = identity->url};
    enum status status =
        put_keys(m, &who->person, &identity->person_public, &identity->person_sign_public, &endpoint.person_keys, e);
    if (status == STATUS_OK)
        status = put_keys(m, &who->instance, &identity->instance_public, &identity->instance_sign_public,
                          &endpoint.instance_keys, e);
    if (status == STATUS_OK)
        status = profile_replace_endpoint(m, p, &endpoint, e);
    return status;
}

// The profile a listed contact has, else a new start, even if an older version lies here.
static enum status begin_profile(struct model *m, const struct contact_paired *who, struct profile *p, struct error *e)
{
    struct hash id;
    enum status status = profile_id_hash(m, SPAN("default"), &who->person, &who->person, &id, e);
    if (status == STATUS_OK && !who->is_new) {
        status = profile_load(m, &id, p, e);
        if (status != STATUS_NOT_FOUND)
            return status;
        error_clear(e);
        status = STATUS_OK;
    }
    *p = (struct profile){.profile_id = SPAN("default"), .person = who->person, .owner = who->person};
    return status;
}

// Whoever was a contact before with this key is called as before: it does not say again what it has said.
static enum status keep_descriptions(struct model *m, const struct contact_paired *who, const struct hash *key,
                                     struct profile *p, struct error *e)
{
    struct hash id;
    struct profile old = {0};
    enum status status = profile_id_hash(m, SPAN("default"), &who->person, &who->person, &id, e);
    if (status == STATUS_OK && profile_load(m, &id, &old, NULL) == STATUS_OK && hash_list_has(&old.descriptions, key))
        hash_list_add_missing(&p->descriptions, old.descriptions.items, old.descriptions.count);
    profile_free(&old);
    return status;
}

static enum status put_profile(struct model *m, const struct contact_identity *identity,
                               const struct contact_paired *who, struct profile *p, struct error *e)
{
    struct hash key;
    enum status status = begin_profile(m, who, p, e);
    if (status == STATUS_OK)
        status = put_endpoint(m, identity, who, p, e);
    if (status == STATUS_OK)
        status = profile_put_sign_key(m, &identity->person_sign_public, &key, e);
    if (status == STATUS_OK && who->is_new)
        status = keep_descriptions(m, who, &key, p, e);
    if (status != STATUS_OK)
        return status;
    if (!hash_list_has(&p->descriptions, &key))
        hash_list_add(&p->descriptions, &key);
    return profile_save(m, p, e);
}

static enum status join_everyone(struct model *m, const struct hash *person, struct error *e)
{
    struct hash group;
    enum status status = group_create(m, SPAN(GROUP_EVERYONE), true, &group, e);
    return status == STATUS_OK ? group_add(m, &group, person, 1, e) : status;
}

enum status contact_pair(struct model *m, const struct contact_identity *identity, struct contact_paired *out,
                         struct error *e)
{
    struct profile p = {0};
    struct hash someone;
    *out = (struct contact_paired){0};
    if (!is_text(identity->email) || !is_text(identity->instance_name))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "the identity has no usable e-mail or instance name");
    enum status status = put_ids(m, identity, out, e);
    if (status == STATUS_OK)
        status = check_own(m, identity, &out->person, e);
    if (status == STATUS_OK) {
        out->is_new = leute_someone_of(m, &out->person, &someone, NULL) != STATUS_OK;
        status = apart_join(m, &out->person, out->is_new, e); // whoever it was a contact of before
    }
    if (status == STATUS_OK && !out->is_new)
        status = check_contact(m, identity, &out->person, e);
    if (status == STATUS_OK)
        status = put_profile(m, identity, out, &p, e);
    if (status == STATUS_OK)
        status = trust_certify_profile(m, &p.hash, e);
    if (status == STATUS_OK)
        status = trust_restore(m, &out->person, &identity->person_sign_public, e);
    if (status == STATUS_OK)
        status = contact_paired_profile(m, &p.id_hash, e);
    if (status == STATUS_OK)
        status = m->self->further ? STATUS_OK : join_everyone(m, &out->person, e);
    profile_free(&p);
    return status;
}
