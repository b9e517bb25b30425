// A root is here if it was admitted as one; as a part of something else it had no effect yet and is fetched again.
// Version nodes come behind all other roots, which may be what they are about, and those of one id together: the newest
// mostly bring the older ones along, so when there are too many it is the oldest that wait.
#include "chum/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chum/export.h"
#include "chum/receive.h"

struct group {            // the version nodes of one id
    size_t want;          // index + 1; 0 = nothing wanted yet
    struct hash previous; // the newest that is here
};

struct planning {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *sender;
    const struct hash_map *waiting;
    bool own;     // the sender is another node of ours
    bool unknown; // a root of a type that is not known
    struct chum_plan *plan;
    size_t cap;
    struct arena *arena;
    struct hash_map *groups; // by id hash
};

static bool is_refused(struct planning *p, const struct chum_root *r)
{
    if (!p->own && store_type_is_rights(r->type))
        return true;
    if (r->type.len != 0 && recipes_find(store_recipes(p->store), r->type) == NULL) {
        p->unknown = true;
        return true;
    }
    return p->policy != NULL && p->policy->wants != NULL &&
           !p->policy->wants(p->policy->ctx, p->store, p->sender, r->type, &r->id_hash);
}

static struct chum_want *add_want(struct planning *p, const struct chum_root *r)
{
    if (p->plan->count == p->cap) {
        p->cap = p->cap != 0 ? 2 * p->cap : 16;
        p->plan->wants = mem_resize(p->plan->wants, p->cap * sizeof *p->plan->wants);
    }
    struct chum_want *w = &p->plan->wants[p->plan->count++];
    *w = (struct chum_want){.kind = r->kind, .id_hash = r->id_hash};
    snprintf(w->type, sizeof w->type, SPAN_FMT, SPAN_ARG(r->type));
    return w;
}

static void add_hash(struct planning *p, struct chum_want *w, const struct hash *h)
{
    if (w->count == CHUM_WANT_ROOTS) { // the newest are fetched first and mostly bring the others
        memmove(w->hashes, w->hashes + 1, (CHUM_WANT_ROOTS - 1) * sizeof *w->hashes);
        w->count--;
        p->plan->postponed = true;
    }
    if ((w->count & (w->count - 1)) == 0)
        w->hashes = mem_resize(w->hashes, (w->count != 0 ? 2 * w->count : 1) * sizeof *w->hashes);
    w->hashes[w->count++] = *h;
}

static struct group *group_of(struct planning *p, const struct hash *id_hash)
{
    struct group *g = hash_map_get(p->groups, id_hash);
    if (g == NULL) {
        g = arena_alloc(p->arena, sizeof *g);
        hash_map_set(p->groups, id_hash, g);
    }
    return g;
}

static struct chum_want *want_for(struct planning *p, const struct chum_root *r)
{
    if (r->kind != CHUM_ROOT_VERSION_NODE)
        return add_want(p, r);
    struct group *g = group_of(p, &r->id_hash);
    if (g->want == 0) {
        add_want(p, r)->previous = g->previous;
        g->want = p->plan->count;
    }
    return &p->plan->wants[g->want - 1];
}

static void consider(struct planning *p, const struct chum_root *r)
{
    const struct hash *wanted = r->kind == CHUM_ROOT_ID ? &r->id_hash : &r->hash;
    // Something may be missing below a root that is here, or it is here as a part of something else only.
    if (store_is_admitted(p->store, wanted)) {
        if (r->kind == CHUM_ROOT_VERSION_NODE)
            group_of(p, &r->id_hash)->previous = *wanted;
        return;
    }
    if (r->kind == CHUM_ROOT_VERSION_NODE && store_is_deleted(p->store, &r->id_hash))
        return;
    if (is_refused(p, r)) {
        p->plan->skipped++;
        return;
    }
    if (hash_map_has(p->waiting, wanted) || hash_map_has(p->waiting, &r->id_hash)) {
        hash_list_add(&p->plan->waited, wanted);
        return;
    }
    add_hash(p, want_for(p, r), wanted);
}

// What an own node has of types that are new here comes in the pass after their recipes.
static void recipes_first(struct planning *p)
{
    size_t first = 0;
    for (size_t i = 0; i < p->plan->count; i++) {
        if (strcmp(p->plan->wants[i].type, "Recipe") != 0)
            continue;
        struct chum_want recipe = p->plan->wants[i];
        p->plan->wants[i] = p->plan->wants[first];
        p->plan->wants[first++] = recipe;
    }
    p->plan->postponed = p->plan->postponed || (first != 0 && p->unknown);
}

enum status chum_plan_make(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                           const struct hash_map *waiting, struct span list, struct chum_plan *out, struct error *e)
{
    struct arena *arena = arena_create();
    struct chum_roots roots = {0};
    struct planning p = {.store = s,
                         .policy = policy,
                         .sender = sender,
                         .waiting = waiting,
                         .own = chum_is_own(policy, s, sender),
                         .plan = out,
                         .arena = arena};
    memset(out, 0, sizeof *out);
    enum status st = chum_roots_read(arena, list, &roots, e);
    if (st == STATUS_OK) {
        p.groups = hash_map_create();
        for (size_t i = 0; i < roots.count; i++) { // versions last, as other roots may be what they are about
            if (roots.items[i].kind != CHUM_ROOT_VERSION_NODE)
                consider(&p, &roots.items[i]);
        }
        for (size_t i = 0; i < roots.count; i++) {
            if (roots.items[i].kind == CHUM_ROOT_VERSION_NODE)
                consider(&p, &roots.items[i]);
        }
        hash_map_destroy(p.groups);
        if (p.own)
            recipes_first(&p);
        out->unknown = p.unknown;
    }
    chum_roots_free(&roots);
    arena_destroy(arena);
    return st;
}

void chum_plan_free(struct chum_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->wants[i].hashes);
    free(p->wants);
    hash_list_free(&p->waited);
    memset(p, 0, sizeof *p);
}
