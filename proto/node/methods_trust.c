// Control methods on keys and certificates: trust.*.
#include "data/jsonform.h"
#include "models/contact.h"
#include "models/trust.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"

static json_t *show_certificate(struct model *m, const struct trust_key *key)
{
    struct object o;
    const struct trust_voucher *v = &key->voucher;
    if (hash_is_zero(&v->certificate) || store_get_object(m->store, &v->certificate, m->arena, &o, NULL) != STATUS_OK)
        return json_array();
    return json_pack("[{s:o, s:o, s:o}]", "type", node_json_text(o.recipe->name), "hash", node_json_hash(&o.hash),
                     "issuer", node_json_hash(&v->issuer));
}

// Which it is, and why it counts or does not.
static void add_key(struct model *m, const struct trust_key *key, json_t *item, const char *reason)
{
    char hex[2 * SIGN_PUBLIC + 1];
    hex_encode(key->key.b, SIGN_PUBLIC, hex);
    json_object_set_new(item, "key", json_string(hex));
    json_object_set_new(item, reason, json_string(trust_reason_text(key->reason)));
    json_object_set_new(item, "certificates", show_certificate(m, key));
}

static enum status add_keys(struct model *m, const struct hash *person, json_t *items, struct error *e)
{
    struct trust_keys keys = {0};
    enum status st = trust_keys_of(m, person, &keys, e);
    for (size_t i = 0; st == STATUS_OK && i < keys.count; i++) {
        const struct trust_key *key = &keys.items[i];
        json_t *item = json_pack("{s:o, s:b}", "personId", node_json_hash(&key->person), "trusted", (int)key->trusted);
        add_key(m, key, item, "reason");
        json_array_append_new(items, item);
    }
    return st;
}

static enum status trust_list(struct node_job *job, struct model *m, struct error *e)
{
    struct hash person;
    bool given;
    struct contacts contacts = {0};
    json_t *items = json_array();
    enum status st = node_job_optional_hash(job, P_person, &person, &given, e);
    if (st == STATUS_OK && given) {
        st = add_keys(m, &person, items, e);
    } else if (st == STATUS_OK) {
        st = add_keys(m, &m->self->person, items, e);
        if (st == STATUS_OK)
            st = contact_list(m, &contacts, e);
        for (size_t i = 0; st == STATUS_OK && i < contacts.count; i++)
            st = add_keys(m, &contacts.items[i].person, items, e);
    }
    return node_job_listed(job, st, items);
}

// The certificate that was asked for, without its licence. The subject is a parameter of its own, the other properties
// are fields.
static enum status read_certificate(struct node_job *job, struct model *m, const struct trust_certificate *kind,
                                    const struct hash *subject, struct value **out, struct error *e)
{
    const json_t *fields = ipc_request_json(job->request, P_fields);
    json_t *object = fields != NULL ? json_copy((json_t *)fields) : json_object();
    bool clean = json_object_get(object, "$type$") == NULL && json_object_get(object, "license") == NULL &&
                 json_object_get(object, kind->subject) == NULL;
    json_object_set_new(object, "$type$", json_string(kind->type));
    json_object_set_new(object, kind->subject, node_json_hash(subject));
    enum status st = jsonform_read(m->arena, object, out, e);
    json_decref(object);
    if (!clean)
        st = error_set(e, STATUS_INVALID, "BAD-PARAMS", "fields may not name $type$, license or %s", kind->subject);
    return st;
}

static enum status certify(struct node_job *job, struct model *m, struct error *e)
{
    const struct trust_certificate *kind = trust_certificate_find(node_job_text(job, P_certificate));
    struct hash subject;
    struct hash hash;
    struct hash signature;
    struct value *certificate;
    if (kind == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "there is no such type of certificate");
    enum status st = node_job_hash(job, P_data, &subject, e);
    if (st == STATUS_OK && store_presence(m->store, &subject) == STORE_ABSENT)
        st = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not stored here", hash_text(&subject).s);
    if (st == STATUS_OK)
        st = read_certificate(job, m, kind, &subject, &certificate, e);
    if (st == STATUS_OK)
        st = trust_certify(m, kind, certificate, &hash, &signature, e);
    if (st == STATUS_OK)
        job->result =
            json_pack("{s:o, s:o}", "certificate", node_json_hash(&hash), "signature", node_json_hash(&signature));
    return st;
}

// The key of its issuer that made a signature, a trusted one before others; NULL: none that is known here.
static enum status find_signer(struct model *m, const struct trust_signature *s, const struct trust_key **out,
                               struct error *e)
{
    struct trust_keys keys = {0};
    enum status st = trust_keys_of(m, &s->issuer, &keys, e);
    *out = NULL;
    for (size_t i = 0; st == STATUS_OK && i < keys.count; i++)
        if (trust_signature_fits(s, &keys.items[i].key) && (*out == NULL || keys.items[i].trusted))
            *out = &keys.items[i];
    return st;
}

static json_t *show_signature(struct model *m, const struct trust_signature *s, struct span certificate,
                              const struct trust_key *key)
{
    const char *reason = key == NULL ? "no known key made this signature" : key->trusted ? "" : "key not trusted";
    json_t *item = json_pack("{s:o, s:o, s:b, s:s}", "issuer", node_json_hash(&s->issuer), "certificate",
                             node_json_text(certificate), "trusted", key != NULL && key->trusted, "reason", reason);
    if (key != NULL)
        add_key(m, key, item, "keyReason");
    return item;
}

// Every Signature on an object, or on a certificate about it.
static enum status add_signatures(struct model *m, const struct hash *signed_hash, struct span certificate,
                                  json_t *items, struct error *e)
{
    struct hash_list signatures = {0};
    enum status st = store_referrers(m->store, signed_hash, SPAN("Signature"), false, &signatures, e);
    for (size_t i = 0; st == STATUS_OK && i < signatures.count; i++) {
        struct trust_signature signature;
        const struct trust_key *key;
        if (!trust_read_signature(m, &signatures.items[i], &signature))
            continue;
        st = find_signer(m, &signature, &key, e);
        json_array_append_new(items, show_signature(m, &signature, certificate, key));
    }
    hash_list_free(&signatures);
    return st;
}

static enum status add_certificates(struct model *m, const struct hash *subject, const char *type, json_t *items,
                                    struct error *e)
{
    struct hash_list about = {0};
    enum status st = store_referrers(m->store, subject, span_of(type), false, &about, e);
    for (size_t i = 0; st == STATUS_OK && i < about.count; i++)
        st = add_signatures(m, &about.items[i], span_of(type), items, e);
    hash_list_free(&about);
    return st;
}

static enum status trust_verify(struct node_job *job, struct model *m, struct error *e)
{
    struct hash data;
    json_t *items = json_array();
    enum status st = node_job_hash(job, P_data, &data, e);
    if (st == STATUS_OK)
        st = add_signatures(m, &data, SPAN(""), items, e);
    for (size_t i = 0; st == STATUS_OK && i < TRUST_CERTIFICATE_COUNT; i++)
        st = add_certificates(m, &data, TRUST_CERTIFICATES[i].type, items, e);
    return node_job_listed(job, st, items);
}

const struct node_method NODE_METHODS_TRUST[] = {
    {"trust.list", trust_list, NULL},
    {"trust.certify", certify, NULL},
    {"trust.verify", trust_verify, NULL},
    {NULL, NULL, NULL},
};
