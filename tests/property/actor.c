#include "actor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/exchange.h"
#include "crypto/secret.h"
#include "world.h"

struct actor actors[ACTORS];
struct talk *talks;
unsigned talk_count;
struct tally tally;

// ---- What the node says --------------------------------------------------------------------------------------------

static const char *text_of(const json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));
    return text != NULL ? text : "";
}

static void heard_debug(struct talk *t, const json_t *message)
{
    (void)message;
    tally.debug_answers++;
    if (++t->debug_answers > 1)
        world_fail("a debug question has more than one answer");
    if (t->debug_questions == 0)
        world_fail("a debug answer nobody asked for");
    if (!t->actor->known)
        world_fail("a stranger has a debug answer");
}

static void heard_pairing(struct talk *t, const json_t *message)
{
    const char *command = text_of(message, "command");
    if (strcmp(command, "identity") == 0) {
        tally.identities++;
        if (++t->identities > 1)
            world_fail("the node tells its identity twice");
        if (t->node_dialled ? !t->identity_shown : !t->token_shown)
            world_fail("the node tells its identity to somebody who has shown nothing");
    } else if (strcmp(command, "authentication_token") == 0) {
        if (++t->tokens > 1 || !t->node_dialled)
            world_fail("the node shows a token it should not");
    }
}

static void note_request(struct talk *t, const json_t *message)
{
    struct wanted *a = &t->pending[t->pending_count++ % TALK_PENDING];
    a->id = json_integer_value(json_object_get(message, "requestId"));
    a->service = (int)json_integer_value(json_object_get(message, "serviceId"));
    const char *hash = json_string_value(json_array_get(json_object_get(message, "args"), 0));
    snprintf(a->hash, sizeof a->hash, "%s", hash != NULL ? hash : "");
}

static bool is_final(const char *type)
{
    static const char *const types[] = {"data", "error", "stream-end", "stream-error"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static void heard_chum(struct talk *t, const json_t *message)
{
    const char *type = text_of(message, "type");
    json_int_t id = json_integer_value(json_object_get(message, "responseId"));
    if (!t->actor->known)
        world_fail("a stranger has a CHUM session");
    tally.requests += strcmp(type, "request") == 0;
    tally.answers += is_final(type);
    if (strcmp(type, "request") == 0)
        note_request(t, message);
    else if (is_final(type) && (id < 0 || id >= TALK_IDS || ++t->answers[id] > t->requests[id]))
        world_fail("request %lld has more answers than it was asked", (long long)id);
}

static void heard_text(void *ctx, struct span text, uint64_t now_ms)
{
    struct talk *t = ctx;
    (void)now_ms;
    sayings_learn(text);
    json_t *message = json_loadb(text.ptr, text.len, 0, NULL);
    if (t->group == CONN_DEBUG)
        heard_debug(t, message);
    else if (t->group == CONN_PAIRING)
        heard_pairing(t, message);
    else if (!span_eq_text(text, "synchronisation"))
        heard_chum(t, message);
    json_decref(message);
}

static void heard_binary(void *ctx, struct span message, uint64_t now_ms)
{
    struct talk *t = ctx;
    (void)message, (void)now_ms;
    if (t->group != CONN_CHUM || !t->actor->known)
        world_fail("the node sends bytes where there are none");
}

static void heard_end(void *ctx, const struct error *why)
{
    (void)ctx, (void)why;
}

// ---- The host ------------------------------------------------------------------------------------------------------

static struct talk *talk_of(const struct conn *c)
{
    struct talk *t = talks;
    while (t != NULL && t->conn != c && t->end != conn_transport(c))
        t = t->next;
    return t;
}

static const struct conn_identity *identity(void *ctx, const struct public_key *target)
{
    (void)target;
    return &((struct actor *)ctx)->identity;
}

static bool admits(void *ctx, const struct conn_identity *local, const struct public_key *source, enum conn_group g)
{
    (void)ctx, (void)local, (void)source, (void)g;
    return true;
}

static const char *assigned(void *ctx, struct conn *c)
{
    (void)ctx, (void)c;
    return NULL;
}

static bool nobody(void *ctx, const struct conn_identity *local, const struct public_key *key, struct hash *person,
                   struct hash *instance)
{
    (void)ctx, (void)local, (void)key, (void)person, (void)instance;
    return false;
}

static enum conn_key_check any_key(void *ctx, const struct hash *person, const struct public_key *key)
{
    (void)ctx, (void)person, (void)key;
    return CONN_KEY_NEW;
}

static const char *ready(void *ctx, struct conn *c, enum conn_group group)
{
    static const struct conn_protocol hears = {.text = heard_text, .binary = heard_binary, .closed = heard_end};
    struct talk *t = talk_of(c);
    (void)ctx;
    t->conn = c;
    t->group = group;
    t->ready = true;
    tally.ready[group]++;
    conn_serve(c, &hears, t);
    return NULL;
}

static void closed(void *ctx, struct conn *c, const struct error *why)
{
    struct talk **link = &talks, *t = talk_of(c);
    (void)ctx, (void)why;
    tally.refused += !t->ready;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    talk_count--;
    free(t);
}

// ---- Talks ---------------------------------------------------------------------------------------------------------

static struct talk *begin(struct actor *a, struct transport *end)
{
    struct talk *t = mem_alloc(sizeof *t);
    *t = (struct talk){.next = talks, .actor = a, .end = end};
    talks = t;
    talk_count++;
    return t;
}

struct talk *talk_open(struct actor *a, enum conn_group group, const struct public_key *target,
                       struct transport **node_end)
{
    struct transport *ends[2];
    world_open(ends);
    struct talk *t = begin(a, ends[0]);
    t->group = group;
    t->conn = conn_initiate(ends[0], &a->host, &a->identity, target, group);
    *node_end = ends[1];
    return t;
}

struct talk *talk_accept(struct actor *a, struct transport *end)
{
    struct talk *t = begin(a, end);
    t->node_dialled = true;
    t->conn = conn_accept(end, &a->host, (struct span){0});
    return t;
}

void talk_text(struct talk *t, struct span message)
{
    conn_send_text(t->conn, message);
}

void talk_binary(struct talk *t, struct span message)
{
    conn_send_binary(t->conn, message);
}

void talk_close(struct talk *t)
{
    conn_close(t->conn, "bye");
}

// ---- Actors --------------------------------------------------------------------------------------------------------

static void make(struct actor *a, const struct recipes *recipes, const char *email, const char *name)
{
    struct conn_identity *i = &a->identity;
    struct secret sign;
    i->email = mem_text(span_of(email));
    i->instance_name = mem_text(span_of(name));
    box_keypair(&i->person_public, &i->person_secret);
    box_keypair(&i->instance_public, &i->instance_secret);
    sign_keypair(&i->person_sign_public, &sign);
    secret_destroy(&sign);
    sign_keypair(&i->instance_sign_public, &sign);
    secret_destroy(&sign);
    exchange_person_id(recipes, span_of(email), &i->person_id, NULL);
    exchange_instance_id(recipes, span_of(name), &i->person_id, &i->instance_id, NULL);
    a->host = (struct conn_host){.ctx = a,
                                 .recipes = recipes,
                                 .now = world_now,
                                 .identity = identity,
                                 .admits = admits,
                                 .assigned = assigned,
                                 .known = nobody,
                                 .person_key = any_key,
                                 .ready = ready,
                                 .closed = closed};
}

void actors_begin(const struct recipes *recipes)
{
    static const char *const emails[ACTORS] = {"own@test", "friend@test", "dialled@test", NULL, NULL, "friend@test"};
    for (size_t i = 0; i < ACTORS; i++) {
        actors[i] = (struct actor){.known = i < 3, .believed = i != ACTORS - 1};
        snprintf(actors[i].url, sizeof actors[i].url, "ws://actor%zu.test:1", i);
        if (emails[i] != NULL)
            make(&actors[i], recipes, emails[i], i != ACTORS - 1 ? "instance" : "another");
    }
}

static void forget(struct actor *a)
{
    secret_destroy(&a->identity.person_secret);
    secret_destroy(&a->identity.instance_secret);
    free(a->identity.email);
    free(a->identity.instance_name);
    a->identity = (struct conn_identity){0};
    a->known = false;
}

void actors_renew_strangers(const struct recipes *recipes, unsigned number)
{
    char email[40];
    for (size_t i = 3; i < 5; i++) {
        forget(&actors[i]);
        snprintf(email, sizeof email, "stranger%u-%zu@test", number, i);
        make(&actors[i], recipes, email, "instance");
    }
}

void actors_end(void)
{
    for (size_t i = 0; i < ACTORS; i++)
        forget(&actors[i]);
}
