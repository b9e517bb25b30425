// Each part is judged by what happened last and not by what is configured: "failing" is what a user should look into,
// and "idle" what is as it was asked for. A dial that nobody answered says nothing of handshakes, so only those count
// that got as far.
#include "node/board.h"

#include <string.h>

#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/pairings.h"
#include "node/peers_internal.h"

static json_t *part(const char *state, const struct buf *reason)
{
    return json_pack("{s:s, s:o}", "state", state, "reason", node_json_text(buf_span(reason)));
}

// Could an invitation be made now, and does it name a key that we answer for?
static json_t *show_invitations(struct node *n)
{
    struct error e = {0};
    struct buf reason = {0};
    const char *url = NULL;
    const struct peers *p = n->peers;
    const char *state = "working";
    if (!peers_may_pair(p)) {
        state = "idle";
        buf_add_text(&reason, "the setting peers.pairing is false");
    } else if (pairings_can_invite(n, &url, &e) != STATUS_OK) {
        state = n->kind->open != NULL ? "failing" : "idle"; // a node that never listens
        buf_add_text(&reason, e.message);
    } else {
        buf_printf(&reason, "invitations name %s", url);
    }
    json_t *shown = part(state, &reason);
    buf_free(&reason);
    return shown;
}

// A handshake names the key that it wants to speak to; each of ours has to be found by it.
static json_t *show_keys(const struct peers *p)
{
    struct buf reason = {0};
    size_t keys = 0;
    size_t lost = 0;
    for (const struct local *l = &p->main; l != NULL; l = l->next, keys++)
        lost += routes_identity(p->routes, &l->identity.instance_public) != &l->identity;
    if (lost != 0)
        buf_printf(&reason, "%zu of %zu instance keys are not answered for", lost, keys);
    else
        buf_printf(&reason, "%zu instance key%s answered for", keys, keys == 1 ? " is" : "s are");
    json_t *shown = part(lost != 0 ? "failing" : "working", &reason);
    buf_free(&reason);
    return shown;
}

static bool is_past_handshake(const struct connection *l)
{
    return l->furthest >= CONN_PAIRING_ACTIVE;
}

// Those that came as far as to begin one: a dial that nobody answered says nothing of handshakes.
static const struct connection *last_handshake(const struct connections *cs)
{
    const struct connection *l = cs->ended;
    while (l != NULL && l->furthest < CONN_ENCRYPTING)
        l = l->next;
    return l;
}

static json_t *show_handshake(const struct peers *p)
{
    struct buf reason = {0};
    size_t open = 0;
    const char *state = "working";
    for (const struct connection *l = p->connections.open; l != NULL; l = l->next)
        open += is_past_handshake(l);
    const struct connection *last = last_handshake(&p->connections);
    if (open != 0) {
        buf_printf(&reason, "%zu connection%s proved who speaks", open, open == 1 ? "" : "s");
    } else if (last == NULL) {
        state = "idle";
        buf_add_text(&reason, "nobody has tried yet");
    } else if (is_past_handshake(last)) {
        buf_add_text(&reason, "the last one succeeded");
    } else {
        state = "failing";
        buf_printf(&reason, "the last one failed: %s (%s)", last->why.message, last->why.code);
    }
    json_t *shown = part(state, &reason);
    buf_free(&reason);
    return shown;
}

static json_t *show_chum(const struct peers *p)
{
    struct buf reason = {0};
    bool importing = false;
    bool exporting = false;
    const char *state = "working";
    uint64_t stuck = syncs_counts(p->syncs).stuck;
    bool with_own = syncs_with(p->syncs, &p->own.peer.person, &importing, &exporting);
    if (!p->own.paired) {
        state = "idle";
        buf_add_text(&reason, "the own nodes are not paired yet");
    } else if (!with_own) {
        state = "failing";
        buf_add_text(&reason, "the own nodes are not connected");
    } else if (!importing || !exporting) {
        state = "failing";
        buf_printf(&reason, "nothing is %s", importing ? "offered to the other own node" : "taken from it");
    } else if (stuck != 0) {
        state = "failing";
        buf_printf(&reason, "%llu things fail again and again: tandem log --grep sync.stuck",
                   (unsigned long long)stuck);
    } else {
        buf_add_text(&reason, "it runs both ways between the own nodes");
    }
    json_t *shown = part(state, &reason);
    buf_free(&reason);
    return shown;
}

json_t *board_show(struct node *n)
{
    const struct peers *p = n->peers;
    return json_pack("{s:o, s:o, s:o, s:o}", "invitationCreation", show_invitations(n), "cryptoRegistration",
                     show_keys(p), "handshake", show_handshake(p), "chum", show_chum(p));
}
