// A peer that proves who it is and then does what it is told: the hand of the nodes_hostile_* scenarios.
//
//   hostile_peer EMAIL INSTANCE-NAME
//
// New keys at every start. Takes one JSON object a line on standard input and prints what happens likewise:
//
//   {"do":"pair","invitation":{token,publicKey,url}}      {"event":"paired"} or {"event":"failed","code","message"}
//     "token":TEXT                                          shows another token
//   {"do":"chum","invitation":{…}}                        {"event":"ready","personId","instanceId"} when authenticated
//   {"do":"debug","invitation":{…}}                       likewise
//   {"do":"text","message":TEXT,"times":N}                {"event":"text","message"} for each text of the node
//   {"do":"binary","hex":BYTES,"size":N,"times":N}        {"event":"binary","size"}; zeros follow up to the size
//   {"do":"claim","email":…,"url":…}                      what the pairing identity says from now on
//   {"do":"become","email":…,"name":…}                    another person or instance with the same keys
//   {"do":"device","name":…}                              another instance of the same person, with new keys
//   {"do":"keys"}                                         {"event":"keys","person","sign","instance","instanceSign"}
//   {"do":"steal","email":…,"person":…,"sign":…}          another person with that one's public keys
//   {"do":"respond","how":"rightly|wrongly|reflect|badly"}  to challenges
//   {"do":"tamper","how":"flip|truncate|replay|lose|swap|mute","after":N}  the next messages on the wire
//   {"do":"slip",…}                                       see slips.h
//   {"do":"deaf"}                                         reads nothing any more
//   {"do":"close","reason":TEXT}                          {"event":"closed","code","message"} at every end
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "conn/exchange.h"
#include "conn/handshake.h"
#include "ipc/invitation.h"
#include "net/ws_client.h"
#include "slips.h"
#include "tampering.h"
#include "tests/unit/conn/fixture.h"

enum { LINE_MAX_BYTES = 64 << 20 };

static enum responding { RIGHTLY, WRONGLY, REFLECTING, BADLY } responding;

struct program {
    struct node node; // first: the fixture's host functions get it as their ctx
    struct recipes *recipes;
    struct loop *loop;
    struct ws_client *client;
    struct invitation invitation;
    struct tampering_plan plan;
    enum conn_group group;
    struct buf input;
    char *claimed; // e-mail in the pairing identity
    char *url;     // likewise
    char *token;   // shown instead of the invitation's
};

static void tell(json_t *event)
{
    json_dumpf(event, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(event);
}

// ---- What happens --------------------------------------------------------------------------------------------------

static void told_text(void *ctx, struct span message, uint64_t now_ms)
{
    (void)ctx, (void)now_ms;
    tell(json_pack("{s:s, s:s%}", "event", "text", "message", message.ptr, message.len));
}

static void told_binary(void *ctx, struct span message, uint64_t now_ms)
{
    (void)ctx, (void)now_ms;
    tell(json_pack("{s:s, s:I}", "event", "binary", "size", (json_int_t)message.len));
}

static void told_end(void *ctx, const struct error *why)
{
    (void)ctx, (void)why;
}

// The linker puts this in the place of exchange_respond.
enum status __real_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e);
enum status __wrap_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e);

enum status __wrap_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e)
{
    char noise[EXCHANGE_CHALLENGE];
    struct span bytes = {noise, sizeof noise};
    random->fill(random->ctx, (uint8_t *)noise, sizeof noise);
    switch (responding) {
    case WRONGLY:
        handshake_seal(&p->key, random, bytes, out);
        return STATUS_OK;
    case REFLECTING:
        buf_add_span(out, challenge);
        return STATUS_OK;
    case BADLY:
        buf_add_span(out, bytes);
        return STATUS_OK;
    default:
        return __real_exchange_respond(p, random, text, challenge, out, e);
    }
}

static const char *on_ready(void *ctx, struct conn *c, enum conn_group group)
{
    static const struct conn_protocol told = {.text = told_text, .binary = told_binary, .closed = told_end};
    struct program *p = ctx;
    if (group == CONN_PAIRING) {
        pairing_initiate(c, &p->node.pairing_host, &p->node.own, p->node.token);
        return NULL;
    }
    conn_serve(c, &told, p);
    const struct conn_identity *me = &p->node.identity;
    tell(json_pack("{s:s, s:s, s:s}", "event", "ready", "personId", hash_text(&me->person_id).s, "instanceId",
                   hash_text(&me->instance_id).s));
    return NULL;
}

static void on_closed(void *ctx, struct conn *c, const struct error *why)
{
    struct program *p = ctx;
    (void)c;
    p->node.conn = NULL;
    tell(json_pack("{s:s, s:s, s:s}", "event", "closed", "code", why->code, "message", why->message));
}

static void on_finished(void *ctx, struct pairing *pairing, const struct error *why)
{
    (void)ctx, (void)pairing;
    if (why == NULL)
        tell(json_pack("{s:s}", "event", "paired"));
    else
        tell(json_pack("{s:s, s:s, s:s}", "event", "failed", "code", why->code, "message", why->message));
}

static void on_stored(void *ctx, struct pairing *pairing, const struct pairing_identity *peer)
{
    (void)ctx, (void)peer;
    pairing_stored(pairing, NULL);
}

static void on_dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct program *p = ctx;
    if (t == NULL) {
        tell(json_pack("{s:s, s:s, s:s}", "event", "closed", "code", why->code, "message", why->message));
        return;
    }
    slips_begin_connection();
    p->node.conn = conn_initiate(tampering_around(t, &p->plan), &p->node.host, &p->node.identity,
                                 &p->invitation.public_key, p->group);
}

// ---- What it is told -----------------------------------------------------------------------------------------------

static size_t number(const json_t *command, const char *name, size_t otherwise)
{
    const json_t *value = json_object_get(command, name);
    return value != NULL ? (size_t)json_integer_value(value) : otherwise;
}

static struct span text_of(const json_t *command, const char *name)
{
    const json_t *value = json_object_get(command, name);
    return (struct span){json_string_value(value), json_string_length(value)};
}

static void replace(char **old, const json_t *command, const char *name) // unless it is not given
{
    if (json_object_get(command, name) == NULL)
        return;
    free(*old);
    *old = mem_text(text_of(command, name));
}

static void dial(struct program *p, const json_t *command, enum conn_group group)
{
    struct error e;
    invitation_free(&p->invitation);
    if (invitation_read(json_object_get(command, "invitation"), &p->invitation, &e) != STATUS_OK)
        abort();
    p->group = group;
    p->node.token = p->invitation.token;
    ws_client_connect(p->client, p->invitation.url, 0, 0, on_dialled, p, NULL);
}

static void do_pair(struct program *p, const json_t *command)
{
    dial(p, command, CONN_PAIRING);
    replace(&p->token, command, "token");
    if (json_object_get(command, "token") != NULL)
        p->node.token = p->token;
}

static void do_chum(struct program *p, const json_t *command)
{
    dial(p, command, CONN_CHUM);
}

static void do_debug(struct program *p, const json_t *command)
{
    dial(p, command, CONN_DEBUG);
}

// The newest connection is far enough; what belongs to an older one is lost.
static bool can_send(const struct program *p)
{
    return p->node.conn != NULL && conn_state(p->node.conn) == CONN_ACTIVE;
}

static void do_text(struct program *p, const json_t *command)
{
    for (size_t i = number(command, "times", 1); i > 0 && can_send(p); i--)
        conn_send_text(p->node.conn, text_of(command, "message"));
}

static void do_binary(struct program *p, const json_t *command)
{
    struct span hex = text_of(command, "hex");
    struct buf b = {0};
    size_t size = number(command, "size", hex.len / 2);
    memset(buf_reserve(&b, size), 0, size);
    b.len = size;
    if (!hex_decode(hex, b.data, hex.len / 2))
        abort();
    for (size_t i = number(command, "times", 1); i > 0 && can_send(p); i--)
        conn_send_binary(p->node.conn, buf_span(&b));
    buf_free(&b);
}

static void do_claim(struct program *p, const json_t *command)
{
    replace(&p->claimed, command, "email");
    replace(&p->url, command, "url");
    if (p->claimed != NULL)
        p->node.own.email = p->claimed;
    p->node.own.url = p->url;
}

static void do_become(struct program *p, const json_t *command)
{
    struct conn_identity *me = &p->node.identity;
    replace(&me->email, command, "email");
    replace(&me->instance_name, command, "name");
    p->node.own.email = me->email;
    p->node.own.instance_name = me->instance_name;
    exchange_person_id(p->recipes, span_of(me->email), &me->person_id, NULL);
    exchange_instance_id(p->recipes, span_of(me->instance_name), &me->person_id, &me->instance_id, NULL);
}

static void do_keys(struct program *p, const json_t *command)
{
    const struct conn_identity *me = &p->node.identity;
    const uint8_t *const keys[] = {me->person_public.b, me->person_sign_public.b, me->instance_public.b,
                                   me->instance_sign_public.b};
    char hex[4][2 * BOX_KEY + 1];
    (void)command;
    for (size_t i = 0; i < 4; i++)
        hex_encode(keys[i], BOX_KEY, hex[i]);
    tell(json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "keys", "person", hex[0], "sign", hex[1], "instance", hex[2],
                   "instanceSign", hex[3]));
}

static void do_device(struct program *p, const json_t *command)
{
    struct conn_identity *me = &p->node.identity;
    box_keypair(&me->instance_public, &me->instance_secret);
    replace(&me->instance_name, command, "name");
    exchange_instance_id(p->recipes, span_of(me->instance_name), &me->person_id, &me->instance_id, NULL);
    p->node.own.instance_name = me->instance_name;
    p->node.own.instance_public = me->instance_public;
}

static void do_steal(struct program *p, const json_t *command)
{
    struct conn_identity *me = &p->node.identity;
    do_become(p, command);
    if (!hex_decode(text_of(command, "person"), me->person_public.b, BOX_KEY) ||
        !hex_decode(text_of(command, "sign"), me->person_sign_public.b, SIGN_PUBLIC))
        abort();
    p->node.own.person_public = me->person_public;
    p->node.own.person_sign_public = me->person_sign_public;
}

static void do_respond(struct program *p, const json_t *command)
{
    static const char *const names[] = {"rightly", "wrongly", "reflect", "badly"};
    (void)p;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_eq_text(text_of(command, "how"), names[i]))
            responding = (enum responding)i;
}

static void do_tamper(struct program *p, const json_t *command)
{
    static const char *const names[] = {"not", "flip", "truncate", "replay", "lose", "swap", "mute"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_eq_text(text_of(command, "how"), names[i]))
            p->plan = (struct tampering_plan){(enum tampering)i, (unsigned)number(command, "after", 0)};
}

static void do_slip(struct program *p, const json_t *command)
{
    (void)p;
    slips_plan(command);
}

static void do_deaf(struct program *p, const json_t *command)
{
    (void)command;
    if (p->node.conn != NULL)
        conn_pause(p->node.conn, true);
}

static void do_close(struct program *p, const json_t *command)
{
    if (p->node.conn != NULL)
        conn_close(p->node.conn, json_string_value(json_object_get(command, "reason")));
}

static const struct {
    const char *name;
    void (*act)(struct program *p, const json_t *command);
} commands[] = {
    {"pair", do_pair},     {"chum", do_chum},     {"debug", do_debug}, {"text", do_text},   {"binary", do_binary},
    {"claim", do_claim},   {"become", do_become}, {"keys", do_keys},   {"steal", do_steal}, {"respond", do_respond},
    {"tamper", do_tamper}, {"slip", do_slip},     {"close", do_close}, {"deaf", do_deaf},   {"device", do_device},
};

static void obey(struct program *p, struct span line)
{
    json_t *command = json_loadb(line.ptr, line.len, 0, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (span_eq_text(text_of(command, "do"), commands[i].name))
            commands[i].act(p, command);
    json_decref(command);
}

static void on_input(void *ctx)
{
    struct program *p = ctx;
    ssize_t n = read(STDIN_FILENO, buf_reserve(&p->input, 1 << 16), 1 << 16);
    if (n == 0 || p->input.len > LINE_MAX_BYTES)
        loop_stop(p->loop);
    if (n <= 0)
        return;
    size_t seen = p->input.len; // without an end of line
    p->input.len += (size_t)n;
    struct span rest = buf_span(&p->input);
    for (const char *end; (end = memchr(rest.ptr + seen, '\n', rest.len - seen)) != NULL; seen = 0) {
        size_t length = (size_t)(end - rest.ptr);
        obey(p, (struct span){rest.ptr, length});
        rest = span_from(rest, length + 1);
    }
    if (rest.ptr != p->input.data)
        memmove(p->input.data, rest.ptr, rest.len);
    p->input.len = rest.len;
}

// ---- Life ----------------------------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    static struct program p;
    struct error e;
    if (argc != 3)
        return 64;
    p.recipes = recipes_create(false);
    p.loop = loop_create(NULL, &e);
    p.client = ws_client_create(p.loop, NULL, NULL);
    node_begin(&p.node, NULL, p.recipes, argv[1], argv[2]);
    p.node.host.now = NULL;
    p.node.host.ready = on_ready;
    p.node.host.closed = on_closed;
    p.node.pairing_host.store = on_stored;
    p.node.pairing_host.finished = on_finished;
    if (loop_adopt_fd(p.loop, STDIN_FILENO, on_input, &p, &e) == NULL)
        abort();
    loop_run(p.loop);
    return EXIT_SUCCESS;
}
