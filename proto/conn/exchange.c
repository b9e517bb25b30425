// What the peer says of itself fills conn_peer and proves nothing; only exchange_verify does. The response is the
// challenge with every bit inverted, so a challenge that is one of ours, or the inverse of one, would have us give the
// answer away (is_ours).
#include "conn/exchange.h"

#include <string.h>

#include "conn/handshake.h"
#include "data/object.h"
#include "wire/jsontext.h"

enum { NAME_MAX_BYTES = 1024 }; // of an e-mail address or an instance name

// ---- Group and sync ----

static const char *const GROUPS[] = {[CONN_PAIRING] = "pairing", [CONN_CHUM] = "chum", [CONN_DEBUG] = "debug"};

void exchange_write_group(enum conn_group group, const char *application, struct buf *out)
{
    buf_add_text(out, "{\"command\":\"connection_group\"");
    message_add_string("connectionGroupName", span_of(group == CONN_APPLICATION ? application : GROUPS[group]), out);
    buf_add_char(out, '}');
}

static enum status find_group(struct span name, const char *application, enum conn_group *group, struct error *e)
{
    if (name.ptr == NULL)
        return message_mismatch("connection_group", e);
    for (size_t i = 0; i < sizeof GROUPS / sizeof GROUPS[0]; i++)
        if (span_eq_text(name, GROUPS[i])) {
            *group = (enum conn_group)i;
            return STATUS_OK;
        }
    if (application == NULL || !span_eq_text(name, application))
        return error_set(e, STATUS_REFUSED, "UNKNOWN-GROUP", "ConnectionRoutesGroupName %.40s not supported", name.ptr);
    *group = CONN_APPLICATION;
    return STATUS_OK;
}

enum status exchange_read_group(bool text, struct span payload, const char *application, enum conn_group *group,
                                struct error *e)
{
    json_t *message = message_read(text, payload, "connection_group", e);
    if (message == NULL)
        return STATUS_INVALID;
    enum status status = find_group(message_string(message, "connectionGroupName"), application, group, e);
    json_decref(message);
    return status;
}

void exchange_write_sync(struct buf *out)
{
    buf_add_text(out, "{\"command\":\"sync\"}");
}

enum status exchange_read_sync(bool text, struct span payload, struct error *e)
{
    json_t *message = message_read(text, payload, "sync", e);
    if (message == NULL)
        return STATUS_INVALID;
    json_decref(message);
    return STATUS_OK;
}

// ---- Id hashes ----

static enum status id_hash(const struct recipes *recipes, const char *type, const char *name, struct span value,
                           const struct hash *owner, struct hash *out, struct error *e)
{
    struct arena *a = arena_create();
    struct value *object = value_object(a, span_of(type));
    value_set_member(a, object, span_of(name), value_string(a, value));
    if (owner != NULL)
        value_set_member(a, object, SPAN("owner"), value_hash(a, owner));
    enum status status = object_id_hash(recipes, object, out, e);
    arena_destroy(a);
    return status;
}

enum status exchange_person_id(const struct recipes *recipes, struct span email, struct hash *out, struct error *e)
{
    return id_hash(recipes, "Person", "email", email, NULL, out, e);
}

enum status exchange_instance_id(const struct recipes *recipes, struct span name, const struct hash *owner,
                                 struct hash *out, struct error *e)
{
    return id_hash(recipes, "Instance", "name", name, owner, out, e);
}

// ---- Person, keys, instance ----

static void begin_object(const char *command, const char *type, struct buf *out)
{
    buf_printf(out, "{\"command\":\"%s\",\"obj\":{\"$type$\":\"%s\"", command, type);
}

static void add_owner(const struct hash *owner, struct buf *out)
{
    buf_printf(out, ",\"owner\":\"%s\"", hash_text(owner).s);
}

// The message and its borrowed obj of the right type; new reference to the message.
static json_t *read_object(bool text, struct span payload, const char *command, const char *type, const json_t **obj,
                           struct error *e)
{
    json_t *message = message_read(text, payload, command, e);
    if (message == NULL)
        return NULL;
    *obj = json_object_get(message, "obj");
    if (span_eq_text(message_string(*obj, "$type$"), type))
        return message;
    message_mismatch(command, e);
    json_decref(message);
    return NULL;
}

static bool usable_name(struct span name)
{
    return name.ptr != NULL && name.len != 0 && name.len <= NAME_MAX_BYTES && memchr(name.ptr, '\0', name.len) == NULL;
}

void exchange_write_person(const struct conn_identity *local, struct buf *out)
{
    begin_object("person_id_object", "Person", out);
    message_add_string("email", span_of(local->email), out);
    buf_add_text(out, "}}");
}

enum status exchange_read_person(const struct recipes *recipes, bool text, struct span payload, struct conn_peer *peer,
                                 struct error *e)
{
    static const char command[] = "person_id_object";
    const json_t *obj;
    json_t *message = read_object(text, payload, command, "Person", &obj, e);
    if (message == NULL)
        return STATUS_INVALID;
    struct span email = message_string(obj, "email");
    enum status status =
        usable_name(email) ? exchange_person_id(recipes, email, &peer->person_id, e) : message_mismatch(command, e);
    if (status == STATUS_OK)
        peer->email = mem_text(email);
    json_decref(message);
    return status;
}

void exchange_write_keys(const struct conn_identity *local, struct buf *out)
{
    begin_object("keys_object", "Keys", out);
    add_owner(&local->person_id, out);
    message_add_key("publicKey", local->person_public.b, out);
    message_add_key("publicSignKey", local->person_sign_public.b, out);
    buf_add_text(out, "}}");
}

static enum status take_keys(const json_t *obj, struct conn_peer *peer, struct error *e)
{
    struct hash owner;
    if (!hash_parse(message_string(obj, "owner"), &owner) || !message_key(obj, "publicKey", peer->person_public.b) ||
        !message_key(obj, "publicSignKey", peer->person_sign_public.b))
        return message_mismatch("keys_object", e);
    if (!hash_eq(&owner, &peer->person_id))
        return error_set(e, STATUS_REFUSED, "EP-KEYS-OWNER-MISMATCH", "The keys belong to another person");
    return STATUS_OK;
}

enum status exchange_read_keys(bool text, struct span payload, struct conn_peer *peer, struct error *e)
{
    const json_t *obj;
    json_t *message = read_object(text, payload, "keys_object", "Keys", &obj, e);
    if (message == NULL)
        return STATUS_INVALID;
    enum status status = take_keys(obj, peer, e);
    json_decref(message);
    return status;
}

bool exchange_names_us(const struct conn_identity *local, const struct conn_peer *peer)
{
    return hash_eq(&peer->person_id, &local->person_id) || public_key_eq(&peer->person_public, &local->person_public) ||
           memcmp(peer->person_sign_public.b, local->person_sign_public.b, SIGN_PUBLIC) == 0;
}

void exchange_write_instance(const struct conn_identity *local, const char *met, struct buf *out)
{
    begin_object("instance_id_object", "Instance", out);
    message_add_string("name", span_of(local->instance_name), out);
    add_owner(&local->person_id, out);
    buf_add_char(out, '}');
    if (local->run[0] != '\0')
        message_add_string("run", span_of(local->run), out);
    if (local->run[0] != '\0' && met[0] != '\0')
        message_add_string("met", span_of(met), out);
    buf_add_char(out, '}');
}

static void take_run(const json_t *message, const char *name, char out[CONN_RUN + 1])
{
    struct span run = message_string(message, name);
    if (run.len == CONN_RUN && message_is_hex(run)) {
        memcpy(out, run.ptr, CONN_RUN);
        out[CONN_RUN] = '\0';
    }
}

static enum status take_instance(const struct recipes *recipes, const json_t *obj, struct conn_peer *peer,
                                 struct error *e)
{
    struct hash owner;
    struct span name = message_string(obj, "name");
    if (!usable_name(name) || !hash_parse(message_string(obj, "owner"), &owner))
        return message_mismatch("instance_id_object", e);
    if (!hash_eq(&owner, &peer->person_id))
        return error_set(e, STATUS_REFUSED, "INSTANCE-OWNER-MISMATCH", "The instance belongs to another person");
    enum status status = exchange_instance_id(recipes, name, &owner, &peer->instance_id, e);
    if (status == STATUS_OK)
        peer->instance_name = mem_text(name);
    return status;
}

enum status exchange_read_instance(const struct recipes *recipes, bool text, struct span payload,
                                   struct conn_peer *peer, struct error *e)
{
    const json_t *obj;
    json_t *message = read_object(text, payload, "instance_id_object", "Instance", &obj, e);
    if (message == NULL)
        return STATUS_INVALID;
    enum status status = take_instance(recipes, obj, peer, e);
    take_run(message, "run", peer->run);
    take_run(message, "met", peer->met);
    json_decref(message);
    return status;
}

// ---- Challenge and response ----

enum status exchange_proof_begin(struct exchange_proof *p, const struct conn_identity *local,
                                 const struct conn_peer *peer, struct error *e)
{
    return box_shared_key(&peer->person_public, &local->person_secret, &p->key, e);
}

static void stop_waiting(struct exchange_proof *p)
{
    struct exchange_proof **link = p->waiting && p->all != NULL ? &p->all->first : NULL;
    while (link != NULL && *link != p)
        link = &(*link)->next;
    if (link != NULL)
        *link = p->next;
    p->waiting = false;
}

void exchange_proof_end(struct exchange_proof *p)
{
    stop_waiting(p);
    secret_destroy(&p->key);
    secret_wipe(p->challenge, sizeof p->challenge);
}

void exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out)
{
    random->fill(random->ctx, p->challenge, sizeof p->challenge);
    p->waiting = true;
    if (p->all != NULL) {
        p->next = p->all->first;
        p->all->first = p;
    }
    handshake_seal(&p->key, random, (struct span){(const char *)p->challenge, sizeof p->challenge}, out);
}

static enum status open_proof(const struct exchange_proof *p, bool text, struct span sealed, struct buf *out,
                              struct error *e)
{
    if (text)
        return error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received message that is not a binary message.");
    enum status status = box_open(&p->key, sealed, out, e);
    if (status == STATUS_OK && out->len != EXCHANGE_CHALLENGE)
        return error_set(e, STATUS_INVALID, "BAD-CHALLENGE", "The challenge is not %d bytes long", EXCHANGE_CHALLENGE);
    return status;
}

static void invert(struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        b->data[i] = (char)~b->data[i];
}

// Equal, or equal once every bit is inverted: then the answer would be the challenge itself.
static bool resembles(const struct exchange_proof *own, const struct buf *plain)
{
    uint8_t differing = 0;
    uint8_t agreeing = 0;
    for (size_t i = 0; i < EXCHANGE_CHALLENGE; i++) {
        uint8_t difference = own->challenge[i] ^ (uint8_t)plain->data[i];
        differing |= difference;
        agreeing |= (uint8_t)~difference;
    }
    return own->waiting && (differing == 0 || agreeing == 0);
}

static bool is_ours(const struct exchange_proof *p, const struct buf *plain)
{
    bool ours = resembles(p, plain);
    for (const struct exchange_proof *own = p->all != NULL ? p->all->first : NULL; own != NULL; own = own->next)
        ours = ours || resembles(own, plain);
    return ours;
}

enum status exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                             struct span challenge, struct buf *out, struct error *e)
{
    struct buf plain = {0};
    enum status status = open_proof(p, text, challenge, &plain, e);
    if (status == STATUS_OK && is_ours(p, &plain))
        status = error_set(e, STATUS_REFUSED, "CHALLENGE-REFLECTED", "The challenge is our own");
    if (status == STATUS_OK) {
        invert(&plain);
        handshake_seal(&p->key, random, buf_span(&plain), out);
    }
    buf_free(&plain);
    return status;
}

enum status exchange_verify(const struct exchange_proof *p, bool text, struct span response, struct error *e)
{
    struct buf plain = {0};
    enum status status = open_proof(p, text, response, &plain, e);
    if (status == STATUS_OK) {
        invert(&plain);
        struct span expected = {(const char *)p->challenge, sizeof p->challenge};
        if (!bytes_eq_constant_time(buf_span(&plain), expected))
            status = error_set(e, STATUS_REFUSED, "BAD-RESPONSE", "The peer does not hold the key it names");
    }
    buf_free(&plain);
    return status;
}
