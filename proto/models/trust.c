// Making signatures and certificates, and judging them. Whose keys are believed is in trust_decision.c. A certificate
// says nothing without a signature, which is an object of its own that refers to it: so what is said about something is
// found from there, by the reverse map. Signed are the digits of a hash, not its bytes.
#include "models/trust.h"

#include <stdlib.h>
#include <string.h>

#include "models/history.h"

// ---- Signing --------------------------------------------------------------------------------------------------------

// A signature covers the 64 digits of the hash (MODELS.md 4.1).
enum status trust_sign(struct model *m, const struct identity *signer, const struct hash *data, struct hash *signature,
                       struct error *e)
{
    struct signature made;
    char hex[2 * SIGN_SIZE + 1];
    sign_make(&signer->person_keys.sign_secret, span_of(hash_text(data).s), &made);
    hex_encode(made.b, sizeof made.b, hex);
    struct value *object = model_object(m, "Signature");
    model_set_hash(m, object, "issuer", &signer->person);
    model_set_hash(m, object, "data", data);
    model_set_text(m, object, "signature", span_of(hex));
    return model_put(m, object, signature, e);
}

static enum status set_licence(struct model *m, struct value *certificate, enum licence which, struct error *e)
{
    struct hash licence;
    enum status status = licence_put(m, which, &licence, e);
    if (status == STATUS_OK)
        model_set_hash(m, certificate, "license", &licence);
    return status;
}

// Stores a certificate with its licence and signs it.
static enum status certify(struct model *m, const struct identity *signer, struct value *certificate,
                           enum licence licence, struct hash *hash, struct hash *signature, struct error *e)
{
    enum status status = set_licence(m, certificate, licence, e);
    if (status == STATUS_OK)
        status = model_put(m, certificate, hash, e);
    if (status == STATUS_OK)
        status = trust_sign(m, signer, hash, signature, e);
    return status;
}

const struct trust_certificate TRUST_CERTIFICATES[] = {
    {"AffirmationCertificate", LICENCE_AFFIRMATION, "data"},
    {"TrustKeysCertificate", LICENCE_TRUST_KEYS, "profile"},
    {TRUST_RIGHT_FOR_EVERYBODY, LICENCE_RIGHT_FOR_EVERYBODY, "beneficiary"},
    {TRUST_RIGHT_FOR_SELF, LICENCE_RIGHT_FOR_SELF, "beneficiary"},
    {"RelationCertificate", LICENCE_RELATION, "person2"},
    {"AccessUnversionedObjectCertificate", LICENCE_ACCESS_UNVERSIONED, "data"},
    {"AccessVersionedObjectCertificate", LICENCE_ACCESS_VERSIONED, "data"},
};
const size_t TRUST_CERTIFICATE_COUNT = sizeof TRUST_CERTIFICATES / sizeof *TRUST_CERTIFICATES;

const struct trust_certificate *trust_certificate_find(struct span type)
{
    for (size_t i = 0; i < TRUST_CERTIFICATE_COUNT; i++)
        if (span_eq_text(type, TRUST_CERTIFICATES[i].type))
            return &TRUST_CERTIFICATES[i];
    return NULL;
}

enum status trust_certify(struct model *m, const struct trust_certificate *kind, struct value *certificate,
                          struct hash *hash, struct hash *signature, struct error *e)
{
    return certify(m, m->self, certificate, kind->licence, hash, signature, e);
}

enum status trust_affirm(struct model *m, const struct identity *signer, const struct hash *data,
                         struct hash *signature, struct error *e)
{
    struct hash hash;
    struct value *certificate = model_object(m, "AffirmationCertificate");
    model_set_hash(m, certificate, "data", data);
    return certify(m, signer, certificate, LICENCE_AFFIRMATION, &hash, signature, e);
}

enum status trust_certify_profile(struct model *m, const struct hash *profile_version, struct error *e)
{
    struct hash hash;
    struct hash signature;
    struct value *certificate = model_object(m, "TrustKeysCertificate");
    model_set_hash(m, certificate, "profile", profile_version);
    return certify(m, m->self, certificate, LICENCE_TRUST_KEYS, &hash, &signature, e);
}

enum status trust_grant_right(struct model *m, enum licence right, const struct hash *beneficiary, struct error *e)
{
    struct hash hash;
    struct hash signature;
    struct value *certificate =
        model_object(m, right == LICENCE_RIGHT_FOR_SELF ? TRUST_RIGHT_FOR_SELF : TRUST_RIGHT_FOR_EVERYBODY);
    model_set_hash(m, certificate, "beneficiary", beneficiary);
    return certify(m, m->self, certificate, right, &hash, &signature, e);
}

// ---- Verifying ------------------------------------------------------------------------------------------------------

bool trust_read_signature(struct model *m, const struct hash *hash, struct trust_signature *out)
{
    struct value *object;
    struct span hex;
    return model_read(m, hash, "Signature", &object, NULL) == STATUS_OK &&
           value_get_hash(object, "issuer", &out->issuer) && value_get_hash(object, "data", &out->data) &&
           value_get_string(object, "signature", &hex) && hex_decode(hex, out->signature.b, sizeof out->signature.b);
}

bool trust_signature_fits(const struct trust_signature *s, const struct sign_public *key)
{
    return sign_verify(key, span_of(hash_text(&s->data).s), &s->signature);
}

bool trust_signed_by(struct model *m, const struct hash *data, const struct hash *person, const struct sign_public *key)
{
    struct hash_list signatures = {0};
    bool found = false;
    if (store_referrers(m->store, data, SPAN("Signature"), false, &signatures, NULL) != STATUS_OK)
        signatures.count = 0;
    for (size_t i = 0; i < signatures.count && !found; i++) {
        struct trust_signature s;
        found = trust_read_signature(m, &signatures.items[i], &s) && hash_eq(&s.data, data) &&
                hash_eq(&s.issuer, person) && (key == NULL || trust_signature_fits(&s, key));
    }
    hash_list_free(&signatures);
    return found;
}

bool trust_signed_by_me(struct model *m, const struct hash *data)
{
    return trust_signed_by(m, data, &m->self->person, &m->self->person_keys.sign_public);
}

// ---- Channel entries ------------------------------------------------------------------------------------------------

// Is the object a Signature on an AffirmationCertificate? Says about what the certificate is.
bool trust_read_affirmation(struct model *m, const struct hash *hash, struct trust_signature *s, struct hash *about)
{
    struct store_info info;
    struct value *certificate;
    return store_info(m->store, hash, &info, NULL) == STATUS_OK && strcmp(info.type, "Signature") == 0 &&
           trust_read_signature(m, hash, s) &&
           model_read(m, &s->data, "AffirmationCertificate", &certificate, NULL) == STATUS_OK &&
           value_get_hash(certificate, "data", about);
}

bool trust_entry_fits(struct model *m, const struct hash *creation_time, const struct hash_list *metadata,
                      const struct hash *author, const struct sign_public *key)
{
    for (size_t i = 0; i < metadata->count; i++) {
        struct trust_signature s;
        struct hash about;
        if (trust_read_affirmation(m, &metadata->items[i], &s, &about) && hash_eq(&about, creation_time) &&
            hash_eq(&s.issuer, author) && trust_signature_fits(&s, key))
            return true;
    }
    return false;
}
