// The messages of handshake, group, sync and identity, in the order in which each role awaits them (WIRE.md 4.2, 5.1).
#include "conn/conn_internal.h"

// ---- Handshake ----

static enum status send_own_key(struct conn *c, struct error *e)
{
    enum status status = handshake_keys_begin(&c->keys, &c->local->instance_secret, &c->peer.long_term, c->random, e);
    if (status != STATUS_OK)
        return status;
    struct buf key = {0};
    handshake_write_key(&c->keys, c->random, &key);
    conn_emit(c, false, "key", &key);
    return STATUS_OK;
}

static enum status take_ready(struct conn *c, bool text, struct span message, struct error *e)
{
    bool relayed = false;
    enum status status = handshake_read_ready(text, message, &relayed, e);
    if (status != STATUS_OK)
        return status;
    c->transport->relayed = c->transport->relayed || relayed;
    return send_own_key(c, e);
}

static enum status begin_encryption(struct conn *c, bool text, struct span message, struct error *e)
{
    struct secret shared;
    enum status status = handshake_read_key(&c->keys, text, message, &shared, e);
    if (status != STATUS_OK)
        return status;
    if (c->role == CONN_ACCEPTOR) {
        struct buf key = {0};
        handshake_write_key(&c->keys, c->random, &key);
        conn_emit(c, false, "key", &key);
    }
    handshake_keys_end(&c->keys);
    conn_encrypt(c, &shared);
    return STATUS_OK;
}

static enum status take_acceptor_key(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = begin_encryption(c, text, message, e);
    if (status != STATUS_OK)
        return status;
    struct buf group = {0};
    exchange_write_group(c->group, c->host->application, &group);
    conn_emit(c, true, "connection_group", &group);
    return STATUS_OK;
}

static enum status take_request(struct conn *c, bool text, struct span message, struct error *e)
{
    struct handshake_request request;
    enum status status = handshake_read_request(text, message, &request, e);
    if (status != STATUS_OK)
        return status;
    struct buf ready = {0};
    handshake_write_ready(c->transport->relayed, &ready);
    conn_emit(c, true, "communication_ready", &ready);
    c->local = c->host->identity(c->host->ctx, &request.target);
    if (c->local == NULL)
        return error_set(e, STATUS_REFUSED, "UNKNOWN-TARGET",
                         "We do not accept connections for this target public key");
    c->peer.long_term = request.source;
    conn_set_state(c, CONN_ENCRYPTING);
    return handshake_keys_begin(&c->keys, &c->local->instance_secret, &c->peer.long_term, c->random, e);
}

// ---- Group and sync ----

static void send_person(struct conn *c)
{
    struct buf person = {0};
    exchange_write_person(c->local, &person);
    conn_emit(c, true, "person_id_object", &person);
}

// The duplicate rule, then the identity exchange begins.
static enum status begin_identity(struct conn *c)
{
    conn_set_state(c, CONN_AUTHENTICATING);
    const char *reason = c->host->assigned(c->host->ctx, c);
    if (reason != NULL)
        conn_close(c, reason);
    else
        send_person(c);
    return STATUS_OK;
}

static enum status take_group(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_read_group(text, message, c->host->application, &c->group, e);
    if (status != STATUS_OK)
        return status;
    if (!c->host->admits(c->host->ctx, c->local, &c->peer.long_term, c->group)) {
        conn_close(c, "I do not want to communicate with you. Go Away!");
        return STATUS_OK;
    }
    struct buf sync = {0};
    exchange_write_sync(&sync);
    conn_emit(c, true, "sync", &sync);
    return begin_identity(c);
}

static enum status take_sync(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_read_sync(text, message, e);
    return status == STATUS_OK ? begin_identity(c) : status;
}

// ---- Person and keys ----

static enum status take_person(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_read_person(c->host->recipes, text, message, &c->peer, e);
    if (status != STATUS_OK)
        return status;
    struct buf keys = {0};
    exchange_write_keys(c->local, &keys);
    conn_emit(c, true, "keys_object", &keys);
    return STATUS_OK;
}

static void send_challenge(struct conn *c)
{
    struct buf challenge = {0};
    exchange_challenge(&c->proof, c->random, &challenge);
    conn_emit(c, false, "challenge", &challenge);
}

// ---- What is known ----

#define OWN_PERSON "The person you name is our own"

enum status conn_check_known(struct conn *c, struct error *e)
{
    const struct conn_host *host = c->host;
    struct hash person = c->peer.person_id, instance;
    c->peer.known = host->known(host->ctx, c->local, &c->peer.long_term, &person, &instance);
    if (c->peer.known && !hash_eq(&person, &c->peer.person_id))
        return error_set(e, STATUS_REFUSED, "EP-PERSONIDMISMATCH",
                         "The person id does not match the one on record for this instance key");
    if (c->peer.known && c->peer.instance_name != NULL && !hash_eq(&instance, &c->peer.instance_id))
        return error_set(e, STATUS_REFUSED, "EP-INSTANCEIDMISMATCH",
                         "The instance id we have on record for this instance key is another one");
    return STATUS_OK;
}

// Checks 3 and 4 of WIRE.md 5.5, and what the host thinks. They come before the proofs, because whoever answers a
// challenge helps one of the two that the keys belong to, not the one that asks (5.4); and again after them.
static enum status check_person(struct conn *c, struct error *e)
{
    if (exchange_names_us(c->local, &c->peer))
        return error_set(e, STATUS_REFUSED, "OWN-PERSON", OWN_PERSON);
    enum status status = conn_check_known(c, e);
    if (status != STATUS_OK)
        return status;
    switch (c->host->person_key(c->host->ctx, &c->peer.person_id, &c->peer.person_public)) {
    case CONN_KEY_OURS:
        return error_set(e, STATUS_REFUSED, "OWN-PERSON", OWN_PERSON);
    case CONN_KEY_DIFFERS:
        return error_set(e, STATUS_REFUSED, "EP-KEYMISSMATCH", "Key does not match your previous visit");
    case CONN_KEY_NEW:
    case CONN_KEY_MATCHES:
        break;
    }
    return c->host->claim != NULL ? c->host->claim(c->host->ctx, c, e) : STATUS_OK;
}

static enum status take_keys(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_read_keys(text, message, &c->peer, e);
    if (status == STATUS_OK)
        status = check_person(c, e);
    if (status == STATUS_OK)
        status = exchange_proof_begin(&c->proof, c->local, &c->peer, e);
    if (status == STATUS_OK && c->role == CONN_ACCEPTOR)
        send_challenge(c);
    return status;
}

// ---- Challenges ----

static enum status respond(struct conn *c, bool text, struct span challenge, struct error *e)
{
    struct buf response = {0};
    enum status status = exchange_respond(&c->proof, c->random, text, challenge, &response, e);
    if (status == STATUS_OK)
        conn_emit(c, false, "response", &response);
    return status;
}

// The proof is complete: the person stands, now the instance.
static enum status finish_proof(struct conn *c, struct error *e)
{
    exchange_proof_end(&c->proof);
    c->proved = true;
    enum status status = check_person(c, e);
    if (status != STATUS_OK)
        return status;
    struct buf instance = {0};
    exchange_write_instance(
        c->local, c->host->met != NULL ? c->host->met(c->host->ctx, c->local, &c->peer.long_term) : "", &instance);
    conn_emit(c, true, "instance_id_object", &instance);
    return STATUS_OK;
}

static enum status take_acceptor_challenge(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = respond(c, text, message, e);
    if (status == STATUS_OK)
        send_challenge(c);
    return status;
}

static enum status take_acceptor_response(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_verify(&c->proof, text, message, e);
    return status == STATUS_OK ? finish_proof(c, e) : status;
}

static enum status take_initiator_response(struct conn *c, bool text, struct span message, struct error *e)
{
    return exchange_verify(&c->proof, text, message, e);
}

static enum status take_initiator_challenge(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = respond(c, text, message, e);
    return status == STATUS_OK ? finish_proof(c, e) : status;
}

// ---- Instance ----

static enum status take_instance(struct conn *c, bool text, struct span message, struct error *e)
{
    enum status status = exchange_read_instance(c->host->recipes, text, message, &c->peer, e);
    return status == STATUS_OK ? conn_check_known(c, e) : status;
}

const struct conn_step CONN_STEPS_INITIATOR[] = {
    {take_ready, true, "communication_ready"},
    {take_acceptor_key, true, "key"},
    {take_sync, false, "sync"},
    {take_person, false, "person_id_object"},
    {take_keys, false, "keys_object"},
    {take_acceptor_challenge, false, "challenge"},
    {take_acceptor_response, false, "response"},
    {take_instance, false, "instance_id_object"},
    {NULL, false, NULL},
};

const struct conn_step CONN_STEPS_ACCEPTOR[] = {
    {take_request, true, "communication_request"},
    {begin_encryption, true, "key"},
    {take_group, false, "connection_group"},
    {take_person, false, "person_id_object"},
    {take_keys, false, "keys_object"},
    {take_initiator_response, false, "response"},
    {take_initiator_challenge, false, "challenge"},
    {take_instance, false, "instance_id_object"},
    {NULL, false, NULL},
};
