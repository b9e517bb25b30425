// Somebody who stands between two that know each other, or between one and itself, and passes their proofs on: the
// attacks on who is who of nodes_hostile_identity. What it holds are its own keys only, and the public ones of others.
//
//   middleman EMAIL INSTANCE-NAME
//
// Takes one JSON object a line on standard input and prints what happens likewise:
//
//   {"do":"pair","invitation":{…}}        as itself, saying that it can be dialled    {"event":"paired"} or "failed"
//   {"do":"invite"}                       {"event":"invitation","token","publicKey","url"}
//   {"do":"mask","email","person","sign"} who dials it from now on meets this person with these public keys
//   {"do":"attack","group":…,"invitation":{…},"email","person","sign"}
//                                         dials as this person with its public keys and a fresh instance key
//   {"do":"text","message":TEXT}          on the connection of the attack              {"event":"text","message"}
//   {"do":"stop"}                         ends the connections to whoever dialled it
//
// The challenges and answers of the attacked connection and of the one somebody opened go from each to the other. What
// comes of it: {"event":"ready","incoming":BOOL} when a connection is authenticated, {"event":"closed","incoming":BOOL,
// "code","message"} when one ends.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "conn/conn_internal.h"
#include "conn/exchange.h"
#include "ipc/invitation.h"
#include "net/ws_client.h"
#include "net/ws_server.h"
#include "tests/unit/conn/fixture.h"

struct program {
    struct node me, other; // itself; who it dials as in an attack
    struct conn_identity masked;
    struct pairing_identity masked_own;
    struct recipes *recipes;
    struct loop *loop;
    struct ws_client *client;
    struct ws_server *server;
    struct invitation invitation;
    enum conn_group group;
    bool attacking;
    struct buf input;
};

static struct program program;

static struct { // the two ends
    struct conn *in, *out;
    bool in_waits;        // it is to get a challenge
    bool in_done;         // it has its answer
    struct buf challenge; // for it
    struct buf after;     // what is said to it next
} between;

static void tell(json_t *event)
{
    json_dumpf(event, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(event);
}

// ---- Passing on: the linker puts these in the place of the functions they are named after ---------------------------

enum status __real_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e);
enum status __wrap_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e);
void __real_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out);
void __wrap_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out);
enum status __real_exchange_verify(const struct exchange_proof *p, bool text, struct span response, struct error *e);
enum status __wrap_exchange_verify(const struct exchange_proof *p, bool text, struct span response, struct error *e);
void __real_conn_emit(struct conn *c, bool text, const char *name, struct buf *message);
void __wrap_conn_emit(struct conn *c, bool text, const char *name, struct buf *message);
bool __wrap_exchange_names_us(const struct conn_identity *local, const struct conn_peer *peer);

static const struct conn *conn_of(const struct exchange_proof *p)
{
    return (const struct conn *)((const char *)p - offsetof(struct conn, proof));
}

static void pass(struct conn *c, bool text, struct span message)
{
    struct buf copy = {0};
    buf_add_span(&copy, message);
    if (c != NULL)
        __real_conn_emit(c, text, "passed on", &copy);
    buf_free(&copy);
}

static void pass_challenge(void)
{
    if (!between.in_waits || between.challenge.len == 0)
        return;
    pass(between.in, false, buf_span(&between.challenge));
    buf_clear(&between.challenge);
}

enum status __wrap_exchange_respond(const struct exchange_proof *p, const struct random_source *random, bool text,
                                    struct span challenge, struct buf *out, struct error *e)
{
    const struct conn *c = conn_of(p);
    if (c == between.in) {
        pass(between.out, false, challenge);
    } else if (c == between.out) {
        buf_clear(&between.challenge);
        buf_add_span(&between.challenge, challenge);
        pass_challenge();
    } else {
        return __real_exchange_respond(p, random, text, challenge, out, e);
    }
    return STATUS_OK;
}

void __wrap_exchange_challenge(struct exchange_proof *p, const struct random_source *random, struct buf *out)
{
    const struct conn *c = conn_of(p);
    if (c == between.in) {
        between.in_waits = true;
        pass_challenge();
    } else if (c != between.out) {
        __real_exchange_challenge(p, random, out);
    }
}

enum status __wrap_exchange_verify(const struct exchange_proof *p, bool text, struct span response, struct error *e)
{
    const struct conn *c = conn_of(p);
    if (c != between.in && c != between.out)
        return __real_exchange_verify(p, text, response, e);
    pass(c == between.in ? between.out : between.in, false, response);
    if (c == between.out) {
        between.in_done = true;
        if (between.after.len != 0)
            pass(between.in, true, buf_span(&between.after));
        buf_clear(&between.after);
    }
    return STATUS_OK;
}

void __wrap_conn_emit(struct conn *c, bool text, const char *name, struct buf *message)
{
    if (message->len == 0) { // what is said later, or by somebody else
        buf_free(message);
    } else if (c == between.in && between.in_waits && !between.in_done) {
        buf_add_span(&between.after, buf_span(message));
        buf_free(message);
    } else {
        __real_conn_emit(c, text, name, message);
    }
}

bool __wrap_exchange_names_us(const struct conn_identity *local, const struct conn_peer *peer)
{
    (void)local, (void)peer;
    return false;
}

// ---- What happens --------------------------------------------------------------------------------------------------

static void told_text(void *ctx, struct span message, uint64_t now_ms)
{
    (void)ctx, (void)now_ms;
    tell(json_pack("{s:s, s:s%}", "event", "text", "message", message.ptr, message.len));
}

static void ignored_text(void *ctx, struct span message, uint64_t now_ms)
{
    (void)ctx, (void)message, (void)now_ms;
}

static void told_end(void *ctx, const struct error *why)
{
    (void)ctx, (void)why;
}

static const char *on_ready(void *ctx, struct conn *c, enum conn_group group)
{
    static const struct conn_protocol told = {.text = told_text, .binary = ignored_text, .closed = told_end};
    static const struct conn_protocol ignored = {.text = ignored_text, .binary = ignored_text, .closed = told_end};
    struct program *p = &program;
    struct node *n = ctx;
    bool incoming = conn_role(c) == CONN_ACCEPTOR;
    tell(json_pack("{s:s, s:b}", "event", "ready", "incoming", (int)incoming));
    if (group == CONN_PAIRING && incoming)
        pairing_accept(c, &p->me.pairing_host, &p->masked_own, p->me.tokens);
    else if (group == CONN_PAIRING)
        pairing_initiate(c, &n->pairing_host, &n->own, p->invitation.token);
    else
        conn_serve(c, incoming ? &ignored : &told, p);
    return NULL;
}

static void on_closed(void *ctx, struct conn *c, const struct error *why)
{
    (void)ctx;
    if (c == between.in)
        between.in = NULL;
    if (c == between.out)
        between.out = NULL;
    tell(json_pack("{s:s, s:b, s:s, s:s}", "event", "closed", "incoming", (int)(conn_role(c) == CONN_ACCEPTOR), "code",
                   why->code, "message", why->message));
}

static void on_finished(void *ctx, struct pairing *pairing, const struct error *why)
{
    (void)ctx;
    tell(json_pack("{s:s, s:b, s:s, s:s}", "event", why == NULL ? "paired" : "failed", "incoming",
                   (int)!pairing_initiated(pairing), "code", why != NULL ? why->code : "", "message",
                   why != NULL ? why->message : ""));
}

static void on_stored(void *ctx, struct pairing *pairing, const struct pairing_identity *peer)
{
    (void)ctx, (void)peer;
    pairing_stored(pairing, NULL);
}

static const struct conn_identity *on_target(void *ctx, const struct public_key *target)
{
    (void)ctx;
    return public_key_eq(target, &program.masked.instance_public) ? &program.masked : NULL;
}

static void on_accepted(void *ctx, struct transport *t)
{
    (void)ctx;
    between.in_waits = between.in_done = false;
    buf_clear(&between.after);
    between.in = conn_accept(t, &program.me.host, (struct span){0});
}

static void on_dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct program *p = ctx;
    if (t == NULL) {
        tell(json_pack("{s:s, s:b, s:s, s:s}", "event", "closed", "incoming", 0, "code", why->code, "message",
                       why->message));
        return;
    }
    struct node *n = p->attacking ? &p->other : &p->me;
    struct conn *c = conn_initiate(t, &n->host, &n->identity, &p->invitation.public_key, p->group);
    between.out = p->attacking ? c : NULL;
}

// ---- What it is told -----------------------------------------------------------------------------------------------

static struct span text_of(const json_t *command, const char *name)
{
    const json_t *value = json_object_get(command, name);
    return (struct span){json_string_value(value), json_string_length(value)};
}

static void dial(struct program *p, const json_t *command, enum conn_group group, bool attacking)
{
    struct error e;
    invitation_free(&p->invitation);
    if (invitation_read(json_object_get(command, "invitation"), &p->invitation, &e) != STATUS_OK)
        abort();
    p->group = group;
    p->attacking = attacking;
    ws_client_connect(p->client, p->invitation.url, 0, 0, on_dialled, p, NULL);
}

// The public keys of somebody else in the place of the own ones.
static void disguise(const struct program *p, struct conn_identity *i, const json_t *command)
{
    i->email = mem_text(text_of(command, "email"));
    exchange_person_id(p->recipes, span_of(i->email), &i->person_id, NULL);
    exchange_instance_id(p->recipes, span_of(i->instance_name), &i->person_id, &i->instance_id, NULL);
    if (!hex_decode(text_of(command, "person"), i->person_public.b, BOX_KEY) ||
        !hex_decode(text_of(command, "sign"), i->person_sign_public.b, SIGN_PUBLIC))
        abort();
}

static void do_mask(struct program *p, const json_t *command)
{
    p->masked = p->me.identity;
    disguise(p, &p->masked, command);
    p->masked_own = pairing_identity_of(&p->masked, NULL);
}

static void do_attack(struct program *p, const json_t *command)
{
    static const char *const groups[] = {[CONN_PAIRING] = "pairing", [CONN_CHUM] = "chum", [CONN_DEBUG] = "debug"};
    size_t group = 0;
    while (!span_eq_text(text_of(command, "group"), groups[group]))
        group++;
    free(p->other.identity.email);
    disguise(p, &p->other.identity, command);
    p->other.own = pairing_identity_of(&p->other.identity, (char *)(uintptr_t)ws_server_url(p->server));
    dial(p, command, (enum conn_group)group, true);
}

static void do_invite(struct program *p)
{
    struct pairing_token token;
    tokens_issue(p->me.tokens, &p->masked.person_id, NULL, 0, clock_wall_ms(), &token, NULL);
    json_t *event = invitation_object(token.text, &p->masked.instance_public, ws_server_url(p->server));
    json_object_set_new(event, "event", json_string("invitation"));
    tell(event);
}

static void obey(struct program *p, struct span line)
{
    json_t *command = json_loadb(line.ptr, line.len, 0, NULL);
    struct span what = text_of(command, "do");
    if (span_eq_text(what, "pair"))
        dial(p, command, CONN_PAIRING, false);
    else if (span_eq_text(what, "invite"))
        do_invite(p);
    else if (span_eq_text(what, "mask"))
        do_mask(p, command);
    else if (span_eq_text(what, "attack"))
        do_attack(p, command);
    else if (span_eq_text(what, "text") && between.out != NULL)
        conn_send_text(between.out, text_of(command, "message"));
    else if (span_eq_text(what, "stop") && between.in != NULL)
        conn_close(between.in, NULL);
    json_decref(command);
}

static void on_input(void *ctx)
{
    struct program *p = ctx;
    ssize_t n = read(STDIN_FILENO, buf_reserve(&p->input, 1 << 16), 1 << 16);
    if (n == 0)
        loop_stop(p->loop);
    if (n <= 0)
        return;
    p->input.len += (size_t)n;
    struct span rest = buf_span(&p->input);
    for (const char *end; (end = memchr(rest.ptr, '\n', rest.len)) != NULL;) {
        size_t length = (size_t)(end - rest.ptr);
        obey(p, (struct span){rest.ptr, length});
        rest = span_from(rest, length + 1);
    }
    memmove(p->input.data, rest.ptr, rest.len);
    p->input.len = rest.len;
}

// ---- Life ----------------------------------------------------------------------------------------------------------

static void begin(struct node *n, char **argv)
{
    node_begin(n, NULL, program.recipes, argv[1], argv[2]);
    n->host.now = NULL;
    n->host.identity = on_target;
    n->host.state = NULL;
    n->host.ready = on_ready;
    n->host.closed = on_closed;
    n->pairing_host.store = on_stored;
    n->pairing_host.finished = on_finished;
}

int main(int argc, char **argv)
{
    struct program *p = &program;
    struct error e;
    if (argc != 3)
        return 64;
    p->recipes = recipes_create(false);
    p->loop = loop_create(NULL, &e);
    p->client = ws_client_create(p->loop, NULL, NULL);
    p->server = ws_server_listen(p->loop, "127.0.0.1:0", NULL, on_accepted, NULL, &e);
    begin(&p->me, argv);
    begin(&p->other, argv);
    p->masked = p->me.identity;
    p->me.own.url = (char *)(uintptr_t)ws_server_url(p->server);
    if (loop_adopt_fd(p->loop, STDIN_FILENO, on_input, p, &e) == NULL)
        abort();
    loop_run(p->loop);
    return EXIT_SUCCESS;
}
