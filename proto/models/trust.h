// Signatures, certificates, and whose keys are believed (MODELS.md 4). Nothing is cached: every answer is computed from
// the store's index, so it is right at once after a pairing or an import.
#pragma once

#include "models/licence.h"

#define TRUST_RIGHT_FOR_EVERYBODY "RightToDeclareTrustedKeysForEverybodyCertificate"
#define TRUST_RIGHT_FOR_SELF "RightToDeclareTrustedKeysForSelfCertificate"

// Signature objects over the 64 characters of a hash (4.1). signer may be another own identity than m->self.
enum status trust_sign(struct model *m, const struct identity *signer, const struct hash *data, struct hash *signature,
                       struct error *e);
// License, AffirmationCertificate on data, and its Signature.
enum status trust_affirm(struct model *m, const struct identity *signer, const struct hash *data,
                         struct hash *signature, struct error *e);
// TrustKeysCertificate on a profile version, signed by m->self; RightTo… certificates for a beneficiary.
enum status trust_certify_profile(struct model *m, const struct hash *profile_version, struct error *e);
enum status trust_grant_right(struct model *m, enum licence right, const struct hash *beneficiary, struct error *e);
struct trust_certificate { // a type of certificates (MODELS.md 2.7)
    const char *type;
    enum licence licence;
    const char *subject; // its property that says what, or whom, it is about
};
extern const struct trust_certificate TRUST_CERTIFICATES[];
extern const size_t TRUST_CERTIFICATE_COUNT;
const struct trust_certificate *trust_certificate_find(struct span type); // NULL if there is none
// A certificate with all its properties but the licence, which is added, signed by m->self.
enum status trust_certify(struct model *m, const struct trust_certificate *kind, struct value *certificate,
                          struct hash *hash, struct hash *signature, struct error *e);

enum trust_reason { // why a key is trusted or not (4.3)
    TRUST_BY_CERTIFICATE,
    TRUST_ROOT_KEY,
    TRUST_ENDLESS_LOOP,
    TRUST_NO_PROFILE,
    TRUST_NO_CERTIFICATE,
    TRUST_WITHDRAWN, // not of the reference: the contact was forgotten since
};
const char *trust_reason_text(enum trust_reason reason); // the reference's words; "" for TRUST_BY_CERTIFICATE

struct trust_voucher { // what led to TRUST_BY_CERTIFICATE, and who signed it
    struct hash certificate;
    struct hash issuer;
};

struct trust_key {
    struct sign_public key;
    struct hash person;
    bool trusted;
    enum trust_reason reason;
    struct trust_voucher voucher; // of TRUST_BY_CERTIFICATE, else zero
};

struct trust_keys {
    struct trust_key *items;
    size_t count;
};

// The sign keys of a person with the decision about each. A key counts as the person's only if the person itself or we
// say so, and is trusted only by certificates on profiles of this person: nobody can give somebody else a key.
enum status trust_keys_of(struct model *m, const struct hash *person, struct trust_keys *out, struct error *e);
void trust_of_key(struct model *m, const struct hash *person, const struct sign_public *key, struct trust_key *out);
// The first of the person's trusted keys that fits; fits == NULL: any will do. Looks no further than that one. Code
// NOT-FOUND.
typedef bool trust_test(struct model *m, const struct trust_key *key, const void *ctx);
enum status trust_find(struct model *m, const struct hash *person, trust_test *fits, const void *ctx,
                       struct trust_key *out, struct error *e);
bool trust_person(struct model *m, const struct hash *person); // at least one trusted key

// Takes trust back from every key the person has now: whatever certificates say, they are not trusted here, and our own
// certificates on them count no more at our other node either. What they signed is shown as unsigned.
enum status trust_withdraw(struct model *m, const struct hash *person, struct error *e);
enum status trust_refuse(struct model *m, const struct hash *person, const struct sign_public *key,
                         struct error *e); // one
// Trusts a key as before, because it proved itself anew. Nothing is written if trust was not withdrawn.
enum status trust_restore(struct model *m, const struct hash *person, const struct sign_public *key, struct error *e);
// Both: by us, and the other own node did not restore it since.
bool trust_was_withdrawn(struct model *m, const struct hash *person); // from one of its keys at least
bool trust_is_refused(struct model *m, const struct hash *person, const struct sign_public *key);
bool trust_is_withdrawn(struct model *m, const struct hash *issuer, const struct hash *person,
                        const struct sign_public *key);

enum verification {        // of a channel entry or any signed object (4.4)
    VERIFICATION_VERIFIED, // signed by a trusted key of the author, and the certificate is about this entry
    VERIFICATION_UNSIGNED, // no signature at all, or the author's key is not known or not trusted here
    VERIFICATION_FORGED,   // a signature that does not fit: wrong, about something else, or by somebody else
};
const char *verification_name(enum verification v); // "verified", "unsigned", "forged"

// Remembers the keys of authors while many entries are judged in one job.
struct trust_memo;
struct trust_memo *trust_memo_create(void);
void trust_memo_destroy(struct trust_memo *memo);

// Judges the metadata of a channel entry whose CreationTime is creation_time. *has_author is set when a signature names
// an author; the author of a forged entry is the one it claims. memo may be NULL.
enum status trust_verify_entry(struct model *m, struct trust_memo *memo, const struct hash *creation_time,
                               const struct hash_list *metadata, struct hash *author, bool *has_author,
                               enum verification *out, struct error *e);
// Is an affirmation of the entry by the author among the metadata, made with this key?
bool trust_entry_fits(struct model *m, const struct hash *creation_time, const struct hash_list *metadata,
                      const struct hash *author, const struct sign_public *key);
// Did this person sign the object with this key, or, NULL, is there a signature in that name? Did m->self?
bool trust_signed_by(struct model *m, const struct hash *data, const struct hash *person,
                     const struct sign_public *key);
bool trust_signed_by_me(struct model *m, const struct hash *data);

struct trust_signature { // a Signature object
    struct hash issuer;
    struct hash data;
    struct signature signature;
};
bool trust_read_signature(struct model *m, const struct hash *hash, struct trust_signature *out);
// Is the object a Signature on an AffirmationCertificate? Says about what the certificate is.
bool trust_read_affirmation(struct model *m, const struct hash *hash, struct trust_signature *s, struct hash *about);
bool trust_signature_fits(const struct trust_signature *s, const struct sign_public *key);
