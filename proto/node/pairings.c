// An attempt belongs to one request or wait and may outlive it: given up, it goes on to nobody. The contact and the
// token that was used up are stored in one job, so neither is there without the other; topics that come with it are
// held back until the contact was told of (news_hold). Reasons of the reference are texts, and become codes in
// explain() alone.
#include "node/pairings_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn/pairing.h"
#include "models/contact.h"
#include "models/safety.h"
#include "models/sharing.h"
#include "node/addresses.h"
#include "node/job.h"
#include "node/json.h"

enum { INVITATIONS_MAX = 1000, ACCEPT_MAX = 16 };

static struct attempt *attempt_of(const struct pairings *ps, const struct conn *c)
{
    struct attempt *a = ps->attempts;
    while (a != NULL && a->conn != c)
        a = a->next;
    return a;
}

static struct attempt *attempt_with(const struct pairings *ps, const struct pairing *pairing)
{
    struct attempt *a = ps->attempts;
    while (a != NULL && a->pairing != pairing)
        a = a->next;
    return a;
}

static struct local *local_of(const struct pairings *ps, const struct pairing *pairing)
{
    return peers_local(ps->peers, pairing_local(pairing));
}

// ---- Storing who came ----------------------------------------------------------------------------------------------

struct storing {
    struct pairings *owner;
    struct pairing *pairing;
    struct local *local;
    const struct pairing_identity *peer; // the pairing's, until pairing_stored
    bool expected;
    struct pairing_token token; // if it is one that is kept
    char *kept;                 // likewise, else NULL
    struct contact_paired paired;
};

static enum status store_work(struct store *s, void *arg, struct error *e)
{
    struct storing *job = arg;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = job->local->self, .arena = arena, .now_ms = clock_wall_ms()};
    struct contact_identity identity = {
        .email = span_of(job->peer->email),
        .instance_name = span_of(job->peer->instance_name),
        .url = span_of(job->peer->url),
        .person_public = job->peer->person_public,
        .instance_public = job->peer->instance_public,
        .person_sign_public = job->peer->person_sign_public,
        .instance_sign_public = job->peer->instance_sign_public,
        .expected = job->expected,
    };
    enum status st = contact_pair(&m, &identity, &job->paired, e);
    if (st == STATUS_OK)
        st = sharing_apply(&m, &job->paired.person, e);
    if (st == STATUS_OK && job->kept != NULL)
        st = kept_write(s, job->kept, e);
    arena_destroy(arena);
    return st;
}

static void store_done(void *arg, enum status status, const struct error *e)
{
    struct storing *job = arg;
    struct peers *p = job->owner->peers;
    if (job->kept != NULL)
        kept_used(job->owner->kept, &job->token, job->kept,
                  status == STATUS_OK || !tokens_has(job->owner->tokens, &job->token));
    secret_wipe(&job->token, sizeof job->token);
    if (status == STATUS_OK && !p->closing)
        peers_stored(p, job->local, &job->peer->instance_public, pairing_initiated(job->pairing));
    pairing_stored(job->pairing, status == STATUS_OK ? NULL : e); // the end of the node is its end, too
    free(job);
}

static void store_identity(void *ctx, struct pairing *pairing, const struct pairing_identity *peer)
{
    struct pairings *ps = ctx;
    struct storing *job = mem_alloc(sizeof *job);
    *job = (struct storing){.owner = ps, .pairing = pairing, .local = local_of(ps, pairing), .peer = peer};
    const struct pairing_token *token = pairing_token(pairing);
    const struct attempt *a = attempt_with(ps, pairing);
    const struct hash *guest = token != NULL ? &token->guest : a != NULL ? &a->from : NULL;
    job->expected = guest != NULL && hash_eq(guest, &pairing_peer(pairing)->person_id);
    job->kept = token != NULL ? kept_use(ps->kept, token) : NULL;
    if (job->kept != NULL)
        job->token = *token;
    news_hold(ps->peers->news);
    store_submit(node_queue(ps->peers->node), store_work, store_done, job);
}

// ---- Attempts of ours ----------------------------------------------------------------------------------------------

static void answer_attempt(struct attempt *a, json_t *result, const struct error *why)
{
    struct pairings *ps = a->owner;
    bool waits = a->request != NULL && ipc_request_bool(a->request, P_wait, false);
    if (a->wait != NULL) {
        struct hash person = {{0}};
        hash_parse(span_of(json_string_value(json_object_get(result, "personId"))), &person);
        if (!ps->peers->closing)
            waits_ended(ps->waits, a->wait, &person, result != NULL ? NULL : why);
        json_decref(result);
    } else if (a->request == NULL) { // given up
        json_decref(result);
    } else if (result != NULL) {
        repeats_reply(ps->repeats, a->request, result);
    } else if (waits && !ps->peers->closing && waits_may_pass(why)) {
        waits_begin(ps->waits, a, why);
    } else {
        repeats_fail(ps->repeats, a->request, why);
    }
}

static void end_attempt(struct attempt *a, json_t *result, const struct error *why)
{
    struct attempt **link = &a->owner->attempts;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    answer_attempt(a, result, why);
    invitation_free(&a->invitation);
    free(a);
}

// The reasons a node of the reference gives are texts; ours are codes with a hint.
static struct error explain(const struct error *why, const struct hash *person)
{
    struct error e = *why;
    const struct hash_text id = hash_text(person);
    if (strcmp(why->code, "EP-KEYMISSMATCH") == 0)
        error_set(&e, STATUS_REFUSED, "EP-KEYMISSMATCH", "%.12s is a contact, but has other keys now", id.s);
    else if (strcmp(why->code, "UNKNOWN-INSTANCE") == 0)
        error_set(&e, STATUS_REFUSED, "UNKNOWN-INSTANCE", "%.12s is a contact, but not on this device", id.s);
    else if (strcmp(why->code, "OWN-PERSON") == 0)
        error_set(&e, STATUS_REFUSED, "OWN-PERSON", "who invites is %.12s, as one of our own nodes is: the same e-mail",
                  id.s);
    else if (strstr(why->message, "The person you name is our own") != NULL)
        error_set(&e, STATUS_REFUSED, "OWN-PERSON", "the other side is the same person as we are: the same e-mail");
    else if (strstr(why->message, "EP-KEYMISSMATCH") != NULL)
        error_set(&e, STATUS_REFUSED, "EP-KEYMISSMATCH",
                  "the other side has you as a contact, but with other keys than you have now");
    else if (strstr(why->message, "Authentication token is not existing") != NULL)
        error_set(&e, STATUS_REFUSED, "INVITATION-UNKNOWN",
                  "the other node does not know this invitation: it was used, has "
                  "expired, or came from elsewhere");
    else if (strstr(why->message, "do not accept connections for this target") != NULL)
        error_set(&e, STATUS_REFUSED, "INVITATION-UNKNOWN",
                  "the node at this address is not the one that made the invitation");
    else if (strstr(why->message, "not with your instance key") != NULL)
        error_set(&e, STATUS_REFUSED, "UNKNOWN-INSTANCE",
                  "the other side has you as a contact, but not on this device: it has to invite with --for you");
    return e;
}

// With the text that both sides can compare.
static json_t *show_paired(const struct pairings *ps, const struct pairing *pairing)
{
    const struct conn_peer *peer = pairing_peer(pairing);
    const struct pairing_identity *identity = pairing_peer_identity(pairing);
    struct safety_side own = safety_side_of(local_of(ps, pairing)->self);
    struct safety_side other = {
        .person_public = identity->person_public,
        .instance_public = identity->instance_public,
        .person_sign_public = identity->person_sign_public,
        .instance_sign_public = identity->instance_sign_public,
    };
    return json_pack("{s:o, s:o, s:s}", "personId", node_json_hash(&peer->person_id), "instanceId",
                     node_json_hash(&peer->instance_id), "safety", safety_text(&own, &other).s);
}

static void finished(void *ctx, struct pairing *pairing, const struct error *why)
{
    struct pairings *ps = ctx;
    struct node *n = ps->peers->node;
    const struct conn_peer *peer = pairing_peer(pairing);
    struct attempt *a = attempt_with(ps, pairing);
    ps->accepting -= !pairing_initiated(pairing); // an attempt may have been given up before
    if (why == NULL) {
        node_tell(n, "pairing.accepted", show_paired(ps, pairing));
        node_tell(n, "contact.added", json_pack("{s:o}", "personId", node_json_hash(&peer->person_id)));
    } else {
        pairings_tell_failed(ps, &peer->person_id, pairing_connection(pairing), why);
    }
    if (pairing_peer_identity(pairing) != NULL) // it was stored
        news_release(ps->peers->news);
    if (a == NULL)
        return;
    struct error e = why != NULL ? explain(why, &peer->person_id) : (struct error){0};
    end_attempt(a, why == NULL ? show_paired(ps, pairing) : NULL, &e);
}

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct attempt *a = ctx;
    struct peers *p = a->owner->peers;
    a->dial = NULL;
    if (t == NULL) {
        connections_undialled(p, a->id, why);
        end_attempt(a, NULL, why);
        return;
    }
    a->conn = conn_initiate(t, &p->host, &a->local->identity, &a->invitation.public_key, CONN_PAIRING);
}

static enum status dial(struct pairings *ps, struct attempt *a, struct error *e)
{
    a->dial = ws_client_connect(ps->peers->client, a->invitation.url, 0, 0, dialled, a, e);
    if (a->dial == NULL)
        return e->status;
    a->id = ws_connect_id(a->dial);
    connections_dialling(ps->peers, a->id, a->invitation.url, CONN_PAIRING, &a->from);
    return STATUS_OK;
}

// Those of the other own node the supervisor keeps from clients: it uses them itself.
static bool is_own_invitation(const struct peers *p, const struct public_key *key)
{
    return routes_identity(p->routes, key) != NULL;
}

static enum status begin_attempt(struct pairings *ps, struct attempt *a, struct error *e)
{
    size_t count = 0;
    for (const struct attempt *other = ps->attempts; other != NULL; other = other->next)
        count++;
    if (count >= ACCEPT_MAX)
        return error_set(e, STATUS_FULL, "BUSY", "%d invitations are being accepted already", ACCEPT_MAX);
    enum status st;
    if (is_own_invitation(ps->peers, &a->invitation.public_key)) {
        st = error_set(e, STATUS_REFUSED, "OWN-INVITATION",
                       "this invitation is our own; it is for somebody else to accept");
    } else {
        st = dial(ps, a, e);
    }
    if (st == STATUS_OK) {
        a->next = ps->attempts;
        ps->attempts = a;
    }
    return st;
}

static void free_attempt(struct attempt *a)
{
    invitation_free(&a->invitation);
    free(a);
}

static enum status try_waiting(struct pairings *ps, struct wait *w, const struct invitation *i, const struct hash *from,
                               const struct hash *identity, struct error *e)
{
    struct attempt *a = mem_alloc(sizeof *a);
    struct hash_text id = hash_text(identity);
    *a = (struct attempt){.owner = ps, .wait = w, .from = *from};
    a->local = peers_local_named(ps->peers, span_of(id.s), e);
    a->invitation = (struct invitation){
        .token = mem_text(span_of(i->token)), .public_key = i->public_key, .url = mem_text(span_of(i->url))};
    enum status st = a->local != NULL ? begin_attempt(ps, a, e) : e->status;
    if (st != STATUS_OK)
        free_attempt(a);
    return st;
}

static void abandon(struct pairings *ps, const struct wait *w)
{
    for (struct attempt *a = ps->attempts; a != NULL; a = a->next)
        if (a->wait == w)
            a->wait = NULL; // what it comes to is of no interest
}

// ---- Connections ---------------------------------------------------------------------------------------------------

// Empty when we cannot be dialled. Whoever meets us at a relay may not reach us otherwise, and is told to dial that.
static const char *own_url(const struct node *n, const struct conn *c)
{
    const char *met = conn_transport(c)->url;
    bool relayed = met != NULL && addresses_is_relay(node_config(n), span_of(met));
    return node_kind(n)->program == WALL_ARCHIVE && relayed ? met : node_url(n);
}

static struct pairing_identity own_identity(const struct peers *p, const struct conn *c)
{
    const char *url = own_url(p->node, c);
    return pairing_identity_of(conn_local(c), url[0] != '\0' ? (char *)(uintptr_t)url : NULL);
}

const char *pairings_ready(struct pairings *ps, struct conn *c)
{
    struct pairing_identity own = own_identity(ps->peers, c);
    struct attempt *a = attempt_of(ps, c);
    if (a != NULL) {
        a->pairing = pairing_initiate(c, &ps->host, &own, a->invitation.token);
        return NULL;
    }
    invitations_expire(ps, clock_wall_ms());
    if (tokens_count(ps->tokens) == 0) { // nothing it could say would be right
        struct error why;
        error_set(&why, STATUS_REFUSED, "BAD-TOKEN", "Authentication token is not existing.");
        pairings_tell_failed(ps, &conn_peer(c)->person_id, conn_id(c), &why);
        conn_fail(c, &why);
        return NULL;
    }
    ps->accepting++;
    pairing_accept(c, &ps->host, &own, ps->tokens);
    return NULL;
}

// A contact that came with an invitation of ours, but other keys or another device than we know, or somebody who chose
// our e-mail: the user decides.
static bool is_contact_refused(const struct conn *c, const struct error *why)
{
    return conn_role(c) == CONN_ACCEPTOR && conn_group(c) == CONN_PAIRING && conn_peer(c)->instance_name == NULL &&
           (strcmp(why->code, "EP-KEYMISSMATCH") == 0 || strcmp(why->code, "UNKNOWN-INSTANCE") == 0 ||
            strcmp(why->code, "OWN-PERSON") == 0);
}

void pairings_closed(struct pairings *ps, struct conn *c, const struct error *why)
{
    struct attempt *a = attempt_of(ps, c);
    if (is_contact_refused(c, why) && tokens_count(ps->tokens) != 0)
        pairings_tell_failed(ps, &conn_peer(c)->person_id, conn_id(c), why);
    if (a == NULL)
        return;
    a->conn = NULL;
    if (a->pairing == NULL) { // ended before the pairing began: nobody else will tell
        struct error e = explain(why, &conn_peer(c)->person_id);
        end_attempt(a, NULL, &e);
    }
}

enum status pairings_admit(const struct pairings *ps, const struct conn *c, bool listed, struct error *e)
{
    const struct hash *person = &conn_peer(c)->person_id;
    const struct attempt *a = attempt_of(ps, c);
    bool expected = a != NULL ? hash_eq(&a->from, person) : tokens_expect(ps->tokens, person, clock_wall_ms());
    if (a != NULL && !hash_is_zero(&a->from) && !expected)
        return error_set(e, STATUS_REFUSED, "IDENTITY-MISMATCH", "The invitation is from somebody else");
    if (listed && !expected)
        return error_set(e, STATUS_REFUSED, "UNKNOWN-INSTANCE",
                         "The person you name is known here, but not with your instance key");
    return STATUS_OK;
}

bool pairings_in_flight(const struct pairings *ps)
{
    return ps->accepting != 0;
}

// ---- Accepting -----------------------------------------------------------------------------------------------------

static void accept_invitation(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_of_request(ctx, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct attempt *a = mem_alloc(sizeof *a);
    a->owner = ps;
    a->request = r;
    a->local = pairings_local(ps, r, &e);
    hash_parse(span_of(ipc_request_text(r, P_for)), &a->from);
    const json_t *given = ipc_request_json(r, P_invitation);
    if (a->local != NULL && invitation_read(given, &a->invitation, &e) == STATUS_OK &&
        begin_attempt(ps, a, &e) == STATUS_OK)
        return;
    free_attempt(a);
    repeats_fail(ps->repeats, r, &e);
}

void pairings_register(struct node *n)
{
    invitations_register(n);
    waits_register(n);
    ipc_service_on(node_service(n), "pairing.accept", accept_invitation, n);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct pairings *pairings_create(struct peers *p)
{
    struct pairings *ps = mem_alloc(sizeof *ps);
    ps->peers = p;
    ps->repeats = repeats_create((struct repeats_limits){.remembered = 64, .joined = 8});
    ps->kept = kept_create(p->node);
    ps->tokens = tokens_create(INVITATIONS_MAX, kept_hooks(ps->kept));
    kept_load(ps->kept, ps->tokens);
    ps->waits = waits_create(ps, (struct wait_acts){try_waiting, abandon});
    ps->host = (struct pairing_host){.ctx = ps, .store = store_identity, .finished = finished};
    return ps;
}

void pairings_close(struct pairings *ps)
{
    struct error e;
    error_set(&e, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
    waits_close(ps->waits);
    while (ps->attempts != NULL) {
        if (ps->attempts->dial != NULL)
            ws_connect_cancel(ps->attempts->dial);
        end_attempt(ps->attempts, NULL, &e);
    }
}

void pairings_destroy(struct pairings *ps)
{
    if (ps == NULL)
        return;
    waits_destroy(ps->waits);
    tokens_destroy(ps->tokens);
    kept_destroy(ps->kept);
    repeats_destroy(ps->repeats);
    free(ps);
}
