// Where contacts can be reached and by which keys they are known (MODELS.md 7.5).
#include <stdlib.h>
#include <string.h>

#include "models/contact.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/trust.h"

struct row {
    struct contact_endpoint endpoint;
    uint64_t seq; // of the endpoint object: when we learnt it
};

struct rows { // grows in the model's arena
    struct row *items;
    size_t count;
    size_t cap;
};

static void add_row(struct model *m, struct rows *rows, const struct row *row)
{
    if (rows->count == rows->cap) {
        rows->cap = 2 * rows->cap + 8;
        struct row *more = arena_alloc(m->arena, rows->cap * sizeof *more);
        if (rows->count != 0)
            memcpy(more, rows->items, rows->count * sizeof *more);
        rows->items = more;
    }
    rows->items[rows->count++] = *row;
}

static bool read_keys(struct model *m, const struct hash *keys, const struct hash *owner, struct public_key *public_key,
                      struct sign_public *sign_public)
{
    struct value *object;
    struct hash found;
    struct span encrypt;
    struct span sign;
    return model_read(m, keys, "Keys", &object, NULL) == STATUS_OK && value_get_hash(object, "owner", &found) &&
           hash_eq(&found, owner) && value_get_string(object, "publicKey", &encrypt) &&
           value_get_string(object, "publicSignKey", &sign) &&
           hex_decode(encrypt, public_key->b, sizeof public_key->b) &&
           hex_decode(sign, sign_public->b, sizeof sign_public->b);
}

// An endpoint in a profile counts only for the person the profile is about.
static bool read_row(struct model *m, const struct hash *hash, const struct hash *person, struct row *row)
{
    struct profile_endpoint p;
    struct store_info info;
    struct contact_endpoint *out = &row->endpoint;
    *row = (struct row){0};
    if (store_info(m->store, hash, &info, NULL) != STATUS_OK || strcmp(info.type, "OneInstanceEndpoint") != 0 ||
        profile_read_endpoint(m, hash, &p, NULL) != STATUS_OK || !hash_eq(&p.person, person))
        return false;
    row->seq = info.seq;
    out->person = p.person;
    out->instance = p.instance;
    out->url = p.url;
    if (!read_keys(m, &p.person_keys, &p.person, &out->person_public, &out->person_sign_public) ||
        !read_keys(m, &p.instance_keys, &p.instance, &out->instance_public, &out->instance_sign_public))
        return false;
    out->certified = trust_signed_by_me(m, &p.person_keys) && trust_signed_by_me(m, &p.instance_keys) &&
                     !trust_is_withdrawn(m, &m->self->person, &p.person, &out->person_sign_public);
    return true;
}

static enum status add_profile(struct model *m, const struct hash *id_hash, const struct hash *person, bool disabled,
                               struct rows *rows, struct error *e)
{
    struct profile p;
    enum status status = profile_load(m, id_hash, &p, e);
    bool counts = status == STATUS_OK && (hash_eq(&p.owner, person) || leute_is_me(m, &p.owner));
    for (size_t i = 0; counts && i < p.endpoints.count; i++) {
        struct row row;
        if (!read_row(m, &p.endpoints.items[i], person, &row))
            continue;
        row.endpoint.disabled = disabled;
        profile_email_of(m, person, &row.endpoint.email, NULL);
        add_row(m, rows, &row);
    }
    profile_free(&p);
    return status;
}

static enum status add_person(struct model *m, const struct hash *person, struct rows *rows, struct error *e)
{
    struct hash_list profiles = {0};
    bool disabled = contact_is_disabled(m, person);
    enum status status = profile_about(m, person, &profiles, e);
    for (size_t i = 0; status == STATUS_OK && i < profiles.count; i++)
        status = add_profile(m, &profiles.items[i], person, disabled, rows, e);
    hash_list_free(&profiles);
    return status;
}

static int by_authority(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->endpoint.certified != y->endpoint.certified)
        return x->endpoint.certified ? -1 : 1;
    return x->seq > y->seq ? -1 : x->seq < y->seq;
}

// Is the row said already, or does its key belong to somebody else?
static bool is_superseded(const struct contact_endpoints *rows, const struct contact_endpoint *row)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct contact_endpoint *other = &rows->items[i];
        bool same_key = public_key_eq(&other->instance_public, &row->instance_public);
        if (same_key && (!hash_eq(&other->person, &row->person) || span_eq(other->url, row->url)))
            return true;
    }
    return false;
}

enum status contact_endpoints(struct model *m, struct contact_endpoints *out, struct error *e)
{
    struct hash_list persons = {0};
    struct hash_list someones = {0};
    struct rows rows = {0};
    *out = (struct contact_endpoints){0};
    enum status status = contact_persons(m, &persons, &someones, e);
    for (size_t i = 0; status == STATUS_OK && i < persons.count; i++)
        status = add_person(m, &persons.items[i], &rows, e);
    if (rows.count != 0)
        qsort(rows.items, rows.count, sizeof *rows.items, by_authority);
    out->items = arena_alloc(m->arena, (rows.count + 1) * sizeof *out->items);
    for (size_t i = 0; i < rows.count; i++)
        if (!is_superseded(out, &rows.items[i].endpoint))
            out->items[out->count++] = rows.items[i].endpoint;
    hash_list_free(&persons);
    hash_list_free(&someones);
    return status;
}
