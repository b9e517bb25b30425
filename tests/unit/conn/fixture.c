#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "conn/exchange.h"

// ---- The host ----

static uint64_t host_now(void *ctx)
{
    return pipe_world_now(((struct node *)ctx)->world);
}

static const struct conn_identity *host_identity(void *ctx, const struct public_key *target)
{
    struct node *n = ctx;
    return public_key_eq(target, &n->identity.instance_public) ? &n->identity : NULL;
}

static bool host_admits(void *ctx, const struct conn_identity *local, const struct public_key *source,
                        enum conn_group group)
{
    (void)local, (void)source, (void)group;
    return !((struct node *)ctx)->not_admitted;
}

static const char *host_assigned(void *ctx, struct conn *c)
{
    (void)c;
    return ((struct node *)ctx)->assigned;
}

static bool host_known(void *ctx, const struct conn_identity *local, const struct public_key *remote,
                       struct hash *person, struct hash *instance)
{
    (void)local;
    struct node *n = ctx;
    for (size_t i = 0; i < n->known_count; i++)
        if (public_key_eq(remote, &n->known[i].instance_key)) {
            *person = n->known[i].person;
            *instance = n->known[i].instance;
            return true;
        }
    return false;
}

static enum conn_key_check host_person_key(void *ctx, const struct hash *person, const struct public_key *key)
{
    struct node *n = ctx;
    enum conn_key_check result = CONN_KEY_NEW;
    for (size_t i = 0; i < n->known_count; i++)
        if (hash_eq(person, &n->known[i].person)) {
            if (public_key_eq(key, &n->known[i].person_key))
                return CONN_KEY_MATCHES;
            result = CONN_KEY_DIFFERS;
        }
    return result;
}

static void serve_text(void *ctx, struct span message, uint64_t now_ms)
{
    (void)now_ms;
    struct node *n = ctx;
    buf_add_span(&n->received, message);
    buf_add_char(&n->received, '\n');
}

static void serve_binary(void *ctx, struct span message, uint64_t now_ms)
{
    (void)now_ms;
    ((struct node *)ctx)->last_binary = (struct span){NULL, message.len};
}

static void serve_closed(void *ctx, const struct error *why)
{
    (void)ctx, (void)why;
}

static void debug_objects(void *ctx, struct debug *d, const struct conn *c, const struct hash *person)
{
    (void)c, (void)person;
    const struct node *n = ctx;
    debug_answer(d, n->debug_answer.len != 0 ? n->debug_answer : SPAN("[]"));
}

static void debug_data(void *ctx, struct debug *d, const struct conn *c, const struct hash *person,
                       enum debug_kind kind, const struct hash *hash)
{
    (void)c, (void)person, (void)kind, (void)hash;
    const struct node *n = ctx;
    if (n->debug_answer.len != 0)
        debug_answer(d, n->debug_answer);
    else
        debug_refuse(d);
}

static const char *host_ready(void *ctx, struct conn *c, enum conn_group group)
{
    static const struct conn_protocol recorder = {.text = serve_text, .binary = serve_binary, .closed = serve_closed};
    struct node *n = ctx;
    n->ready_count++;
    n->authenticated = true;
    if (group == CONN_PAIRING && conn_role(c) == CONN_INITIATOR) {
        pairing_initiate(c, &n->pairing_host, &n->own, n->token);
    } else if (group == CONN_PAIRING) {
        pairing_accept(c, &n->pairing_host, &n->own, n->tokens);
    } else if (group == CONN_CHUM && n->refuse_unknown && !conn_peer(c)->known) {
        if (n->hold_ms != 0 && conn_hold(c, n->hold_ms)) {
            n->held = c;
            return NULL;
        }
        return "Unable to start chum because you are unknown";
    } else if (group == CONN_DEBUG && n->serve_debug) {
        debug_serve(c, &n->debug_host);
    } else {
        conn_serve(c, &recorder, n);
    }
    return NULL;
}

static void host_closed(void *ctx, struct conn *c, const struct error *why)
{
    struct node *n = ctx;
    n->closed_count++;
    n->closed_why = *why;
    if (n->conn == c)
        n->conn = NULL;
    if (n->held == c)
        n->held = NULL;
}

// An acceptor's connection is noticed here.
static void host_state(void *ctx, struct conn *c, enum conn_state state)
{
    struct node *n = ctx;
    if (state == CONN_CONNECTED)
        n->conn = c;
    n->last_state = state;
    n->states |= 1u << state;
}

// ---- Pairing ----

void node_store_now(struct node *n)
{
    struct pairing *p = n->storing;
    const struct pairing_identity *peer = pairing_peer_identity(p);
    struct known_peer *k = &n->known[n->known_count++];
    k->instance_key = peer->instance_public;
    k->person_key = peer->person_public;
    k->person = pairing_peer(p)->person_id;
    k->instance = pairing_peer(p)->instance_id;
    free(n->stored_email);
    n->stored_email = mem_text(span_of(peer->email));
    n->storing = NULL;
    pairing_stored(p, NULL);
    if (n->held != NULL)
        conn_resume(n->held);
}

static void host_store(void *ctx, struct pairing *p, const struct pairing_identity *peer)
{
    (void)peer;
    struct node *n = ctx;
    n->store_count++;
    n->storing = p;
    if (!n->store_later)
        node_store_now(n);
}

static void host_finished(void *ctx, struct pairing *p, const struct error *why)
{
    (void)p;
    struct node *n = ctx;
    n->finished_count++;
    if (why != NULL)
        n->finished_why = *why;
    else
        error_clear(&n->finished_why);
}

// ---- Nodes ----

static void make_identity(struct conn_identity *i, const struct recipes *recipes, const char *email, const char *name)
{
    struct secret sign_secret;
    i->email = mem_text(span_of(email));
    i->instance_name = mem_text(span_of(name));
    box_keypair(&i->person_public, &i->person_secret);
    box_keypair(&i->instance_public, &i->instance_secret);
    sign_keypair(&i->person_sign_public, &sign_secret);
    secret_destroy(&sign_secret);
    sign_keypair(&i->instance_sign_public, &sign_secret);
    secret_destroy(&sign_secret);
    exchange_person_id(recipes, span_of(email), &i->person_id, NULL);
    exchange_instance_id(recipes, span_of(name), &i->person_id, &i->instance_id, NULL);
}

void node_begin(struct node *n, struct pipe_world *w, const struct recipes *recipes, const char *email,
                const char *name)
{
    crypto_init();
    *n = (struct node){.world = w};
    make_identity(&n->identity, recipes, email, name);
    n->tokens = tokens_create(4, (struct tokens_hooks){0});
    n->own = pairing_identity_of(&n->identity, NULL);
    n->pairing_host = (struct pairing_host){.ctx = n, .store = host_store, .finished = host_finished};
    n->debug_host = (struct debug_host){.ctx = n, .objects = debug_objects, .data = debug_data};
    n->host = (struct conn_host){
        .ctx = n,
        .recipes = recipes,
        .now = host_now,
        .identity = host_identity,
        .admits = host_admits,
        .assigned = host_assigned,
        .known = host_known,
        .person_key = host_person_key,
        .challenges = &n->challenges,
        .ready = host_ready,
        .state = host_state,
        .closed = host_closed,
    };
}

void node_end(struct node *n)
{
    tokens_destroy(n->tokens);
    secret_destroy(&n->identity.person_secret);
    secret_destroy(&n->identity.instance_secret);
    free(n->identity.email);
    free(n->identity.instance_name);
    free(n->stored_email);
    buf_free(&n->received);
}

void node_learn(struct node *n, const struct node *peer)
{
    n->known[n->known_count++] = (struct known_peer){
        .instance_key = peer->identity.instance_public,
        .person_key = peer->identity.person_public,
        .person = peer->identity.person_id,
        .instance = peer->identity.instance_id,
    };
}

void nodes_connect(struct node *client, struct node *server, enum conn_group group, const struct pipe_line *line,
                   struct transport *ends[2])
{
    pipe_open(client->world, line, ends);
    server->conn = conn_accept(ends[1], &server->host, (struct span){0});
    client->conn = conn_initiate(ends[0], &client->host, &client->identity, &server->identity.instance_public, group);
}
