// Which keys belong to a person, and which of them are trusted (MODELS.md 4.2, 4.3). Trust that is taken back is in
// trust_withdrawal.c.
#include <string.h>

#include "models/leute.h"
#include "models/profile.h"
#include "models/trust.h"

enum { MAX_CHAIN = 16 }; // certificates on top of each other

struct key_list { // grows in the model's arena
    struct sign_public *items;
    size_t count;
    size_t cap;
};

struct chain { // the keys a decision depends on so far
    const struct chain *below;
    const struct sign_public *key;
    size_t depth;
};

static bool key_eq(const struct sign_public *a, const struct sign_public *b)
{
    return memcmp(a->b, b->b, SIGN_PUBLIC) == 0;
}

static void add_key(struct model *m, struct key_list *list, const struct sign_public *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (key_eq(&list->items[i], key))
            return;
    if (list->count == list->cap) {
        list->cap = 2 * list->cap + 4;
        struct sign_public *more = arena_alloc(m->arena, list->cap * sizeof *more);
        if (list->count != 0)
            memcpy(more, list->items, list->count * sizeof *more);
        list->items = more;
    }
    list->items[list->count++] = *key;
}

// ---- The keys of a person -------------------------------------------------------------------------------------------

static bool read_sign_key(struct model *m, const struct hash *hash, struct sign_public *key)
{
    struct store_info info;
    struct value *object;
    struct span hex;
    return store_info(m->store, hash, &info, NULL) == STATUS_OK && strcmp(info.type, "SignKey") == 0 &&
           model_read(m, hash, "SignKey", &object, NULL) == STATUS_OK && value_get_string(object, "key", &hex) &&
           hex_decode(hex, key->b, sizeof key->b);
}

static void add_keys_of_version(struct model *m, const struct hash *version, struct key_list *keys)
{
    struct value *profile;
    struct hash_list descriptions = {0};
    struct sign_public key;
    if (model_read(m, version, "Profile", &profile, NULL) == STATUS_OK)
        model_read_hashes(value_get(profile, SPAN("personDescription")), &descriptions);
    for (size_t i = 0; i < descriptions.count; i++)
        if (read_sign_key(m, &descriptions.items[i], &key))
            add_key(m, keys, &key);
    hash_list_free(&descriptions);
}

static enum status add_keys_of_profile(struct model *m, const struct hash *id_hash, struct key_list *keys,
                                       struct error *e)
{
    struct hash head;
    struct hash_list nodes = {0};
    enum status status = store_head(m->store, id_hash, &head, e);
    if (status == STATUS_OK)
        status = version_list(store_versions(m->store), &head, &nodes, e);
    for (size_t i = 0; status == STATUS_OK && i < nodes.count; i++) {
        struct hash data;
        status = version_data(store_versions(m->store), &nodes.items[i], &data, e);
        if (status == STATUS_OK)
            add_keys_of_version(m, &data, keys);
    }
    hash_list_free(&nodes);
    return status;
}

// The keys of a person come profile by profile, those known longest first: whoever needs one that is trusted seldom
// looks further than the first, whatever the person has written since.
struct key_walk {
    struct profiles profiles; // of people in the contact book
    size_t next;
    struct key_list keys; // found so far
    size_t told;          // of these
    enum status status;
};

static void walk_begin(struct model *m, const struct hash *person, struct key_walk *w, struct error *e)
{
    struct hash someone;
    *w = (struct key_walk){0};
    if (hash_eq(person, &m->self->person))
        add_key(m, &w->keys, &m->self->person_keys.sign_public);
    w->status = leute_someone_of(m, person, &someone, e);
    if (w->status == STATUS_OK) {
        w->status = profiles_about(m, person, &w->profiles, e);
    } else if (w->status == STATUS_NOT_FOUND) {
        error_clear(e);
        w->status = STATUS_OK;
    }
}

// The next key; false after the last one or an error. Profiles count that the person itself or we own.
static bool walk_next(struct model *m, struct key_walk *w, struct sign_public *key, struct error *e)
{
    while (w->status == STATUS_OK && w->told == w->keys.count && w->next < w->profiles.count) {
        const struct profile *p = &w->profiles.items[w->next++];
        if (hash_eq(&p->owner, &p->person) || leute_is_me(m, &p->owner))
            w->status = add_keys_of_profile(m, &p->id_hash, &w->keys, e);
    }
    if (w->status != STATUS_OK || w->told == w->keys.count)
        return false;
    *key = w->keys.items[w->told++];
    return true;
}

// ---- Decisions ------------------------------------------------------------------------------------------------------

static enum trust_reason decide(struct model *m, const struct hash *person, const struct sign_public *key,
                                const struct chain *below, struct trust_voucher *voucher);

// A right counts if our own key signed it.
static bool has_right(struct model *m, const struct hash *person, const char *right)
{
    struct hash_list certificates = {0};
    bool found = false;
    if (store_referrers(m->store, person, span_of(right), false, &certificates, NULL) != STATUS_OK)
        certificates.count = 0;
    for (size_t i = 0; i < certificates.count && !found; i++)
        found = trust_signed_by_me(m, &certificates.items[i]);
    hash_list_free(&certificates);
    return found;
}

static bool is_believed(enum trust_reason reason)
{
    return reason == TRUST_ROOT_KEY || reason == TRUST_BY_CERTIFICATE;
}

// Did a trusted key of the issuer make this signature?
static bool signed_with_trusted_key(struct model *m, const struct trust_signature *s, const struct chain *chain)
{
    struct key_walk w;
    struct sign_public key;
    struct trust_voucher ignored;
    bool found = false;
    walk_begin(m, &s->issuer, &w, NULL);
    while (!found && walk_next(m, &w, &key, NULL))
        found = trust_signature_fits(s, &key) && is_believed(decide(m, &s->issuer, &key, chain, &ignored));
    profiles_free(&w.profiles);
    return found;
}

// Why a profile version may be believed: a certificate of this type by somebody with this right.
struct ground {
    const char *type;
    const char *right;
    bool by_subject; // only by the person the profile is about
};

static const struct ground grounds[] = {{"TrustKeysCertificate", TRUST_RIGHT_FOR_EVERYBODY, false},
                                        {"AffirmationCertificate", TRUST_RIGHT_FOR_SELF, true}};

// Does the signature on a certificate make it one about the person's key at the top of the chain?
static bool applies(struct model *m, const struct trust_signature *s, const struct ground *ground,
                    const struct hash *person, const struct chain *chain)
{
    return (!ground->by_subject || hash_eq(&s->issuer, person)) && has_right(m, &s->issuer, ground->right) &&
           !trust_is_withdrawn(m, &s->issuer, person, chain->key) && signed_with_trusted_key(m, s, chain);
}

static bool is_certified(struct model *m, const struct hash *version, const struct ground *ground,
                         const struct hash *person, const struct chain *chain, struct trust_voucher *voucher)
{
    struct hash_list certificates = {0};
    bool found = false;
    if (store_referrers(m->store, version, span_of(ground->type), false, &certificates, NULL) != STATUS_OK)
        certificates.count = 0;
    for (size_t i = 0; i < certificates.count && !found; i++) {
        struct hash_list signatures = {0};
        voucher->certificate = certificates.items[i];
        if (store_referrers(m->store, &voucher->certificate, SPAN("Signature"), false, &signatures, NULL) == STATUS_OK)
            for (size_t k = 0; k < signatures.count && !found; k++) {
                struct trust_signature s;
                found = trust_read_signature(m, &signatures.items[k], &s) && hash_eq(&s.data, &voucher->certificate) &&
                        applies(m, &s, ground, person, chain);
                if (found)
                    voucher->issuer = s.issuer;
            }
        hash_list_free(&signatures);
    }
    hash_list_free(&certificates);
    return found;
}

static bool sign_key_object(struct model *m, const struct sign_public *key, struct hash *hash)
{
    char hex[2 * SIGN_PUBLIC + 1];
    struct object o;
    hex_encode(key->b, sizeof key->b, hex);
    struct value *object = model_object(m, "SignKey");
    model_set_text(m, object, "key", span_of(hex));
    if (object_make(store_recipes(m->store), m->arena, object, MICRODATA_OBJECT, &o, NULL) != STATUS_OK)
        return false;
    *hash = o.hash;
    return true;
}

static bool is_about(struct model *m, const struct hash *version, const struct hash *person)
{
    struct value *profile;
    struct hash found;
    return model_read(m, version, "Profile", &profile, NULL) == STATUS_OK &&
           value_get_hash(profile, "personId", &found) && hash_eq(&found, person);
}

static enum trust_reason decide_by_versions(struct model *m, const struct hash *person,
                                            const struct hash_list *versions, const struct chain *chain,
                                            struct trust_voucher *voucher)
{
    enum trust_reason reason = TRUST_NO_PROFILE;
    for (size_t i = 0; i < versions->count; i++) {
        const struct hash *version = &versions->items[i];
        if (!is_about(m, version, person))
            continue;
        reason = TRUST_NO_CERTIFICATE;
        for (size_t k = 0; k < sizeof grounds / sizeof *grounds; k++)
            if (is_certified(m, version, &grounds[k], person, chain, voucher))
                return TRUST_BY_CERTIFICATE;
    }
    return reason;
}

static enum trust_reason decide(struct model *m, const struct hash *person, const struct sign_public *key,
                                const struct chain *below, struct trust_voucher *voucher)
{
    struct chain chain = {.below = below, .key = key, .depth = below != NULL ? below->depth + 1 : 0};
    struct hash sign_key;
    struct hash_list versions = {0};
    if (hash_eq(person, &m->self->person) && key_eq(key, &m->self->person_keys.sign_public))
        return TRUST_ROOT_KEY;
    if (trust_is_refused(m, person, key))
        return TRUST_WITHDRAWN;
    for (const struct chain *c = below; c != NULL; c = c->below)
        if (key_eq(c->key, key))
            return TRUST_ENDLESS_LOOP;
    if (chain.depth > MAX_CHAIN)
        return TRUST_ENDLESS_LOOP;
    enum trust_reason reason = TRUST_NO_PROFILE;
    if (sign_key_object(m, key, &sign_key) &&
        store_referrers(m->store, &sign_key, SPAN("Profile"), false, &versions, NULL) == STATUS_OK)
        reason = decide_by_versions(m, person, &versions, &chain, voucher);
    hash_list_free(&versions);
    return reason;
}

void trust_of_key(struct model *m, const struct hash *person, const struct sign_public *key, struct trust_key *out)
{
    struct trust_voucher voucher;
    *out = (struct trust_key){.key = *key, .person = *person};
    out->reason = decide(m, person, key, NULL, &voucher);
    out->trusted = is_believed(out->reason);
    if (out->reason == TRUST_BY_CERTIFICATE)
        out->voucher = voucher;
}

enum status trust_keys_of(struct model *m, const struct hash *person, struct trust_keys *out, struct error *e)
{
    struct key_walk w;
    struct sign_public key;
    walk_begin(m, person, &w, e);
    while (walk_next(m, &w, &key, e))
        ;
    *out = (struct trust_keys){.items = arena_alloc(m->arena, (w.keys.count + 1) * sizeof *out->items),
                               .count = w.keys.count};
    for (size_t i = 0; i < w.keys.count; i++)
        trust_of_key(m, person, &w.keys.items[i], &out->items[i]);
    profiles_free(&w.profiles);
    return w.status;
}

enum status trust_find(struct model *m, const struct hash *person, trust_test *fits, const void *ctx,
                       struct trust_key *out, struct error *e)
{
    struct key_walk w;
    struct sign_public key;
    bool found = false;
    walk_begin(m, person, &w, e);
    while (!found && walk_next(m, &w, &key, e)) {
        trust_of_key(m, person, &key, out);
        found = out->trusted && (fits == NULL || fits(m, out, ctx));
    }
    profiles_free(&w.profiles);
    if (w.status == STATUS_OK && !found)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "no such key of %.12s is trusted", hash_text(person).s);
    return w.status;
}

bool trust_person(struct model *m, const struct hash *person)
{
    struct trust_key any;
    return trust_find(m, person, NULL, NULL, &any, NULL) == STATUS_OK;
}

const char *trust_reason_text(enum trust_reason reason)
{
    static const char *const texts[] = {
        [TRUST_BY_CERTIFICATE] = "",
        [TRUST_ROOT_KEY] = "root key",
        [TRUST_ENDLESS_LOOP] = "endless loop",
        [TRUST_NO_PROFILE] = "no profiles contain this key",
        [TRUST_NO_CERTIFICATE] = "no certificate found that applies trust",
        [TRUST_WITHDRAWN] = "the contact was forgotten since",
    };
    return texts[reason];
}

enum status trust_withdraw(struct model *m, const struct hash *person, struct error *e)
{
    struct trust_keys keys;
    enum status status = trust_keys_of(m, person, &keys, e);
    for (size_t i = 0; status == STATUS_OK && i < keys.count; i++)
        status = trust_refuse(m, person, &keys.items[i].key, e);
    return status;
}
