// A licence is known by the hash of its text, so these sentences are data and not wording: to change one makes
// certificates of another kind, which no peer and no older store knows.
#include "models/licence.h"

const char *const LICENCE_NAMES[LICENCE_COUNT] = {
    [LICENCE_AFFIRMATION] = "Affirmation",
    [LICENCE_TRUST_KEYS] = "TrustKeys",
    [LICENCE_RIGHT_FOR_EVERYBODY] = "RightToDeclareTrustedKeysForEverybodyLicense",
    [LICENCE_RIGHT_FOR_SELF] = "RightToDeclareTrustedKeysForSelf",
    [LICENCE_RELATION] = "Relation",
    [LICENCE_ACCESS_UNVERSIONED] = "AccessUnversionedObject",
    [LICENCE_ACCESS_VERSIONED] = "AccessVersionedObject",
};

static const char *const sentences[LICENCE_COUNT] = {
    [LICENCE_AFFIRMATION] = "Whoever signed this certificate stands by the content of [data].",
    [LICENCE_TRUST_KEYS] =
        "Whoever signed this certificate has made sure that the person of [profile] holds the keys listed there.",
    [LICENCE_RIGHT_FOR_EVERYBODY] = "Whoever signed this certificate lets [beneficiary] vouch for the keys of any "
                                    "person by TrustKeys certificates.",
    [LICENCE_RIGHT_FOR_SELF] = "Whoever signed this certificate lets [beneficiary] vouch for keys in its own profiles "
                               "by Affirmation certificates.",
    [LICENCE_RELATION] =
        "Whoever signed this certificate states that, within [app], [person1] is the [relation] of [person2].",
    [LICENCE_ACCESS_UNVERSIONED] = "Whoever signed this certificate lets [person] read the object [data].",
    [LICENCE_ACCESS_VERSIONED] =
        "Whoever signed this certificate lets [person] read [data] in all its versions, those to come included.",
};

enum status licence_put(struct model *m, enum licence which, struct hash *hash, struct error *e)
{
    if (m->fixed != NULL && m->fixed->licences != NULL) {
        *hash = m->fixed->licences[which];
        return STATUS_OK;
    }
    struct value *licence = model_object(m, "License");
    model_set_text(m, licence, "name", span_of(LICENCE_NAMES[which]));
    model_set_text(m, licence, "description", span_of(sentences[which]));
    return model_put(m, licence, hash, e);
}
