#include "node/pairings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn/pairing.h"
#include "ipc/invitation.h"
#include "models/contact.h"
#include "models/safety.h"
#include "models/sharing.h"
#include "node/addresses.h"
#include "node/job.h"
#include "node/kept.h"
#include "node/peers_internal.h"
#include "node/repeats.h"

enum { INVITATIONS_MAX = 1000, ACCEPT_MAX = 16 };

struct attempt { // an invitation we accept
    struct attempt *next;
    struct pairings *owner;
    struct ipc_request *request;
    struct invitation invitation;
    struct hash from; // whose invitation it is said to be; zero = anybody's
    struct ws_connect *dial;
    uint64_t id; // of the connection
    struct conn *conn;
    struct pairing *pairing;
};

struct pairings {
    struct peers *peers;
    struct tokens *tokens;
    struct kept *kept;
    struct repeats *repeats;
    struct pairing_host host;
    struct attempt *attempts;
    size_t accepting; // connections of the group we are the invited-to side of
};

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

// ---- Storing who came ----------------------------------------------------------------------------------------------

struct storing {
    struct pairings *owner;
    struct pairing *pairing;
    const struct identity *self;
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
    struct model m = {.store = s, .self = job->self, .arena = arena, .now_ms = clock_wall_ms()};
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
        peers_stored(p, &job->peer->instance_public, pairing_initiated(job->pairing));
    pairing_stored(job->pairing, status == STATUS_OK ? NULL : e); // the end of the node is its end, too
    free(job);
}

static void store_identity(void *ctx, struct pairing *pairing, const struct pairing_identity *peer)
{
    struct pairings *ps = ctx;
    struct storing *job = mem_alloc(sizeof *job);
    *job = (struct storing){.owner = ps, .pairing = pairing, .self = node_self(ps->peers->node), .peer = peer};
    const struct pairing_token *token = pairing_token(pairing);
    const struct attempt *a = attempt_with(ps, pairing);
    const struct hash *guest = token != NULL ? &token->guest : a != NULL ? &a->from : NULL;
    job->expected = guest != NULL && hash_eq(guest, &pairing_peer(pairing)->person_id);
    job->kept = token != NULL ? kept_use(ps->kept, token) : NULL;
    if (job->kept != NULL)
        job->token = *token;
    store_submit(node_queue(ps->peers->node), store_work, store_done, job);
}

// ---- Attempts of ours ----------------------------------------------------------------------------------------------

static void end_attempt(struct attempt *a, json_t *result, const struct error *why)
{
    struct attempt **link = &a->owner->attempts;
    while (*link != a)
        link = &(*link)->next;
    *link = a->next;
    if (result != NULL)
        repeats_reply(a->owner->repeats, a->request, result);
    else
        repeats_fail(a->owner->repeats, a->request, why);
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
    struct safety_side own = safety_side_of(node_self(ps->peers->node));
    struct safety_side other = {
        .person_public = identity->person_public,
        .instance_public = identity->instance_public,
        .person_sign_public = identity->person_sign_public,
        .instance_sign_public = identity->instance_sign_public,
    };
    return json_pack("{s:o, s:o, s:s}", "personId", node_json_hash(&peer->person_id), "instanceId",
                     node_json_hash(&peer->instance_id), "safety", safety_text(&own, &other).s);
}

static void tell_failed(const struct pairings *ps, const struct hash *person, const struct error *why)
{
    node_tell(
        ps->peers->node, "pairing.failed",
        json_pack("{s:s, s:s, s:o}", "reason", why->message, "code", why->code, "personId", node_json_hash(person)));
    incidents_note(ps->peers->incidents, INCIDENT_PAIRING, 0, why, clock_wall_ms());
}

static void finished(void *ctx, struct pairing *pairing, const struct error *why)
{
    struct pairings *ps = ctx;
    struct node *n = ps->peers->node;
    const struct conn_peer *peer = pairing_peer(pairing);
    struct attempt *a = attempt_with(ps, pairing);
    ps->accepting -= !pairing_initiated(pairing); // an attempt may have been given up before
    if (why == NULL) {
        LOG(LOG_INFO, "pairing.accepted", LOG_HASH("person", &peer->person_id));
        node_tell(n, "pairing.accepted", show_paired(ps, pairing));
        node_tell(n, "contact.added", json_pack("{s:o}", "personId", node_json_hash(&peer->person_id)));
    } else {
        LOG(LOG_WARN, "pairing.failed", LOG_TEXT("code", why->code), LOG_TEXT("message", why->message));
        tell_failed(ps, &peer->person_id, why);
    }
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
    a->conn = conn_initiate(t, &p->host, &p->identity, &a->invitation.public_key, CONN_PAIRING);
}

static enum status dial(struct pairings *ps, struct attempt *a, struct error *e)
{
    a->dial = ws_client_connect(ps->peers->client, a->invitation.url, 0, 0, dialled, a, e);
    if (a->dial == NULL)
        return e->status;
    a->id = ws_connect_id(a->dial);
    connections_dialling(ps->peers, a->id, a->invitation.url, CONN_PAIRING);
    return STATUS_OK;
}

static enum status begin_attempt(struct pairings *ps, struct attempt *a, struct error *e)
{
    size_t count = 0;
    for (const struct attempt *other = ps->attempts; other != NULL; other = other->next)
        count++;
    if (count >= ACCEPT_MAX)
        return error_set(e, STATUS_FULL, "BUSY", "%d invitations are being accepted already", ACCEPT_MAX);
    const json_t *given = json_object_get(ipc_request_params(a->request), "invitation");
    enum status st = invitation_read(given, &a->invitation, e);
    if (st != STATUS_OK)
        return st;
    if (public_key_eq(&a->invitation.public_key, &ps->peers->identity.instance_public)) {
        st = error_set(e, STATUS_REFUSED, "BAD-INVITATION",
                       "this invitation is our own; it is for somebody else to accept");
    } else {
        st = dial(ps, a, e);
    }
    if (st != STATUS_OK)
        invitation_free(&a->invitation);
    return st;
}

// ---- Connections ---------------------------------------------------------------------------------------------------

// Empty when we cannot be dialled. Whoever meets us at a relay may not reach us otherwise, and is told to dial that.
static const char *own_url(const struct node *n, const struct conn *c)
{
    const char *direct = node_url(n);
    const char *met = conn_transport(c)->url;
    bool relayed = met != NULL && addresses_is_relay(node_config(n), span_of(met));
    return direct[0] != '\0' && relayed ? met : direct;
}

static struct pairing_identity own_identity(const struct peers *p, const struct conn *c)
{
    const char *url = own_url(p->node, c);
    return pairing_identity_of(&p->identity, url[0] != '\0' ? (char *)(uintptr_t)url : NULL);
}

static void forget_expired(struct pairings *ps, int64_t now_ms)
{
    size_t before = tokens_count(ps->tokens);
    tokens_expire(ps->tokens, now_ms);
    for (size_t left = tokens_count(ps->tokens); left < before; left++)
        node_tell(ps->peers->node, "invitation.expired", json_object());
}

const char *pairings_ready(struct pairings *ps, struct conn *c)
{
    struct pairing_identity own = own_identity(ps->peers, c);
    struct attempt *a = attempt_of(ps, c);
    if (a != NULL) {
        a->pairing = pairing_initiate(c, &ps->host, &own, a->invitation.token);
        return NULL;
    }
    forget_expired(ps, clock_wall_ms());
    if (tokens_count(ps->tokens) == 0) { // nothing it could say would be right
        struct error why;
        error_set(&why, STATUS_REFUSED, "BAD-TOKEN", "Authentication token is not existing.");
        tell_failed(ps, &conn_peer(c)->person_id, &why);
        conn_fail(c, &why);
        return NULL;
    }
    ps->accepting++;
    pairing_accept(c, &ps->host, &own, ps->tokens);
    return NULL;
}

// A contact that came with an invitation of ours, but other keys or another device than we know: the user decides.
static bool is_contact_refused(const struct conn *c, const struct error *why)
{
    return conn_role(c) == CONN_ACCEPTOR && conn_group(c) == CONN_PAIRING && conn_peer(c)->instance_name == NULL &&
           (strcmp(why->code, "EP-KEYMISSMATCH") == 0 || strcmp(why->code, "UNKNOWN-INSTANCE") == 0);
}

void pairings_closed(struct pairings *ps, struct conn *c, const struct error *why)
{
    struct attempt *a = attempt_of(ps, c);
    if (is_contact_refused(c, why) && tokens_count(ps->tokens) != 0)
        tell_failed(ps, &conn_peer(c)->person_id, why);
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

// ---- Control methods -----------------------------------------------------------------------------------------------

// NULL: the request is answered, or will be.
static struct pairings *pairings_for(struct node *n, struct ipc_request *r)
{
    struct pairings *ps = node_peers(n) != NULL ? node_peers(n)->pairings : NULL;
    if (ps != NULL)
        return repeats_take(ps->repeats, r) ? NULL : ps;
    struct error e;
    error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    ipc_request_fail(r, &e);
    return NULL;
}

static enum status invite_url(struct node *n, const char *via, const char **url, struct error *e)
{
    *url = node_url(n);
    if (via != NULL && strcmp(via, "relay") == 0)
        *url = json_string_value(json_array_get(json_object_get(node_config(n), "relay.urls"), 0));
    if (*url == NULL)
        return error_set(e, STATUS_CONFLICT, "NO-RELAY", "no relay is configured");
    if ((*url)[0] == '\0')
        return error_set(e, STATUS_CONFLICT, "NOT-LISTENING", "this node cannot be dialled, so it cannot invite");
    return STATUS_OK;
}

struct inviting { // until the token of an invitation to keep is stored
    struct pairings *owner;
    struct ipc_request *request;
    struct pairing_token token;
    json_t *result;
};

static void token_kept(void *ctx, const struct error *why)
{
    struct inviting *i = ctx;
    if (why == NULL) {
        repeats_reply(i->owner->repeats, i->request, i->result);
    } else {
        tokens_revoke(i->owner->tokens, (struct span){i->token.text, TOKEN_LENGTH});
        json_decref(i->result);
        repeats_fail(i->owner->repeats, i->request, why);
    }
    secret_wipe(i, sizeof *i);
    free(i);
}

static void answer_invitation(struct pairings *ps, struct ipc_request *r, const struct pairing_token *token,
                              const char *url)
{
    json_t *result = invitation_object(token->text, &ps->peers->identity.instance_public, url);
    if (!ipc_request_bool(r, "keep", false)) {
        repeats_reply(ps->repeats, r, result);
        return;
    }
    struct inviting *i = mem_alloc(sizeof *i);
    *i = (struct inviting){.owner = ps, .request = r, .token = *token, .result = result};
    kept_add(ps->kept, token, token_kept, i);
}

static void invite(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    struct pairings *ps = pairings_for(n, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct pairing_token token;
    struct hash guest;
    const char *url;
    int64_t now = clock_wall_ms();
    bool for_one = hash_parse(span_of(ipc_request_text(r, "for")), &guest);
    enum status st = invite_url(n, ipc_request_text(r, "via"), &url, &e);
    int64_t ttl_ms = ipc_request_int(r, "ttl", 0) * 1000;
    if (st == STATUS_OK && !peers_may_pair(ps->peers))
        st = error_set(&e, STATUS_REFUSED, "PAIRING-OFF", "this installation makes no new contacts");
    if (st == STATUS_OK) {
        forget_expired(ps, now);
        st = tokens_issue(ps->tokens, &node_self(n)->person, for_one ? &guest : NULL,
                          ttl_ms != 0 ? ttl_ms : ps->peers->settings.invitation_ms, now, &token, &e);
    }
    if (st != STATUS_OK) {
        repeats_fail(ps->repeats, r, &e);
        return;
    }
    answer_invitation(ps, r, &token, url);
}

// ---- Invitations that were given out -------------------------------------------------------------------------------

// Of a token only this much is shown, enough to tell them apart; the rest stays secret.
enum { TOKEN_SHOWN = 12 };

struct listing {
    const struct pairings *owner;
    json_t *items;
};

static void list_token(void *ctx, const struct pairing_token *token, bool reserved)
{
    struct listing *l = ctx;
    json_array_append_new(l->items, json_pack("{s:s%, s:I, s:b, s:b}", "invitation", token->text, (size_t)TOKEN_SHOWN,
                                              "expiresAt", (json_int_t)token->expires_ms, "kept",
                                              (int)kept_has(l->owner->kept, token), "inUse", (int)reserved));
}

static void list_invitations(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_for(ctx, r);
    if (ps == NULL)
        return;
    struct listing l = {ps, json_array()};
    forget_expired(ps, clock_wall_ms());
    tokens_each(ps->tokens, list_token, &l);
    ipc_request_reply(r, node_page(r, l.items));
}

struct search {
    struct span beginning;
    struct pairing_token found;
    size_t count;
};

static void match_token(void *ctx, const struct pairing_token *token, bool reserved)
{
    struct search *s = ctx;
    (void)reserved;
    if (!span_starts_with((struct span){token->text, TOKEN_LENGTH}, s->beginning))
        return;
    s->found = *token;
    s->count++;
}

static void revoke(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_for(ctx, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct search s = {.beginning = span_of(ipc_request_text(r, "invitation"))};
    tokens_each(ps->tokens, match_token, &s);
    if (s.count == 1 && tokens_revoke(ps->tokens, (struct span){s.found.text, TOKEN_LENGTH})) {
        repeats_reply(ps->repeats, r, NULL);
    } else {
        error_set(&e, s.count == 0 ? STATUS_NOT_FOUND : STATUS_REFUSED, s.count == 0 ? "NOT-FOUND" : "AMBIGUOUS-ID",
                  "%zu unused invitations begin like that", s.count);
        repeats_fail(ps->repeats, r, &e);
    }
    secret_wipe(&s, sizeof s);
}

// ---- Accepting -----------------------------------------------------------------------------------------------------

static void accept_invitation(struct ipc_request *r, void *ctx)
{
    struct pairings *ps = pairings_for(ctx, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct attempt *a = mem_alloc(sizeof *a);
    a->owner = ps;
    a->request = r;
    hash_parse(span_of(ipc_request_text(r, "for")), &a->from);
    if (begin_attempt(ps, a, &e) != STATUS_OK) {
        free(a);
        repeats_fail(ps->repeats, r, &e);
        return;
    }
    a->next = ps->attempts;
    ps->attempts = a;
}

void pairings_register(struct node *n)
{
    ipc_service_on(node_service(n), "pairing.invite", invite, n);
    ipc_service_on(node_service(n), "pairing.invitations", list_invitations, n);
    ipc_service_on(node_service(n), "pairing.revoke", revoke, n);
    ipc_service_on(node_service(n), "pairing.accept", accept_invitation, n);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct pairings *pairings_create(struct peers *p)
{
    struct pairings *ps = mem_alloc(sizeof *ps);
    ps->peers = p;
    ps->repeats = repeats_create();
    ps->kept = kept_create(p->node);
    ps->tokens = tokens_create(INVITATIONS_MAX, kept_hooks(ps->kept));
    kept_load(ps->kept, ps->tokens);
    ps->host = (struct pairing_host){.ctx = ps, .store = store_identity, .finished = finished};
    return ps;
}

void pairings_close(struct pairings *ps)
{
    struct error e;
    error_set(&e, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
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
    tokens_destroy(ps->tokens);
    kept_destroy(ps->kept);
    repeats_destroy(ps->repeats);
    free(ps);
}
