// What a peer may give us and get from us, as the model layer sees it for one of our identities. All of it is asked on
// the store thread, while the session belongs to the loop.
#include <inttypes.h>

#include "base/clock.h"
#include "models/entitled.h"
#include "models/policy.h"
#include "models/sharing.h"
#include "models/sparing.h"
#include "node/ledger.h"
#include "node/node_internal.h"
#include "node/syncs_internal.h"

static struct model model_for(const struct speaker *f, struct store *s, struct arena *a)
{
    return (struct model){.store = s, .self = f->self, .arena = a, .now_ms = clock_wall_ms()};
}

static bool wants(void *ctx, struct store *s, const struct hash *sender, struct span type, const struct hash *id_hash)
{
    const struct speaker *f = ctx;
    if (!f->owner->peers->settings.imports)
        return false;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    struct sparing_cache *sparing = f->owner->sparing;
    bool yes = policy_may_want(&m, sender, type, id_hash);
    if (yes && sparing != NULL && sharing_is_own_node(&m, sender))
        yes = !sparing_refuses(sparing, &m, type, id_hash);
    arena_destroy(a);
    return yes;
}

static enum status admits(void *ctx, struct store *s, const struct hash *sender, const struct object *object,
                          struct error *e)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    enum status st = policy_may_import(&m, sender, object, e);
    arena_destroy(a);
    return st;
}

static bool follows(void *ctx, struct store *s, const struct hash *sender, const struct object *object)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_follows(&m, sender, object);
    arena_destroy(a);
    return yes;
}

static bool serves(void *ctx, struct store *s, const struct hash *person, struct span type, const struct hash *what)
{
    const struct speaker *f = ctx;
    if (!f->owner->peers->settings.exports)
        return false;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_may_serve(&m, person, type, what) &&
               entitled_to_show(node_actors(f->owner->peers->node), &m, person, type, what);
    arena_destroy(a);
    return yes;
}

static bool replaces(void *ctx, struct store *s, const struct hash *sender, const struct object *object)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = policy_replaces(&m, sender, object);
    arena_destroy(a);
    return yes;
}

static struct budget *budget_of(const struct syncs *ss, const struct hash *person, bool own)
{
    return budget_of_person(ss->peers->budgets, person, own ? BUDGET_OWN : BUDGET_CONTACT);
}

static enum status takes(void *ctx, struct store *s, const struct hash *sender, const struct chum_load *load,
                         struct error *e)
{
    const struct speaker *f = ctx;
    const struct syncs *ss = f->owner;
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    enum status st = STATUS_OK;
    if (!sharing_is_own_node(&m, sender)) {
        struct budget *b = budget_of(ss, sender, false);
        struct ledger l;
        ledger_load(&l, s, sender);
        budget_charge(b, BUDGET_VERSIONS, load->versions);
        budget_charge(b, BUDGET_GROWTH, ledger_book(&l, load->sent, load->grown));
        uint64_t most = ss->peers->settings.store_bytes;
        if (most != 0 && l.grown > most) {
            budget_note_refusal(b, BUDGET_GROWTH);
            st = error_set(e, STATUS_REFUSED, "OVER-BUDGET",
                           "the person's node may make the store grow by %" PRIu64 " MB (peers.store_mb)", most >> 20);
        }
        if (st == STATUS_OK)
            st = ledger_save(&l, s, sender, e);
        budget_release(b);
    }
    arena_destroy(a);
    return st;
}

// The event budget.exceeded tells of it.
static uint64_t rests(void *ctx, const struct hash *sender)
{
    const struct syncs *ss = ((const struct speaker *)ctx)->owner;
    struct budget *b = budget_of(ss, sender, peers_names_own(ss->peers, sender));
    uint64_t versions = budget_wait_ms(b, BUDGET_VERSIONS, 1);
    uint64_t growth = budget_wait_ms(b, BUDGET_GROWTH, 1);
    if (versions != 0)
        budget_note_refusal(b, BUDGET_VERSIONS);
    if (growth != 0)
        budget_note_refusal(b, BUDGET_GROWTH);
    budget_release(b);
    return versions > growth ? versions : growth;
}

static bool is_own(void *ctx, struct store *s, const struct hash *person)
{
    struct arena *a = arena_create();
    struct model m = model_for(ctx, s, a);
    bool yes = sharing_is_own_node(&m, person);
    arena_destroy(a);
    return yes;
}

struct speaker *syncs_speaker(struct syncs *ss, const struct identity *self)
{
    struct speaker *f = ss->speakers;
    while (f != NULL && f->self != self)
        f = f->next;
    if (f != NULL)
        return f;
    f = mem_alloc(sizeof *f);
    *f = (struct speaker){.next = ss->speakers, .owner = ss, .self = self, .access = chum_access_create()};
    f->policy = (struct chum_policy){.ctx = f,
                                     .wants = wants,
                                     .admits = admits,
                                     .follows = follows,
                                     .takes = takes,
                                     .rests = rests,
                                     .serves = serves,
                                     .replaces = replaces,
                                     .is_own = is_own};
    ss->speakers = f;
    return f;
}
