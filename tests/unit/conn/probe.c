#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- What the node sends ----

static void take_key(struct probe *p, struct span payload)
{
    struct secret shared;
    if (handshake_read_key(&p->keys, false, payload, &shared, NULL) != STATUS_OK)
        return;
    frame_codec_begin(&p->codec, &shared, p->role == CONN_INITIATOR ? FRAME_INITIATOR : FRAME_ACCEPTOR, &RANDOM_SYSTEM);
    p->encrypted = true;
}

static void on_message(void *ctx, bool text, struct span payload)
{
    struct probe *p = ctx;
    p->received++;
    p->last_text = text;
    buf_clear(&p->last);
    if (p->encrypted) {
        if (frame_open(&p->codec, payload, &p->last_text, &p->last, NULL) != STATUS_OK)
            abort();
    } else {
        buf_add_span(&p->last, payload);
    }
    if (!p->encrypted && !text && p->role == CONN_INITIATOR)
        take_key(p, payload);
    if (p->last_text) {
        buf_add_span(&p->log, buf_span(&p->last));
        buf_add_char(&p->log, '\n');
    }
}

static void on_closed(void *ctx, int code, struct span reason)
{
    struct probe *p = ctx;
    (void)code;
    p->closed = true;
    snprintf(p->reason, sizeof p->reason, SPAN_FMT, SPAN_ARG(reason));
}

static void on_nothing(void *ctx)
{
    (void)ctx;
}

// ---- Life ----

void probe_begin(struct probe *p, struct node *node, enum conn_role role, bool person_source)
{
    static const struct transport_events events = {
        .message = on_message, .closed = on_closed, .drained = on_nothing, .time = on_nothing};
    *p = (struct probe){.node = node, .role = role};
    box_keypair(&p->person_public, &p->person_secret);
    box_keypair(&p->instance_public, &p->instance_secret);
    p->source = person_source ? p->person_public : p->instance_public;
    const struct secret *secret = person_source ? &p->person_secret : &p->instance_secret;
    p->source_secret = secret_copy(secret->data, secret->len);
    pipe_open(node->world, NULL, p->ends);
    transport_use(p->ends[0], &events, p);
}

void probe_open(struct probe *p, enum conn_group group)
{
    struct node *n = p->node;
    n->conn = p->role == CONN_INITIATOR ? conn_accept(p->ends[1], &n->host, (struct span){0})
                                        : conn_initiate(p->ends[1], &n->host, &n->identity, &p->instance_public, group);
    pipe_settle(n->world);
}

void probe_end(struct probe *p)
{
    transport_release(p->ends[0]);
    if (p->encrypted)
        frame_codec_end(&p->codec);
    handshake_keys_end(&p->keys);
    exchange_proof_end(&p->proof);
    secret_destroy(&p->person_secret);
    secret_destroy(&p->instance_secret);
    secret_destroy(&p->source_secret);
    buf_free(&p->last);
    buf_free(&p->log);
}

// ---- Sending ----

void probe_send_clear(struct probe *p, bool text, struct span payload)
{
    p->ends[0]->ops->send(p->ends[0], text, payload);
    pipe_settle(p->node->world);
}

void probe_send(struct probe *p, bool text, struct span message)
{
    struct buf frame = {0};
    frame_seal(&p->codec, text, message, &frame);
    probe_send_clear(p, false, buf_span(&frame));
    buf_free(&frame);
}

void probe_send_text(struct probe *p, const char *text)
{
    probe_send(p, true, span_of(text));
}

void probe_send_plaintext(struct probe *p, struct span plaintext)
{
    uint8_t nonce[BOX_NONCE] = {0};
    for (int i = 0; i < 8; i++)
        nonce[BOX_NONCE - 1 - i] = (uint8_t)(p->codec.send >> (8 * i));
    p->codec.send += 2;
    struct buf frame = {0};
    box_seal_nonce(&p->codec.key, nonce, plaintext, &frame);
    probe_send_clear(p, false, buf_span(&frame));
    buf_free(&frame);
}

// ---- The steps done right ----

void probe_request(struct probe *p)
{
    struct handshake_request request = {.source = p->source, .target = p->node->identity.instance_public};
    struct buf message = {0};
    handshake_write_request(&request, &message);
    probe_send_clear(p, true, buf_span(&message));
    buf_free(&message);
}

void probe_keys(struct probe *p)
{
    struct buf key = {0}, received = {0};
    buf_add_span(&received, buf_span(&p->last)); // as acceptor: the initiator's key
    handshake_keys_begin(&p->keys, &p->source_secret, &p->node->identity.instance_public, &RANDOM_SYSTEM, NULL);
    handshake_write_key(&p->keys, &RANDOM_SYSTEM, &key);
    if (p->role == CONN_ACCEPTOR)
        take_key(p, buf_span(&received));
    probe_send_clear(p, false, buf_span(&key));
    buf_free(&key);
    buf_free(&received);
}

void probe_handshake(struct probe *p)
{
    if (p->role == CONN_INITIATOR)
        probe_request(p);
    else
        probe_send_clear(p, true, SPAN("{\"command\":\"communication_ready\"}"));
    probe_keys(p);
}

void probe_proof_begin(struct probe *p)
{
    box_shared_key(&p->node->identity.person_public, &p->person_secret, &p->proof.key, NULL);
}

void probe_respond(struct probe *p, bool wrong)
{
    struct buf response = {0};
    if (wrong)
        handshake_seal(&p->proof.key, &RANDOM_SYSTEM, (struct span){(const char *)p->proof.challenge, 64}, &response);
    else
        exchange_respond(&p->proof, &RANDOM_SYSTEM, false, buf_span(&p->last), &response, NULL);
    probe_send(p, false, buf_span(&response));
    buf_free(&response);
}

void probe_challenge(struct probe *p)
{
    struct buf challenge = {0};
    exchange_challenge(&p->proof, &RANDOM_SYSTEM, &challenge);
    probe_send(p, false, buf_span(&challenge));
    buf_free(&challenge);
}
