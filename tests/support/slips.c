#include "slips.h"

#include <string.h>

#include "base/hash.h"
#include "conn/conn_internal.h"
#include "crypto/box.h"
#include "wire/frame.h"

static struct plan {
    bool key, challenge, padding, frame;
    size_t message; // 0 = none
    bool text;
    struct buf bytes;
} plan;
static size_t said; // messages of the connection so far

static void plan_bytes(const json_t *command)
{
    const json_t *text = json_object_get(command, "text");
    const json_t *hex = json_object_get(command, "hex");
    plan.text = text != NULL;
    buf_free(&plan.bytes);
    if (text != NULL) {
        buf_add(&plan.bytes, json_string_value(text), json_string_length(text));
        return;
    }
    size_t size = json_string_length(hex) / 2;
    if (!hex_decode((struct span){json_string_value(hex), 2 * size}, buf_reserve(&plan.bytes, size), size))
        abort();
    plan.bytes.len = size;
}

void slips_plan(const json_t *command)
{
    const char *in = json_string_value(json_object_get(command, "in"));
    plan.key |= strcmp(in, "key") == 0;
    plan.challenge |= strcmp(in, "challenge") == 0;
    plan.padding |= strcmp(in, "padding") == 0;
    plan.frame |= strcmp(in, "frame") == 0;
    plan.message = (size_t)json_integer_value(json_object_get(command, "of"));
    if (plan.message != 0 || plan.frame)
        plan_bytes(command);
}

void slips_begin_connection(void)
{
    said = 0;
}

static bool once(bool *slip)
{
    bool now = *slip;
    *slip = false;
    return now;
}

void __real_conn_emit(struct conn *c, bool text, const char *name, struct buf *message);
void __wrap_conn_emit(struct conn *c, bool text, const char *name, struct buf *message);
void __real_handshake_write_key(const struct handshake_keys *k, const struct random_source *random, struct buf *out);
void __wrap_handshake_write_key(const struct handshake_keys *k, const struct random_source *random, struct buf *out);
void __real_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out);
void __wrap_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out);
void __real_frame_seal(struct frame_codec *f, bool text, struct span message, struct buf *out);
void __wrap_frame_seal(struct frame_codec *f, bool text, struct span message, struct buf *out);

void __wrap_conn_emit(struct conn *c, bool text, const char *name, struct buf *message)
{
    if (c->pipeline == NULL || ++said != plan.message) {
        __real_conn_emit(c, text, name, message);
        return;
    }
    plan.message = 0;
    buf_free(message);
    buf_add_span(message, buf_span(&plan.bytes));
    __real_conn_emit(c, plan.text, name, message);
}

void __wrap_handshake_write_key(const struct handshake_keys *k, const struct random_source *random, struct buf *out)
{
    if (once(&plan.key))
        handshake_seal(&k->long_term, random, SPAN("short"), out);
    else
        __real_handshake_write_key(k, random, out);
}

void __wrap_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out)
{
    if (once(&plan.challenge))
        handshake_seal(&p->key, random, SPAN("8 bytes!"), out);
    else
        __real_exchange_challenge(p, random, out);
}

void __wrap_frame_seal(struct frame_codec *f, bool text, struct span message, struct buf *out)
{
    static const char too_much[] = {0x11, 99, 'x'};
    uint8_t nonce[BOX_NONCE] = {0};
    if (once(&plan.frame)) {
        __real_frame_seal(f, plan.text, buf_span(&plan.bytes), out);
        return;
    }
    if (!once(&plan.padding)) {
        __real_frame_seal(f, text, message, out);
        return;
    }
    for (int i = 0; i < 8; i++)
        nonce[BOX_NONCE - 1 - i] = (uint8_t)(f->send >> (8 * i));
    f->send += 2;
    box_seal_nonce(&f->key, nonce, (struct span){too_much, sizeof too_much}, out);
}
