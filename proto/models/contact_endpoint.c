// Where contacts can be reached and by which keys they are known (MODELS.md 7.5).
//
// A contact writes as many profiles and endpoints as it likes, and all of this is gone through with every change: of
// each person a number of them is looked at, the profiles known longest first, and of the instances found those that we
// certified and then the newest ones count.
#include <stdlib.h>
#include <string.h>

#include "models/contact.h"
#include "models/keys.h"
#include "models/leute.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/trust.h"

enum { PROFILES_MAX = 64, ENDPOINTS_MAX = 64 }; // of one person

struct row {
    struct contact_endpoint endpoint;
    struct hash person_keys; // its Keys object
    uint64_t seq;            // of the endpoint object: when we learnt it
};

struct rows { // grows in the model's arena
    struct row *items;
    size_t count;
    size_t cap;
    size_t left; // endpoints of this person that may still be looked at
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

// Our own other node is the instance we were told of, and nobody else; nothing that is stored says otherwise. Nor has
// anybody else keys of ours.
static bool fits_own(struct model *m, const struct contact_endpoint *row)
{
    struct public_key key;
    bool has_own_key = sharing_own_key(m, &key) && public_key_eq(&key, &row->instance_public);
    return has_own_key == sharing_is_own_node(m, &row->person) &&
           !public_key_eq(&row->instance_public, &m->self->instance_keys.public_key) &&
           !public_key_eq(&row->person_public, &m->self->person_keys.public_key);
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
    row->person_keys = p.person_keys;
    out->person = p.person;
    out->instance = p.instance;
    out->url = p.url;
    if (!keys_read(m, &p.person_keys, &p.person, &out->person_public, &out->person_sign_public) ||
        !keys_read(m, &p.instance_keys, &p.instance, &out->instance_public, &out->instance_sign_public))
        return false;
    if (!fits_own(m, out))
        return false;
    out->certified = trust_signed_by_me(m, &p.person_keys) && trust_signed_by_me(m, &p.instance_keys) &&
                     !trust_is_withdrawn(m, &m->self->person, &p.person, &out->person_sign_public);
    return true;
}

static void add_profile(struct model *m, const struct profile *p, bool disabled, struct rows *rows)
{
    if (!hash_eq(&p->owner, &p->person) && !leute_is_me(m, &p->owner))
        return;
    for (size_t i = 0; i < p->endpoints.count && rows->left != 0; i++, rows->left--) {
        struct row row;
        if (!read_row(m, &p->endpoints.items[i], &p->person, &row))
            continue;
        row.endpoint.disabled = disabled;
        profile_email_of(m, &p->person, &row.endpoint.email, NULL);
        add_row(m, rows, &row);
    }
}

static enum status add_person(struct model *m, const struct hash *person, struct rows *rows, struct error *e)
{
    struct profiles profiles;
    bool disabled = contact_is_disabled(m, person);
    enum status status = profiles_about(m, person, &profiles, e);
    rows->left = ENDPOINTS_MAX;
    for (size_t i = 0; status == STATUS_OK && i < profiles.count && i < PROFILES_MAX; i++)
        add_profile(m, &profiles.items[i], disabled, rows);
    profiles_free(&profiles);
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

struct sifting {
    struct model *m;
    const struct rows *rows; // sorted
    struct contact_endpoints *out;
    size_t *next_same;          // by row of out: the row before with the same instance key, plus 1
    struct hash_map *by_key;    // the last row of out with the instance key, plus 1
    struct hash_map *instances; // how many of a person
    struct hash_map *pinned;    // the newest row of a person that a pairing stands behind, plus 1
    struct hash_map *owners;    // by instance key: the row whose person has it, plus 1
};

static bool is_said(const struct sifting *s, size_t last, const struct contact_endpoint *row)
{
    for (size_t i = last; i != 0; i = s->next_same[i - 1])
        if (span_eq(s->out->items[i - 1].url, row->url))
            return true;
    return false;
}

// Is the row said already, or has the person enough other instances?
static bool is_left_out(struct sifting *s, size_t last, const struct contact_endpoint *row)
{
    if (last != 0)
        return is_said(s, last, row);
    uintptr_t count = (uintptr_t)hash_map_get(s->instances, &row->person);
    if (count >= CONTACT_INSTANCES)
        return true;
    hash_map_set(s->instances, &row->person, (void *)(count + 1));
    return false;
}

// Once a person has keys by a pairing, its own profile adds instances with these keys, or with others that they signed.
static bool is_vouched_for(const struct sifting *s, const struct row *row)
{
    size_t place = (uintptr_t)hash_map_get(s->pinned, &row->endpoint.person);
    if (row->endpoint.certified || place == 0)
        return true;
    const struct contact_endpoint *pinned = &s->rows->items[place - 1].endpoint;
    return (public_key_eq(&pinned->person_public, &row->endpoint.person_public) &&
            memcmp(&pinned->person_sign_public, &row->endpoint.person_sign_public, SIGN_PUBLIC) == 0) ||
           trust_signed_by(s->m, &row->person_keys, &pinned->person, &pinned->person_sign_public);
}

static struct hash key_of(const struct contact_endpoint *row)
{
    struct hash key;
    memcpy(key.b, row->instance_public.b, sizeof key.b);
    return key;
}

static void find_pinned(struct sifting *s)
{
    for (size_t i = 0; i < s->rows->count; i++) {
        const struct contact_endpoint *row = &s->rows->items[i].endpoint;
        if (row->certified && !hash_map_has(s->pinned, &row->person))
            hash_map_set(s->pinned, &row->person, (void *)(uintptr_t)(i + 1));
    }
}

// An instance key belongs to whom we paired with under it, the last one; else to whoever said so first: others learn it
// from there.
static void find_owners(struct sifting *s)
{
    for (size_t i = s->rows->count; i-- > 0;) {
        const struct row *row = &s->rows->items[i];
        struct hash key = key_of(&row->endpoint);
        if (row->endpoint.certified || (!hash_map_has(s->owners, &key) && is_vouched_for(s, row)))
            hash_map_set(s->owners, &key, (void *)(uintptr_t)(i + 1));
    }
}

static bool is_its_own(const struct sifting *s, const struct row *row, const struct hash *key)
{
    size_t owner = (uintptr_t)hash_map_get(s->owners, key);
    return owner != 0 && hash_eq(&s->rows->items[owner - 1].endpoint.person, &row->endpoint.person);
}

static void sift(struct sifting *s, const struct row *candidate)
{
    const struct contact_endpoint *row = &candidate->endpoint;
    struct hash key = key_of(row);
    size_t last = (uintptr_t)hash_map_get(s->by_key, &key);
    if (!is_its_own(s, candidate, &key) || !is_vouched_for(s, candidate) || is_left_out(s, last, row))
        return;
    s->next_same[s->out->count] = last;
    s->out->items[s->out->count++] = *row;
    hash_map_set(s->by_key, &key, (void *)(uintptr_t)s->out->count);
}

static void sift_rows(struct model *m, struct rows *rows, struct contact_endpoints *out)
{
    if (rows->count != 0)
        qsort(rows->items, rows->count, sizeof *rows->items, by_authority);
    out->items = arena_alloc(m->arena, (rows->count + 1) * sizeof *out->items);
    struct sifting s = {.m = m,
                        .rows = rows,
                        .out = out,
                        .next_same = arena_alloc(m->arena, (rows->count + 1) * sizeof(size_t)),
                        .by_key = hash_map_create(),
                        .instances = hash_map_create(),
                        .pinned = hash_map_create(),
                        .owners = hash_map_create()};
    find_pinned(&s);
    find_owners(&s);
    for (size_t i = 0; i < rows->count; i++)
        sift(&s, &rows->items[i]);
    hash_map_destroy(s.by_key);
    hash_map_destroy(s.instances);
    hash_map_destroy(s.pinned);
    hash_map_destroy(s.owners);
}

bool contact_is_paired(struct model *m, const struct hash *person)
{
    struct rows rows = {0};
    bool paired = false;
    if (add_person(m, person, &rows, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < rows.count && !paired; i++)
        paired = rows.items[i].endpoint.certified;
    return paired;
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
    out->persons = arena_alloc(m->arena, (persons.count + 1) * sizeof *out->persons);
    out->person_count = persons.count;
    if (persons.count != 0)
        memcpy(out->persons, persons.items, persons.count * sizeof *out->persons);
    sift_rows(m, &rows, out);
    hash_list_free(&persons);
    hash_list_free(&someones);
    return status;
}
