// Invitations given out: made, listed, taken back, expired. One that is to outlive the process, as those do that are
// valid longer than an hour, is handed out only after its token is stored (token_kept). Tokens are secrets: lists show
// the beginning, by which one can be taken back, and copies are wiped.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conn/pairing.h"
#include "node/job.h"
#include "node/page.h"
#include "node/pairings_internal.h"

void invitations_expire(struct pairings *ps, int64_t now_ms)
{
    size_t before = tokens_count(ps->tokens);
    tokens_expire(ps->tokens, now_ms);
    for (size_t left = tokens_count(ps->tokens); left < before; left++)
        node_tell(ps->peers->node, "invitation.expired", json_object());
}

static bool is_word(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

// The address in an invitation, by default the direct one if there is one now. Our other own node has its own way.
static enum status invite_url(struct node *n, const char *via, const struct hash *guest, const char **url,
                              struct error *e)
{
    const char *relay = json_string_value(json_array_get(json_object_get(node_config(n), "relay.urls"), 0));
    bool direct = node_url(n)[0] != '\0' && !node_is_shut(n);
    bool relayed = is_word(via, "relay") || (via == NULL && !direct && relay != NULL);
    *url = relayed ? relay : node_url(n);
    if (guest != NULL && peers_names_own(node_peers(n), guest) && node_own_url(n)[0] != '\0') {
        *url = node_own_url(n);
        return STATUS_OK;
    }
    if (relayed && relay == NULL)
        return error_set(e, STATUS_CONFLICT, "NO-RELAY", "no relay is configured");
    if (relayed || direct)
        return STATUS_OK;
    return error_set(e, STATUS_CONFLICT, "NOT-LISTENING", "%s",
                     node_is_shut(n) && node_url(n)[0] != '\0' ? "the listener is stopped: tandem listener start"
                                                               : "this node cannot be dialled, so it cannot invite");
}

enum { LASTING_MS = 60 * 60 * 1000 }; // an invitation that is valid longer is kept unless that is refused

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

static void answer_invitation(struct pairings *ps, struct ipc_request *r, const struct local *l,
                              const struct pairing_token *token, const char *url)
{
    json_t *result = invitation_object(token->text, &l->identity.instance_public, url);
    bool lasting = token->expires_ms - clock_wall_ms() > LASTING_MS;
    if (!ipc_request_bool(r, P_keep, lasting)) {
        repeats_reply(ps->repeats, r, result);
        return;
    }
    struct inviting *i = mem_alloc(sizeof *i);
    *i = (struct inviting){.owner = ps, .request = r, .token = *token, .result = result};
    kept_add(ps->kept, token, token_kept, i);
}

enum status pairings_can_invite(struct node *n, const char **url, struct error *e)
{
    if (!peers_may_pair(node_peers(n)))
        return error_set(e, STATUS_REFUSED, "PAIRING-OFF", "this installation makes no new contacts");
    return invite_url(n, NULL, NULL, url, e);
}

static void invite(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    struct pairings *ps = pairings_of_request(n, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct pairing_token token;
    struct hash guest;
    const char *url = NULL;
    int64_t now = clock_wall_ms();
    bool for_one = hash_parse(span_of(ipc_request_text(r, P_for)), &guest);
    const struct local *l = pairings_local(ps, r, &e);
    enum status st =
        l == NULL ? STATUS_REFUSED : invite_url(n, ipc_request_text(r, P_via), for_one ? &guest : NULL, &url, &e);
    int64_t ttl_ms = ipc_request_int(r, P_ttl, 0) * 1000;
    if (st == STATUS_OK && !peers_may_pair(ps->peers))
        st = error_set(&e, STATUS_REFUSED, "PAIRING-OFF", "this installation makes no new contacts");
    if (st == STATUS_OK) {
        invitations_expire(ps, now);
        st = tokens_issue(ps->tokens, &l->self->person, for_one ? &guest : NULL,
                          ttl_ms != 0 ? ttl_ms : ps->peers->settings.invitation_ms, now, &token, &e);
    }
    if (st != STATUS_OK) {
        repeats_fail(ps->repeats, r, &e);
        return;
    }
    answer_invitation(ps, r, l, &token, url);
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
    struct pairings *ps = pairings_of_request(ctx, r);
    if (ps == NULL)
        return;
    struct listing l = {ps, json_array()};
    invitations_expire(ps, clock_wall_ms());
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
    struct pairings *ps = pairings_of_request(ctx, r);
    if (ps == NULL)
        return;
    struct error e = {0};
    struct search s = {.beginning = span_of(ipc_request_text(r, P_invitation))};
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

void invitations_register(struct node *n)
{
    ipc_service_on(node_service(n), "pairing.invite", invite, n);
    ipc_service_on(node_service(n), "pairing.invitations", list_invitations, n);
    ipc_service_on(node_service(n), "pairing.revoke", revoke, n);
}
