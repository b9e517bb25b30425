// The key of the two instances seals nothing but the two ephemeral keys; everything behind it is sealed with what those
// make, and they are forgotten then. Nonces are random here and stand in front of what they seal. Those that count
// begin behind the handshake (wire/frame.c).
#include "conn/handshake.h"

#include <string.h>

// ---- The two texts ----

static const char REQUEST[] = "communication_request";
static const char READY[] = "communication_ready";

void handshake_write_request(const struct handshake_request *r, struct buf *out)
{
    buf_printf(out, "{\"command\":\"%s\"", REQUEST);
    message_add_key("sourcePublicKey", r->source.b, out);
    message_add_key("targetPublicKey", r->target.b, out);
    buf_add_char(out, '}');
}

static enum status read_keys(const json_t *message, struct handshake_request *r, struct error *e)
{
    if (!message_is_hex(message_string(message, "sourcePublicKey")) ||
        !message_is_hex(message_string(message, "targetPublicKey")))
        return message_mismatch(REQUEST, e);
    if (!message_key(message, "sourcePublicKey", r->source.b) || !message_key(message, "targetPublicKey", r->target.b))
        return error_set(e, STATUS_INVALID, "CYENC-ENSPUB", "Data is not a public key");
    return STATUS_OK;
}

enum status handshake_read_request(bool text, struct span payload, struct handshake_request *r, struct error *e)
{
    json_t *message = message_read(text, payload, REQUEST, e);
    if (message == NULL)
        return STATUS_INVALID;
    enum status status = read_keys(message, r, e);
    json_decref(message);
    return status;
}

void handshake_write_ready(bool relayed, struct buf *out)
{
    buf_printf(out, "{\"command\":\"%s\"%s}", READY, relayed ? ",\"relayed\":true" : "");
}

enum status handshake_read_ready(bool text, struct span payload, bool *relayed, struct error *e)
{
    json_t *message = message_read(text, payload, READY, e);
    if (message == NULL)
        return STATUS_INVALID;
    *relayed = json_is_true(json_object_get(message, "relayed"));
    json_decref(message);
    return STATUS_OK;
}

// ---- The two keys ----

enum status handshake_keys_begin(struct handshake_keys *k, const struct secret *own, const struct public_key *other,
                                 const struct random_source *random, struct error *e)
{
    enum status status = box_shared_key(other, own, &k->long_term, e);
    if (status != STATUS_OK)
        return status;
    k->ephemeral_secret = secret_create(BOX_KEY);
    random->fill(random->ctx, k->ephemeral_secret.data, BOX_KEY);
    box_public_from_secret(&k->ephemeral_secret, &k->ephemeral_public);
    return STATUS_OK;
}

void handshake_keys_end(struct handshake_keys *k)
{
    secret_destroy(&k->ephemeral_secret);
    secret_destroy(&k->long_term);
    *k = (struct handshake_keys){0};
}

void handshake_seal(const struct secret *key, const struct random_source *random, struct span message, struct buf *out)
{
    uint8_t nonce[BOX_NONCE];
    random->fill(random->ctx, nonce, sizeof nonce);
    buf_add(out, nonce, sizeof nonce);
    box_seal_nonce(key, nonce, message, out);
}

void handshake_write_key(const struct handshake_keys *k, const struct random_source *random, struct buf *out)
{
    handshake_seal(&k->long_term, random, (struct span){(const char *)k->ephemeral_public.b, BOX_KEY}, out);
}

static enum status derive(const struct handshake_keys *k, struct span ephemeral, struct secret *shared, struct error *e)
{
    if (ephemeral.len != BOX_KEY)
        return error_set(e, STATUS_INVALID, "BAD-PUBLIC-KEY", "bad public key size");
    struct public_key other;
    memcpy(other.b, ephemeral.ptr, BOX_KEY);
    return box_shared_key(&other, &k->ephemeral_secret, shared, e);
}

enum status handshake_read_key(const struct handshake_keys *k, bool text, struct span payload, struct secret *shared,
                               struct error *e)
{
    if (text)
        return error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received message that is not a binary message.");
    struct buf ephemeral = {0};
    enum status status = box_open(&k->long_term, payload, &ephemeral, e);
    if (status == STATUS_OK)
        status = derive(k, buf_span(&ephemeral), shared, e);
    buf_free(&ephemeral);
    return status;
}
