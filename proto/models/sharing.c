// All of it may be repeated: a grant that is there is not written again, so a start, a pairing and a restore each
// simply share everything. What is the other node's own is left out everywhere (is_theirs), or the two would hand each
// other's things to and fro. What cannot be read is passed over with a warning (share_one_of): a damaged object keeps
// nothing else from the other node.
#include "models/sharing.h"

#include <string.h>

#include "base/log.h"
#include "models/access.h"
#include "models/channel.h"
#include "models/contact.h"
#include "models/keeping.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/selves.h"
#include "models/someone.h"
#include "models/topic.h"
#include "models/trust.h"

// ---- One thing with the own node ------------------------------------------------------------------------------------

static bool exists(struct model *m, const struct hash *hash)
{
    return store_presence(m->store, hash) != STORE_ABSENT;
}

// Of the other own node, or one of its further identities.
static bool is_theirs(struct model *m, const struct hash *own, const struct hash *person)
{
    return hash_eq(person, own) || selves_is_elsewhere(m, person);
}

static enum status share_id(struct model *m, const struct hash *own, const struct hash *id_hash, struct error *e)
{
    return access_grant(m, (struct access_target){ACCESS_ID, *id_hash}, own, e);
}

static enum status share_someone(struct model *m, const struct hash *own, const struct hash *id_hash, struct error *e)
{
    struct someone s;
    enum status status = someone_load(m, id_hash, &s, e);
    bool theirs = status == STATUS_OK && (someone_find(&s, own) != NULL || span_eq_text(s.someone_id, SOMEONE_ME));
    theirs = theirs || (status == STATUS_OK && s.count != 0 && selves_is_elsewhere(m, &s.identities[0].person));
    if (status == STATUS_OK && !theirs)
        status = share_id(m, own, id_hash, e);
    someone_free(&s);
    return status;
}

// Our certificates on a version of a profile, so that the other node believes the keys too.
static enum status share_certificates(struct model *m, const struct hash *own, const struct hash *version,
                                      struct error *e)
{
    struct hash_list certificates = {0};
    enum status status = store_referrers(m->store, version, SPAN("TrustKeysCertificate"), false, &certificates, e);
    for (size_t i = 0; status == STATUS_OK && i < certificates.count; i++) {
        struct hash_list signatures = {0};
        status = store_referrers(m->store, &certificates.items[i], SPAN("Signature"), false, &signatures, e);
        for (size_t k = 0; status == STATUS_OK && k < signatures.count; k++)
            status = access_grant(m, (struct access_target){ACCESS_OBJECT, signatures.items[k]}, own, e);
        hash_list_free(&signatures);
    }
    hash_list_free(&certificates);
    return status;
}

static enum status share_profile(struct model *m, const struct hash *own, const struct hash *id_hash, struct error *e)
{
    struct profile p;
    enum status status = profile_load(m, id_hash, &p, e);
    bool theirs = status == STATUS_OK && (is_theirs(m, own, &p.person) || is_theirs(m, own, &p.owner));
    if (status == STATUS_OK && !theirs)
        status = share_id(m, own, id_hash, e);
    if (status == STATUS_OK && !theirs && !hash_eq(&p.person, &m->self->person))
        status = share_certificates(m, own, &p.hash, e);
    profile_free(&p);
    return status;
}

static enum status share_channel(struct model *m, const struct hash *own, const struct hash *id_hash, struct error *e)
{
    struct channel c;
    enum status status = channel_get(m, id_hash, &c, e);
    return status != STATUS_OK || is_theirs(m, own, &c.owner) ? status : share_id(m, own, id_hash, e);
}

enum status sharing_notice(struct model *m, const char *type, const struct hash *id_hash, struct error *e)
{
    struct hash own;
    if (sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK;
    if (strcmp(type, "Someone") == 0)
        return share_someone(m, &own, id_hash, e);
    if (strcmp(type, "Profile") == 0)
        return share_profile(m, &own, id_hash, e);
    if (strcmp(type, "ChannelInfo") == 0)
        return share_channel(m, &own, id_hash, e);
    return strcmp(type, "Settings") == 0 ? share_id(m, &own, id_hash, e) : STATUS_OK;
}

static bool is_of(struct model *m, const struct hash *owner, const struct hash *own)
{
    struct value *instance;
    struct hash person;
    return hash_eq(owner, own) || (model_read(m, owner, "Instance", &instance, NULL) == STATUS_OK &&
                                   value_get_hash(instance, "owner", &person) && hash_eq(&person, own));
}

// Keys of a contact; those of our two nodes are signed again by a pairing.
static bool is_of_contact(struct model *m, const struct value *keys)
{
    struct hash own;
    struct hash owner;
    return value_get_hash(keys, "owner", &owner) && !is_of(m, &owner, &m->self->person) &&
           (sharing_own_node(m, &own, NULL) != STATUS_OK || !is_of(m, &owner, &own));
}

static bool is_about_entry(struct model *m, const struct value *certificate)
{
    struct hash about;
    struct store_info info;
    return value_get_hash(certificate, "data", &about) &&
           (store_info(m->store, &about, &info, NULL) != STATUS_OK || strcmp(info.type, "CreationTime") == 0);
}

bool sharing_is_worth_keeping(struct model *m, const struct hash *signature, const struct hash *issuer)
{
    struct trust_signature s;
    struct store_info info;
    struct value *object;
    struct hash profile;
    if (!trust_read_signature(m, signature, &s) || !hash_eq(&s.issuer, issuer) ||
        store_info(m->store, &s.data, &info, NULL) != STATUS_OK ||
        (strcmp(info.type, "Keys") != 0 && trust_certificate_find(span_of(info.type)) == NULL) ||
        model_read(m, &s.data, info.type, &object, NULL) != STATUS_OK)
        return false;
    if (strcmp(info.type, "Keys") == 0)
        return is_of_contact(m, object);
    if (strcmp(info.type, "AffirmationCertificate") == 0)
        return !is_about_entry(m, object);
    return strcmp(info.type, "TrustKeysCertificate") != 0 ||
           (value_get_hash(object, "profile", &profile) && exists(m, &profile));
}

// By the main identity, or, as far as can be seen without its keys, by a further one.
static bool is_genuine(struct model *m, const struct trust_signature *s)
{
    return !hash_eq(&s->issuer, &m->self->person) || trust_signature_fits(s, &m->self->person_keys.sign_public);
}

enum status sharing_notice_object(struct model *m, const char *type, const struct hash *hash, struct error *e)
{
    struct hash own;
    struct trust_signature s;
    if (sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK;
    if (strcmp(type, "Topic") == 0)
        return access_grant(m, (struct access_target){ACCESS_OBJECT, *hash}, &own, e);
    if (strcmp(type, "Signature") != 0 || !trust_read_signature(m, hash, &s) || !leute_is_me(m, &s.issuer) ||
        !sharing_is_worth_keeping(m, hash, &s.issuer) || !is_genuine(m, &s))
        return STATUS_OK;
    return access_grant(m, (struct access_target){ACCESS_OBJECT, *hash}, &own, e);
}

// ---- Everything there is --------------------------------------------------------------------------------------------

// What is lost or damaged here is not shared, and keeps nothing else from it.
static enum status share_one_of(struct model *m, const char *type, const struct hash *id_hash, struct error *e)
{
    struct error why = {0};
    enum status status = store_savepoint(m->store, e);
    if (status != STATUS_OK)
        return status;
    status = sharing_notice(m, type, id_hash, &why);
    if (status == STATUS_OK)
        return store_release(m->store, e);
    store_undo(m->store);
    LOG(LOG_WARN, "share.skipped", LOG_TEXT("type", type), LOG_HASH("idHash", id_hash), LOG_TEXT("code", why.code),
        LOG_TEXT("why", why.message));
    if (status != STATUS_IO && status != STATUS_FULL)
        return STATUS_OK;
    return error_set(e, status, why.code, "%s", why.message);
}

static enum status share_all_of(struct model *m, const char *type, struct error *e)
{
    struct hash_list ids = {0};
    enum status status = store_ids_of_type(m->store, span_of(type), &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++)
        status = share_one_of(m, type, &ids.items[i], e);
    hash_list_free(&ids);
    return status;
}

static enum status share_all_topics(struct model *m, struct error *e)
{
    struct topics topics;
    enum status status = topic_list(m, &topics, e);
    for (size_t i = 0; status == STATUS_OK && i < topics.count; i++)
        status = sharing_notice_object(m, "Topic", &topics.items[i].hash, e);
    return status;
}

static enum status share_all(struct model *m, struct error *e)
{
    static const char *const types[] = {"Someone", "Profile", "ChannelInfo", "Settings"};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof types / sizeof *types; i++)
        status = share_all_of(m, types[i], e);
    if (status == STATUS_OK)
        status = share_all_topics(m, e);
    return status == STATUS_OK ? keeping_all(m, e) : status;
}

enum status sharing_everything(struct model *m, struct error *e)
{
    return share_all(m, e);
}

enum status sharing_set_own_node(struct model *m, const struct hash *person, const struct public_key *instance_key,
                                 struct error *e)
{
    if (hash_eq(person, &m->self->person))
        return error_set(e, STATUS_INVALID, "EMAILS-EQUAL", "the other node is another person than this one");
    enum status status = own_node_set_key(m, instance_key, e);
    if (status != STATUS_OK || sharing_is_own_node(m, person))
        return status;
    status = own_node_set_person(m, person, e);
    if (status == STATUS_OK) // it vouches for the contacts it has paired with
        status = trust_grant_right(m, LICENCE_RIGHT_FOR_EVERYBODY, person, e);
    return status == STATUS_OK ? share_all(m, e) : status;
}

enum status sharing_apply(struct model *m, const struct hash *person, struct error *e)
{
    struct hash profile;
    struct topic topic;
    if (!contact_exists(m, person))
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "%s is not a contact", hash_text(person).s);
    enum status status = profile_own(m, &profile, e);
    if (status == STATUS_OK)
        status = access_grant(m, (struct access_target){ACCESS_ID, profile}, person, e);
    if (status == STATUS_OK)
        status = topic_open_one_to_one(m, person, &topic, e);
    if (status == STATUS_OK) // an older topic may have lost its grants when the contact was forgotten
        status = topic_add_persons(m, &topic, person, 1, e);
    if (status == STATUS_OK && sharing_is_own_node(m, person))
        status = share_all(m, e);
    return status;
}
