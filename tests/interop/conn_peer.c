// A node without a store, to try connections against a live reference peer: pairs, then opens or takes one chum
// connection and listens to what the peer asks.
//
//   conn-peer invited INVITATION-JSON [MS]   pairs as the invited side, dials chum MS later (default 1000)
//   conn-peer inviting PORT                  prints an invitation, takes the pairing and then a chum
//
// Prints JSON lines; exit code 0 when the peer has asked its first question over chum.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/invitation.h"
#include "net/ws_client.h"
#include "net/ws_server.h"
#include "tests/unit/conn/fixture.h"

enum { POLL_MS = 10, GIVE_UP_MS = 20000 };

enum stage { PAIRING, WAITING, CHUM, DONE };

struct program {
    struct loop *loop;
    struct ws_client *client;
    struct loop_timer *timer;
    struct node node;
    struct invitation invitation;
    bool invited;
    enum stage stage;
    enum conn_group dialling;
    uint64_t begun, dial_at;
    long delay;
    bool sent_synchronisation;
    int exit_code;
};

static void say(struct program *p, const char *event, const char *detail)
{
    printf("{\"ms\":%lu,\"event\":\"%s\",\"detail\":\"%s\"}\n", (unsigned long)(loop_now(p->loop) - p->begun), event,
           detail);
    fflush(stdout);
}

static void stop(struct program *p, int code)
{
    p->exit_code = code;
    p->stage = DONE;
    loop_stop(p->loop);
}

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct program *p = ctx;
    if (t == NULL) {
        say(p, "unreachable", why->message);
        stop(p, 1);
        return;
    }
    p->node.conn = conn_initiate(t, &p->node.host, &p->node.identity, &p->invitation.public_key, p->dialling);
}

static void dial(struct program *p, enum conn_group group)
{
    p->dialling = group;
    ws_client_connect(p->client, p->invitation.url, 0, 0, dialled, p, NULL);
}

static void accepted(void *ctx, struct transport *t)
{
    struct program *p = ctx;
    conn_accept(t, &p->node.host, (struct span){0});
}

static void invite(struct program *p, struct ws_server *server)
{
    struct pairing_token token;
    tokens_issue(p->node.tokens, &p->node.identity.person_id, NULL, 0, clock_wall_ms(), &token, NULL);
    p->node.own.url = mem_text(span_of(ws_server_url(server)));
    struct invitation i = {.token = token.text, .public_key = p->node.identity.instance_public, .url = p->node.own.url};
    struct buf json = {0};
    invitation_print(&i, &json);
    printf("%s\n", buf_cstr(&json));
    fflush(stdout);
    buf_free(&json);
}

static void after_pairing(struct program *p)
{
    if (p->node.finished_count == 0 || (p->invited && p->node.conn != NULL))
        return;
    say(p, p->node.finished_why.code[0] == '\0' ? "paired" : "pairing-failed",
        p->node.finished_why.code[0] == '\0' ? p->node.stored_email : p->node.finished_why.message);
    if (p->node.finished_why.code[0] != '\0')
        stop(p, 1);
    p->stage = p->invited ? WAITING : CHUM;
    p->dial_at = loop_now(p->loop) + (uint64_t)p->delay;
}

static void during_chum(struct program *p)
{
    struct node *n = &p->node;
    if (n->conn != NULL && conn_state(n->conn) == CONN_ACTIVE && !p->sent_synchronisation) {
        say(p, "chum", conn_peer(n->conn)->email);
        conn_send_text(n->conn, SPAN("synchronisation"));
        p->sent_synchronisation = true;
    }
    if (n->conn == NULL && n->closed_count > 1) {
        say(p, "closed", n->closed_why.message);
        stop(p, 1);
    }
    if (strstr(buf_cstr(&n->received), "\"type\":\"request\"") != NULL) {
        say(p, "asked", "");
        stop(p, 0);
    }
}

static void poll_state(void *ctx)
{
    struct program *p = ctx;
    if (p->stage == PAIRING)
        after_pairing(p);
    if (p->stage == WAITING && loop_now(p->loop) >= p->dial_at) {
        p->stage = CHUM;
        dial(p, CONN_CHUM);
    }
    if (p->stage == CHUM)
        during_chum(p);
    if (loop_now(p->loop) - p->begun > GIVE_UP_MS)
        stop(p, 2);
    loop_timer_set(p->timer, POLL_MS);
}

int main(int argc, char **argv)
{
    struct program p = {.delay = argc > 3 ? atol(argv[3]) : 1000, .exit_code = 2};
    struct recipes *recipes = recipes_create(false);
    struct ws_server *server = NULL;
    struct error e;
    if (argc < 3)
        return 64;
    p.invited = strcmp(argv[1], "invited") == 0;
    p.loop = loop_create(NULL, &e);
    p.begun = loop_now(p.loop);
    p.client = ws_client_create(p.loop, NULL, NULL);
    p.timer = loop_timer_create(p.loop, poll_state, &p);
    node_begin(&p.node, NULL, recipes, "tandem@test.local", "tandem");
    p.node.host.now = NULL;
    p.node.refuse_unknown = true;
    p.node.hold_ms = 3000;
    if (p.invited && invitation_parse(span_of(argv[2]), &p.invitation, &e) == STATUS_OK) {
        p.node.token = p.invitation.token;
        dial(&p, CONN_PAIRING);
    } else if (!p.invited) {
        char address[64];
        snprintf(address, sizeof address, "localhost:%s", argv[2]);
        server = ws_server_listen(p.loop, address, NULL, accepted, &p, &e);
        invite(&p, server);
    }
    poll_state(&p);
    loop_run(p.loop);
    loop_timer_destroy(p.timer);
    ws_server_destroy(server);
    ws_client_destroy(p.client);
    loop_destroy(p.loop);
    free(p.node.own.url);
    invitation_free(&p.invitation);
    node_end(&p.node);
    recipes_destroy(recipes);
    return p.exit_code;
}
